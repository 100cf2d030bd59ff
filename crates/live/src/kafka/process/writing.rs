//! Write-behind: while there is much to read, what commits have changed waits for its store, and a customer's changes within that time are written once.
//!
//! The store may be behind what is committed, never ahead: what waits is folded again in silence when the process dies before it is written.

use bellwether_store::{Durability, StoreError};

use super::opening::tell;
use super::{Pending, Processor};
use crate::error::LiveError;
use crate::kafka::owned::Owned;

impl Processor {
    /// What is committed may be kept: states, timers and position of a partition in one write batch, now or after later commits.
    /// Returns false if the store has gone on without us; then nothing more is written.
    pub(super) fn commit_to_store(&mut self) -> Result<bool, LiveError> {
        self.partitions.values_mut().for_each(|owned| owned.committed());
        for number in self.due_for_writing() {
            if !self.write(number)? {
                return Ok(false);
            }
        }
        let states_bytes = self.options.states_bytes / self.partitions.len().max(1) as u64;
        for (number, owned) in &mut self.partitions {
            owned.worker.keep_states_within(states_bytes);
            // A partition that catches up is told when it is where everything is published.
            if !owned.worker.is_catching_up() {
                tell(&self.metrics, *number, &owned.worker.partition);
                self.options.safekeeping.settled(*number);
            }
        }
        Ok(true)
    }

    /// Writes whatever waits. Returns false if the store has gone on without us.
    pub(super) fn write_all(&mut self) -> Result<bool, LiveError> {
        self.is_busy = false;
        if self.partitions.values().all(|owned| owned.worker.waiting().is_none()) { Ok(true) } else { self.commit_to_store() }
    }

    /// Before a step: writes what waits in partitions whose next piece reads customers from the store. Returns false if the store has gone on
    /// without us.
    pub(super) fn write_before(&mut self, pending: &Pending<'_>) -> Result<bool, LiveError> {
        for (number, pieces) in pending {
            if pieces.front().is_some_and(Owned::needs_store) && !self.write(*number)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Folding has panicked in a partition whose store is behind: goes back to the store, and writes at each commit from now on.
    pub(super) fn fold_again(&mut self, partition: u16) -> Result<(), LiveError> {
        tracing::warn!(partition, "folding panicked while the store was behind: folding again from there");
        self.written_at_once.insert(partition);
        self.reopen()
    }

    /// Writes what waits in a partition. Returns false if the store has gone on without us.
    fn write(&mut self, number: u16) -> Result<bool, LiveError> {
        let Some(owned) = self.partitions.get_mut(&number) else { return Ok(true) };
        let Some(commit) = owned.take_commit()? else { return Ok(true) };
        match self.store.commit(commit, Durability::Buffered) {
            Ok(()) => Ok(true),
            Err(error @ StoreError::Stale { .. }) => {
                tracing::warn!(%error, "another worker of this process has taken over a partition");
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The partitions whose changes may not wait any longer, and one more that has waited half as long: so they do not all come at the same time.
    fn due_for_writing(&self) -> Vec<u16> {
        let limit = if self.is_busy { self.options.write_behind.of_each(self.partitions.len()) } else { 0 };
        let limit_of = |number: &u16| if self.written_at_once.contains(number) { 0 } else { limit };
        let (mut due, others): (Vec<_>, Vec<_>) = self.partitions.iter().partition(|(number, owned)| !owned.may_wait(limit_of(number)));
        let waiting = others.into_iter().max_by_key(|(_, owned)| owned.worker.waiting());
        due.extend(waiting.filter(|(_, owned)| owned.worker.waiting().is_some_and(|waiting| waiting >= limit.div_ceil(2))));
        due.into_iter().map(|(number, _)| *number).collect()
    }
}
