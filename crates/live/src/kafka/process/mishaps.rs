//! What a worker does about a full disk and about damaged states.

use std::thread;

use bellwether_store::{Commit, Durability, StoreError};

use super::Processor;
use crate::error::LiveError;
use crate::kafka::open::JOURNAL_ID;

impl Processor {
    /// The disk is full. What is committed to Kafka and not in the store is folded again, in silence, once there is room.
    pub(super) fn pause(&mut self, error: &StoreError) {
        tracing::error!(%error, "pausing until there is room: nothing is lost");
        self.metrics.state_event("disk_full");
        self.is_paused = true;
        self.forget_all();
    }

    /// Whether there is room again. The group may have given the partitions to others by then, so all of them are assigned anew.
    pub(super) fn resumes(&mut self) -> Result<bool, LiveError> {
        // Before every look, so that a disk that is full again at once does not keep the whole group busy.
        thread::sleep(self.patience.next_wait());
        let mut commit = Commit::new();
        commit.put_input(JOURNAL_ID, self.options.journal_id.as_bytes());
        match self.store.commit(commit, Durability::Synced) {
            Ok(()) => {
                tracing::warn!("there is room on the disk again: going on");
                self.is_paused = false;
                self.rebuild()?;
                Ok(true)
            }
            Err(StoreError::DiskFull { .. } | StoreError::Busy { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Drops the state of a partition that is damaged, and lets it be assigned anew; any other error is handed back.
    pub(super) fn drop_damaged(&mut self, error: LiveError) -> Result<(), LiveError> {
        let number = self.damages.partition_to_drop(error)?;
        self.forget_all();
        // If somebody else is at it already, his work is waited for as for any other.
        if let Some(_replacing) = self.options.safekeeping.replace(number) {
            match self.store.drop_partition(number) {
                Err(error @ StoreError::DiskFull { .. }) => {
                    self.pause(&error);
                    return Ok(());
                }
                dropped => dropped?,
            }
            self.damages.dropped(number);
            self.metrics.state_event("partition_dropped");
        }
        self.rebuild()
    }
}
