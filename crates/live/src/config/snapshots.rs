//! Snapshots of a Kafka run: where, how often, and how many.

use std::num::NonZeroUsize;

use bellwether_codec::yaml::{Node, Reader};

use super::kafka::positive;
use super::tables::SNAPSHOTS;
use crate::snapshot::Repository;

/// Where copies of partition states are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotSettings {
    /// A directory or a file:// URL.
    pub to: String,
    /// How often each partition is copied, milliseconds.
    pub every_ms: i64,
    /// Copies of each partition that are kept.
    pub keep: NonZeroUsize,
}

/// Reads the section. The place is made when the run starts; here only its form is looked at.
pub(super) fn read_snapshots(reader: &mut Reader<'_>, node: &Node) -> SnapshotSettings {
    let settings = reader.settings(node, &SNAPSHOTS);
    let to = reader.text_setting(&settings, "to");
    if let Some(node) = settings.get("to")
        && let Err(error) = Repository::check_place(&to)
        && !to.is_empty()
    {
        reader.error(&node.place, error.to_string());
    }
    let every_ms = positive(reader, &settings, "every");
    let keep = reader.whole_setting(&settings, "keep", 1..=1_000) as usize;
    SnapshotSettings { to, every_ms, keep: NonZeroUsize::new(keep).unwrap_or(NonZeroUsize::MIN) }
}
