//! What the workers of a Kafka run need to know, gathered by the binary.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bellwether_codec::event::Decoder;
use bellwether_codec::journal::Created;
use bellwether_engine::time::Time;

use super::breaker::BreakerLimits;
use super::owners::Owner;
use super::safekeeping::Safekeeping;
use super::sources::Sources;
use crate::options::BatchLimits;

/// What the time is.
pub type Clock = Arc<dyn Fn() -> Time + Send + Sync>;

/// The topics that the product writes, and the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topics {
    /// The journal: one order of events per partition.
    pub journal: String,
    /// Signals, keyed by customer.
    pub signals: String,
    /// The latest health and open episodes of each customer, keyed by it; compacted.
    pub health: String,
    /// What was decided and not sent, keyed by customer.
    pub decisions: String,
    /// The sums that KPIs are computed from, of each partition at the end of each UTC day.
    pub kpis: String,
    /// What could not be taken in or folded.
    pub dead_letters: String,
    /// The most bytes that one of them may have, with its key, its headers and what the protocol adds.
    pub max_letter_bytes: usize,
}

/// How much a worker takes in one turn, and how long it waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Records read at most.
    pub max_records: usize,
    /// Bytes of keys and values read at most.
    pub max_bytes: usize,
    /// How long it collects records before it commits what it has.
    pub commit_interval: Duration,
    /// How long it waits before it tries again what has failed; longer each time.
    pub retry_wait: Duration,
}

impl Default for Turn {
    fn default() -> Self {
        Self {
            max_records: 20_000,
            max_bytes: 16 << 20,
            commit_interval: Duration::from_millis(100),
            retry_wait: Duration::from_millis(50),
        }
    }
}

/// How far the store of a processing worker may be behind what is committed, so that a customer's changes are written once and not for every commit.
/// A process that dies folds them again before it goes on: that is what it costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteBehind {
    /// Changes wait only while there is much to read: while a turn brings so many records or more.
    pub busy_records: usize,
    /// Records whose changes wait in all partitions of a worker, about; or changes of states where those are more, as in reviews.
    pub max_changes: usize,
    /// The same in one partition: they are one write batch, and fewer than [`MAX_RECORDS_BEHIND`](super::MAX_RECORDS_BEHIND).
    pub max_partition_changes: usize,
}

impl WriteBehind {
    /// The changes that may wait in each of so many partitions.
    pub(crate) fn of_each(self, partitions: usize) -> usize {
        self.max_partition_changes.min(self.max_changes / partitions.max(1))
    }
}

impl Default for WriteBehind {
    fn default() -> Self {
        Self { busy_records: 4_096, max_changes: 400_000, max_partition_changes: 32_768 }
    }
}

/// Options of the processing workers.
#[derive(Clone)]
pub struct ProcessOptions {
    /// The consumer group.
    pub group: String,
    /// The topics.
    pub topics: Topics,
    /// What the journal is, from its first record.
    pub created: Created,
    /// What others are told of this instance, if anything.
    pub owner: Option<Owner>,
    /// Partitions of the topic of signals.
    pub signal_partitions: u32,
    /// Reads journal records.
    pub decoder: Decoder,
    /// Reading.
    pub turn: Turn,
    /// Limits of one transaction, per partition.
    pub limits: BatchLimits,
    /// How far the store may be behind.
    pub write_behind: WriteBehind,
    /// The memory for the decoded states of each worker, bytes.
    pub states_bytes: u64,
    /// What the workers that have one store share about its states.
    pub safekeeping: Arc<Safekeeping>,
    /// Names of the sources that are configured; none where this is not known.
    pub sources: Vec<String>,
    /// Once it is set, no worker waits for anything any more.
    pub stop: Arc<AtomicBool>,
}

/// Options of the ingest workers.
#[derive(Clone)]
pub struct IngestOptions {
    /// The consumer group of all ingest workers.
    pub group: String,
    /// The topics.
    pub topics: Topics,
    /// The id of the journal, from its first record.
    pub journal: String,
    /// Its partitions.
    pub journal_partitions: u16,
    /// What is read, and how.
    pub sources: Sources,
    /// Reading.
    pub turn: Turn,
    /// How often a worker tells how far time is, also when nothing comes.
    pub watermark_interval: Duration,
    /// How far the arrivals of an input may be journaled ahead of those of the input that is most behind.
    pub max_watermark_drift: Duration,
    /// After how long a quiet journal partition gets a tick.
    pub tick_interval: Duration,
    /// Whether this worker writes ticks; one in a process is enough.
    pub ticks: bool,
    /// When a flood of bad records stops a source.
    pub breaker: BreakerLimits,
    /// The real clock: an input that is read to its end is journaled up to what it says.
    pub clock: Clock,
    /// Once it is set, no worker waits for anything any more.
    pub stop: Arc<AtomicBool>,
}
