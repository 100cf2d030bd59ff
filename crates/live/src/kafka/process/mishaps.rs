//! What a worker does about a store that cannot write now, and about damaged states.

use bellwether_store::{Commit, Durability, StoreError};

use super::Processor;
use crate::error::LiveError;
use crate::kafka::open::JOURNAL_ID;
use crate::state_event::StateEvent;

impl Processor {
    /// The store cannot write now: the disk is full, or RocksDB is busy. What is committed to Kafka and not in the store is folded again, in
    /// silence, once it can.
    pub(super) fn pause(&mut self, error: &StoreError) {
        tracing::error!(%error, "pausing until the store takes writes again: nothing is lost");
        self.count(error);
        self.is_paused = true;
        self.forget_all();
    }

    fn count(&self, error: &StoreError) {
        self.metrics.state_event(if matches!(error, StoreError::DiskFull { .. }) { StateEvent::DiskFull } else { StateEvent::StoreBusy });
    }

    /// Whether the store takes writes again. The group may have given the partitions to others by then, so all of them are assigned anew.
    pub(super) fn resumes(&mut self) -> Result<bool, LiveError> {
        // Before every look, so that a disk that is full again at once does not keep the whole group busy.
        self.patience.wait_longer()?;
        let mut commit = Commit::new();
        commit.put_input(JOURNAL_ID, self.options.created.journal.as_bytes());
        match self.store.commit(commit, Durability::Synced) {
            Ok(()) => {
                tracing::warn!("the store takes writes again: going on");
                self.is_paused = false;
                self.rebuild()?;
                Ok(true)
            }
            Err(error) if error.is_retriable() => {
                // At each look: whoever counts sees that it goes on.
                self.count(&error);
                Ok(false)
            }
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
                Err(error) if error.is_retriable() => {
                    self.pause(&error);
                    return Ok(());
                }
                dropped => dropped?,
            }
            self.damages.dropped(number);
            self.metrics.state_event(StateEvent::PartitionDropped);
        }
        self.rebuild()
    }
}
