//! What an ingest worker has read: records that wait for inputs that are behind stay until those have come as far.

use std::collections::BTreeSet;
use std::time::Duration;

use bellwether_kafka::{Batch, Client, KafkaError, Polled, TopicPartition};

use super::options::Turn;

/// While records that have waited are journaled, little time is spent on listening for more.
const SHORT_POLL: Duration = Duration::from_millis(5);

/// What is left of what was read, once a turn is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// Nothing; or all of it is read again.
    Nothing,
    /// Records that are ahead of other inputs.
    Ahead {
        /// The inputs behind them come nearer.
        is_moving: bool,
    },
}

/// Records that were read and are not journaled. It is bounded by twice what a turn may read: while more than that waits, the partitions of
/// what waits are not read further.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    /// In the order in which they were read.
    pub batch: Batch,
    paused: BTreeSet<TopicPartition>,
    is_moving: bool,
    /// How many the metrics know of.
    pub told: usize,
}

impl Waiting {
    /// Reads more. Returns how many records came, too.
    pub fn read(&mut self, client: &mut dyn Client, turn: Turn) -> (Result<Polled, KafkaError>, usize) {
        let before = self.batch.len();
        let (max_records, max_bytes) = (before + turn.max_records, self.batch.size_bytes() + turn.max_bytes);
        let timeout = if self.is_moving { SHORT_POLL.min(turn.commit_interval) } else { turn.commit_interval };
        let polled = client.poll(&mut self.batch, max_records, max_bytes, timeout);
        if let Ok(Polled::Revoked(revoked)) = &polled {
            self.batch.forget(revoked);
            self.paused.retain(|at| !revoked.contains(at));
        }
        (polled, self.batch.len().saturating_sub(before))
    }

    /// Whether a partition is not read further, because much of it waits.
    pub fn is_paused(&self, at: &TopicPartition) -> bool {
        self.paused.contains(at)
    }

    /// Keeps what is left, as this says of a partition and an offset.
    pub fn keep(&mut self, left: Left, is_left: impl Fn(&TopicPartition, u64) -> bool) {
        match left {
            Left::Nothing => self.batch.clear(),
            Left::Ahead { .. } => self.batch.retain(is_left),
        }
        self.is_moving = left == Left::Ahead { is_moving: true };
    }

    /// Sees to it that what waits does not become too much. A partition of which nothing waits any more is always read: the others may be
    /// waiting for it.
    ///
    /// # Errors
    ///
    /// When the client has to be rebuilt.
    pub fn pace(&mut self, client: &mut dyn Client, turn: Turn) -> Result<(), KafkaError> {
        let (records, bytes) = (self.batch.len(), self.batch.size_bytes());
        if self.paused.is_empty() && records < turn.max_records && bytes < turn.max_bytes {
            return Ok(());
        }
        let is_much = records >= turn.max_records / 2 || bytes >= turn.max_bytes / 2;
        let waiting: BTreeSet<TopicPartition> = self.batch.records().map(|record| record.at).filter(|_| is_much).cloned().collect();
        let resumed: Vec<TopicPartition> = self.paused.difference(&waiting).cloned().collect();
        client.resume(&resumed)?;
        self.paused.retain(|at| waiting.contains(at));
        if records >= turn.max_records || bytes >= turn.max_bytes {
            let reading: Vec<TopicPartition> = waiting.difference(&self.paused).cloned().collect();
            client.pause(&reading)?;
            self.paused.extend(reading);
        }
        Ok(())
    }
}
