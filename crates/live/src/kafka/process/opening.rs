//! Partitions that come to a worker: opened at once, or when a snapshot is in their place.

use bellwether_engine::partition::Partition;
use bellwether_engine::time::Time;
use bellwether_kafka::TopicPartition;

use super::Processor;
use crate::error::LiveError;
use crate::kafka::error::JournalError;
use crate::kafka::open::{Opening, number_of, openings};
use crate::kafka::owned::Owned;
use crate::metrics::Metrics;
use crate::pipeline;

impl Processor {
    /// Starts with partitions that come in addition; some of them later, when a snapshot is in their place.
    pub(super) fn assigned(&mut self, partitions: &[TopicPartition]) -> Result<(), LiveError> {
        self.check_count(partitions)?;
        for number in partitions.iter().map(number_of) {
            self.metrics.readers.assigned(number);
            if self.owned.insert(number) {
                self.metrics.pipeline.assigned(pipeline::Worker::Process, 1);
            }
        }
        let openings = openings(&mut *self.client, &self.store, &self.options, partitions)?;
        let mut ready = Vec::with_capacity(partitions.len());
        for (at, opening) in partitions.iter().cloned().zip(openings) {
            let may_restore = self.damages.may_restore(number_of(&at));
            if !self.restoring.waits(&at, &opening, may_restore, &self.store, &self.options, &self.metrics) {
                ready.push((at, opening));
            }
        }
        if !ready.is_empty() {
            let starts = self.open(ready)?;
            self.client.assign(&starts)?;
        }
        Ok(())
    }

    /// A partition more than the journal was made with came up while this process was running: customers would move between partitions.
    fn check_count(&self, partitions: &[TopicPartition]) -> Result<(), JournalError> {
        let (created, highest) = (self.options.created.partitions, partitions.iter().map(number_of).max());
        match highest {
            Some(number) if number >= created => {
                Err(JournalError::Partitions { topic: self.options.topics.journal.clone(), created, found: usize::from(number) + 1 })
            }
            _ => Ok(()),
        }
    }

    /// Opens the partitions whose restore has ended.
    pub(super) fn open_restored(&mut self) -> Result<(), LiveError> {
        let ready = self.restoring.ready(&self.options);
        if ready.is_empty() { Ok(()) } else { self.assigned(&ready) }
    }

    /// Drops what is in memory of all partitions, and goes on from the store.
    pub(super) fn reopen(&mut self) -> Result<(), LiveError> {
        let partitions: Vec<TopicPartition> = self.partitions.values().map(|owned| owned.at.clone()).collect();
        let openings = openings(&mut *self.client, &self.store, &self.options, &partitions)?;
        if openings.iter().any(|opening| opening.generation.is_none()) {
            return self.rebuild();
        }
        let starts = self.open(partitions.into_iter().zip(openings).collect())?;
        self.client.seek(&starts)?;
        Ok(())
    }

    fn open(&mut self, partitions: Vec<(TopicPartition, Opening)>) -> Result<Vec<(TopicPartition, u64)>, LiveError> {
        let mut starts = Vec::with_capacity(partitions.len());
        for (at, opening) in partitions {
            let (number, Opening { store, committed, .. }) = (number_of(&at), opening);
            opening.check(number)?;
            if store < committed {
                tracing::info!(partition = number, %store, %committed, "the state is behind: catching up in silence");
            } else {
                tracing::info!(partition = number, %store, "the state is where everything is published: nothing to replay");
            }
            let erasure_key = self.options.decoder.erasure_key();
            let mut owned = Owned::open(number, at.clone(), opening, &self.store, &self.rule_sets, erasure_key)?;
            tell_of_forgotten(number, owned.worker.partition.header.silent.names(), &self.options.sources);
            owned.worker.leave_out_erased(self.options.safekeeping.erased(number));
            if !owned.worker.is_catching_up() {
                if owned.worker.partition.header.journal_time == Time::MIN {
                    // Nothing was ever folded: its customers stand at no time yet.
                    self.metrics.partition_stands_empty(number, &owned.worker.partition.header);
                    self.metrics.readers.settled(number, owned.worker.partition.rules());
                } else {
                    tell(&self.metrics, number, &owned.worker.partition);
                }
            }
            self.partitions.insert(number, owned);
            starts.push((at, store.offset));
        }
        Ok(starts)
    }

    /// Whether somebody else in this process has replaced the state of a partition since it was opened.
    pub(super) fn is_replaced(&self) -> bool {
        self.partitions.iter().any(|(number, owned)| owned.generation != self.options.safekeeping.generation(*number))
    }
}

/// A source that was silent when it was taken out of the configuration never resumes, and its rules stay frozen.
fn tell_of_forgotten<'s>(partition: u16, silent: impl Iterator<Item = &'s str>, configured: &[String]) {
    for source in silent.filter(|source| !configured.is_empty() && !configured.iter().any(|known| known == source)) {
        tracing::warn!(
            partition,
            source,
            "a source counts as silent that is not configured any more, and rules stay frozen for it: configure it once more with \
             `silent_after: never`, and take it out when it has resumed"
        );
    }
}

/// Tells how a partition stands that is where everything is published.
pub(super) fn tell(metrics: &Metrics, number: u16, partition: &Partition) {
    metrics.partition_stands(number, &partition.header, partition.rules());
    metrics.readers.settled(number, partition.rules());
}
