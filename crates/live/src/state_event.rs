//! What happens to stored states beside their daily work.

/// Such an event, as the label `event` of `bellwether_state_events_total` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateEvent {
    /// There was no room to write; it is tried again.
    DiskFull,
    /// The store did not take a write for another reason; it is tried again.
    StoreBusy,
    /// A partition's state did not read back, and is made anew.
    PartitionDropped,
    /// The whole store did not open, and was moved aside.
    StoreMovedAside,
    /// A partition was filled from a snapshot.
    Restored,
    /// A snapshot was of no use; another is tried, or the journal.
    RestoreFailed,
    /// A snapshot was taken.
    SnapshotTaken,
    /// A snapshot could not be taken; it is tried again.
    SnapshotFailed,
}

impl StateEvent {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            StateEvent::DiskFull => "disk_full",
            StateEvent::StoreBusy => "store_busy",
            StateEvent::PartitionDropped => "partition_dropped",
            StateEvent::StoreMovedAside => "store_moved_aside",
            StateEvent::Restored => "restored",
            StateEvent::RestoreFailed => "restore_failed",
            StateEvent::SnapshotTaken => "snapshot_taken",
            StateEvent::SnapshotFailed => "snapshot_failed",
        }
    }
}
