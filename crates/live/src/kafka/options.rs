//! What the workers of a Kafka run need to know, gathered by the binary.

use std::time::Duration;

use bellwether_codec::event::Decoder;

use crate::options::BatchLimits;

/// The topics that the product writes, and the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topics {
    /// The journal: one order of events per partition.
    pub journal: String,
    /// Signals, keyed by customer.
    pub signals: String,
    /// What was decided and not sent, keyed by customer.
    pub decisions: String,
    /// What could not be taken in or folded.
    pub dead_letters: String,
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
}

impl Default for Turn {
    fn default() -> Self {
        Self { max_records: 20_000, max_bytes: 16 << 20, commit_interval: Duration::from_millis(100) }
    }
}

/// Options of the processing workers.
#[derive(Clone)]
pub struct ProcessOptions {
    /// The consumer group.
    pub group: String,
    /// The topics.
    pub topics: Topics,
    /// The id of the journal, from its first record.
    pub journal_id: String,
    /// Reads journal records.
    pub decoder: Decoder,
    /// Reading.
    pub turn: Turn,
    /// Limits of one transaction, per partition.
    pub limits: BatchLimits,
    /// Decoded states kept in memory by each worker.
    pub states_in_memory: usize,
}
