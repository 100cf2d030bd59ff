//! `bellwether snapshot verify`: whether the snapshots are whole.

use bellwether_live::snapshot::{Repository, SnapshotError};
use clap::Args;

use super::instance::{judged, listing};
use crate::failure::{Failure, Outcome};
use crate::sizes::count;
use crate::terminal::tell;

/// Read all snapshots that are kept in a place, and tell which are damaged
///
/// Each is fetched to a temporary directory (of the variable TMPDIR, where there is one), compared with its checksum, and read to its end. Exits
/// with 1 if one is damaged, or if there is none.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  bellwether snapshot verify --from /backup/bellwether")]
pub struct Arguments {
    /// Where the snapshots are kept: a directory or a file:// URL
    #[arg(long, value_name = "DIR|URL")]
    from: String,

    /// Only those of this journal
    #[arg(long, value_name = "ID")]
    journal: Option<String>,

    /// Only those of this partition
    #[arg(long, value_name = "N")]
    partition: Option<u16>,
}

/// Reads them.
pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let repository = Repository::open(&arguments.from)?;
    let found = listing(&repository, arguments.journal.as_deref())?;
    let scratch = tempfile::tempdir().map_err(|error| Failure::writing(&std::env::temp_dir(), &error))?;
    let (mut whole, mut damaged) = (0_usize, found.damaged.len());
    for manifest in &found.snapshots {
        if arguments.partition.is_some_and(|partition| partition != manifest.partition) {
            continue;
        }
        match repository.verify(manifest, scratch.path()) {
            Ok(()) => whole += 1,
            Err(SnapshotError::Damaged(error)) => {
                tell(&error.to_string());
                damaged += 1;
            }
            Err(error) => return Err(error.into()),
        }
    }
    tell(&format!("{} snapshots are whole, {} are damaged", count(whole as u64), count(damaged as u64)));
    Ok(judged(if whole == 0 { damaged.max(1) } else { damaged }))
}
