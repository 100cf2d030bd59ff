//! What a worker asks of Kafka. One worker, one client, one thread.

use std::time::Duration;

use crate::batch::{Batch, TopicPartition};
use crate::error::{CommitError, KafkaError};
use crate::statistics::ClientStatistics;
use crate::transaction::Transaction;

/// A committed offset of a consumer group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedOffset {
    /// The next offset to read.
    pub offset: u64,
    /// What the committer wrote beside it; empty if nothing.
    pub metadata: String,
}

/// What a poll brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Polled {
    /// Nothing but the records in the batch, if any.
    Records,
    /// These partitions come in addition; the client waits for [`Client::assign`] with where to start in each.
    Assigned(Vec<TopicPartition>),
    /// These partitions are gone, and nothing of them may be committed any more.
    Revoked(Vec<TopicPartition>),
}

/// A consumer of a group and a transactional producer, as one.
///
/// Two clients exist: of a real broker, and of a log in memory with the same rules, which tests stop at every step.
pub trait Client: Send {
    /// Reads records into the batch until it holds `max_records` or `max_bytes`, or until `timeout` is over.
    /// Ends at once when partitions come or go; records of partitions that go are taken out of the batch.
    ///
    /// # Errors
    ///
    /// See [`KafkaError`]; what is in the batch stays good unless the client has to be rebuilt.
    fn poll(&mut self, batch: &mut Batch, max_records: usize, max_bytes: usize, timeout: Duration) -> Result<Polled, KafkaError>;

    /// Whether the group has given this client its share since the client was made, which may be nothing, and the client was told all of it.
    /// Not after a share was lost, rather than given back: then the next one is waited for.
    fn has_assignment(&self) -> bool;

    /// Answers [`Polled::Assigned`]: reading starts at these offsets. Nothing may be assigned that was not asked for.
    ///
    /// # Errors
    ///
    /// When the assignment is over already: then a revocation follows at the next poll.
    fn assign(&mut self, starts: &[(TopicPartition, u64)]) -> Result<(), KafkaError>;

    /// Goes on reading assigned partitions at these offsets; what was read ahead of them is dropped.
    ///
    /// # Errors
    ///
    /// When a partition is no longer assigned, or the broker does not answer.
    fn seek(&mut self, starts: &[(TopicPartition, u64)]) -> Result<(), KafkaError>;

    /// Reads no further in these assigned partitions, until [`Client::resume`]. A revocation ends it too.
    ///
    /// # Errors
    ///
    /// When the client has to be rebuilt.
    fn pause(&mut self, partitions: &[TopicPartition]) -> Result<(), KafkaError>;

    /// Reads on in these partitions, behind what was read last.
    ///
    /// # Errors
    ///
    /// When the client has to be rebuilt.
    fn resume(&mut self, partitions: &[TopicPartition]) -> Result<(), KafkaError>;

    /// What the group has committed, for any partitions, assigned or not. Waits until transactions that are being committed are done.
    ///
    /// # Errors
    ///
    /// When the broker does not answer.
    fn committed(&mut self, partitions: &[TopicPartition]) -> Result<Vec<Option<CommittedOffset>>, KafkaError>;

    /// What the group has committed so far, as [`Self::committed`] tells it, whatever transactions are open: that of a process which was killed stays open
    /// until somebody takes its place, or for its timeout.
    ///
    /// # Errors
    ///
    /// When the broker does not answer.
    fn committed_so_far(&mut self, partitions: &[TopicPartition]) -> Result<Vec<Option<CommittedOffset>>, KafkaError> {
        self.committed(partitions)
    }

    /// Which of these assigned partitions have nothing to read beyond what was polled, right now, as their leaders say; each with the offset behind
    /// all that it holds, the marks of transactions included: reading may go on there. A partition whose leader does not answer is not among them, nor one in which a transaction is open: its records are older than its commit.
    ///
    /// # Errors
    ///
    /// When the client has to be rebuilt.
    fn at_end(&mut self, partitions: &[TopicPartition]) -> Result<Vec<(TopicPartition, u64)>, KafkaError>;

    /// All partitions of the topics that the client subscribes to, in order.
    ///
    /// # Errors
    ///
    /// When the broker does not answer.
    fn subscribed_partitions(&mut self) -> Result<Vec<TopicPartition>, KafkaError>;

    /// The first committed records at or after an offset, read apart from what is being polled; fewer than `max_records` only at the end of the
    /// partition.
    ///
    /// # Errors
    ///
    /// When the broker does not answer, or the partition does not exist.
    fn read_some(&mut self, at: &TopicPartition, offset: u64, max_records: usize) -> Result<Batch, KafkaError>;

    /// The first of them; `None` at the end of the partition.
    ///
    /// # Errors
    ///
    /// As [`Client::read_some`].
    fn read_one(&mut self, at: &TopicPartition, offset: u64) -> Result<Option<Batch>, KafkaError> {
        Ok(Some(self.read_some(at, offset, 1)?).filter(|batch| !batch.is_empty()))
    }

    /// The first offset that exists and the one behind the last committed record. A transaction shows here a moment after its commit.
    ///
    /// # Errors
    ///
    /// When the broker does not answer, or the partition does not exist.
    fn bounds(&mut self, at: &TopicPartition) -> Result<(u64, u64), KafkaError>;

    /// Writes a transaction: begins it, produces every record and waits for every acknowledgement, adds the offsets under the generation of
    /// the group that the last poll left, and commits. Offsets of partitions that the group has not given to this client are refused.
    ///
    /// # Errors
    ///
    /// [`CommitError::NotCommitted`]: nothing of it will ever be seen. [`CommitError::Lost`]: nobody knows, or somebody else has taken over.
    fn commit(&mut self, transaction: &Transaction) -> Result<(), CommitError>;

    /// The same, and tells of each partition that it wrote to the offset behind its last record there: who has read so far has read all of it.
    ///
    /// # Errors
    ///
    /// As [`Client::commit`]; and when the client was not made for that.
    fn commit_and_place(&mut self, transaction: &Transaction) -> Result<Vec<(TopicPartition, u64)>, CommitError>;

    /// How the client library is doing, as it told last; nothing at first.
    fn statistics(&self) -> Vec<ClientStatistics>;

    /// Drops consumer and producer and makes new ones under the same names. What an earlier producer left open is ended by then.
    /// Nothing is assigned afterwards: assignments come anew.
    ///
    /// # Errors
    ///
    /// When the broker does not answer, or refuses.
    fn rebuild(&mut self) -> Result<(), KafkaError>;
}
