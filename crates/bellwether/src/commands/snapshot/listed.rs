//! The snapshots of a place as JSON: each manifest without what is kept beside it, which may be long.

use bellwether_codec::contract::{Contract, of};
use bellwether_live::snapshot::{Listing, Manifest};
use schemars::JsonSchema;
use serde::Serialize;

/// The list as a contract.
pub const CONTRACT: Contract =
    Contract { name: "snapshot-list", title: "The snapshots of a place, as `snapshot list --json` prints them", describe: of::<Listed> };

/// The snapshots that are kept in a place.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SnapshotList")]
pub struct Listed {
    /// Those whose manifest is whole. Their tables are not read.
    snapshots: Vec<Snapshot>,
    /// Those that cannot be restored from.
    damaged: Vec<Damaged>,
}

/// A snapshot of a partition.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ListedSnapshot")]
struct Snapshot {
    /// The path under which it is kept, without the endings of its two files.
    name: String,
    /// The journal that the partition was folded from.
    journal_id: String,
    /// The partition.
    partition: u16,
    /// The version of the fold that made the states.
    fold_version: u8,
    /// How far the partition was applied.
    position: Position,
    /// Journal time of the partition at that position, milliseconds since the epoch; the least number before the first event.
    journal_time_ms: i64,
    /// When the snapshot was taken, by the clock of whoever took it, milliseconds since the epoch.
    created_at_ms: i64,
    /// Entries in the table.
    entries: u64,
    /// Length of the table, bytes.
    bytes: u64,
    /// XXH3 of the table, 128 bits, in hexadecimal.
    #[schemars(extend("pattern" = "^[0-9a-f]{32}$"))]
    checksum: String,
}

/// A position in the order of a partition: within an offset come the reviews that are due before it, by time and customer.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SnapshotPosition")]
struct Position {
    /// The next offset of the journal.
    offset: u64,
    /// The time up to which reviews were made, milliseconds since the epoch.
    review_due_ms: i64,
    /// The key of the customer of the last of them, in hexadecimal.
    #[schemars(extend("pattern" = "^[0-9a-f]{32}$"))]
    customer: String,
}

/// A snapshot whose manifest cannot be used.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DamagedSnapshot")]
struct Damaged {
    /// The path under which it is kept.
    name: String,
    /// What is wrong with it.
    reason: String,
}

impl Listed {
    /// What was found in a place.
    pub fn of(found: &Listing) -> Self {
        let damaged = found.damaged.iter().map(|damaged| Damaged { name: damaged.name.clone(), reason: damaged.reason.clone() });
        Self { snapshots: found.snapshots.iter().map(Snapshot::of).collect(), damaged: damaged.collect() }
    }
}

impl Snapshot {
    fn of(manifest: &Manifest) -> Self {
        Self {
            name: manifest.name(),
            journal_id: manifest.journal_id.clone(),
            partition: manifest.partition,
            fold_version: manifest.fold_version,
            position: Position {
                offset: manifest.position.offset,
                review_due_ms: manifest.position.review_due,
                customer: format!("{:032x}", manifest.position.customer),
            },
            journal_time_ms: manifest.journal_time.0,
            created_at_ms: manifest.created_at.0,
            entries: manifest.entries,
            bytes: manifest.bytes,
            checksum: manifest.checksum.clone(),
        }
    }
}
