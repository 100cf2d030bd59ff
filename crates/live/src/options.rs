//! How to run embedded: everything the loop needs to know, gathered by the binary.

use std::mem::size_of;
use std::path::PathBuf;
use std::sync::Arc;

use bellwether_codec::event::Decoder;
use bellwether_codec::intake::InputSpec;
use bellwether_engine::customer::Customer;
use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::time::Time;

/// Where signals go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignalsTarget {
    /// A file that is appended to exactly once; decisions go to `FILE.decisions`.
    File(PathBuf),
    /// Standard output, at least once; decisions are not written.
    StandardOutput,
}

/// Makes the rule set of a text under a number, or says what is wrong with it.
pub type CompileRules = Arc<dyn Fn(&str, u32) -> Result<RuleSet, String> + Send + Sync>;

/// Options of an embedded run.
pub struct EmbeddedOptions {
    /// Inputs, merged by time.
    pub inputs: Vec<InputSpec>,
    /// Directory of the database and the dead letters.
    pub data: PathBuf,
    /// Where signals go.
    pub signals: SignalsTarget,
    /// The file of the daily records of KPIs, if wanted.
    pub kpis: Option<PathBuf>,
    /// Journal partitions of a new journal; an existing one keeps its number, and another one given is an error.
    pub partitions: Option<u16>,
    /// How lines become events.
    pub decoder: Decoder,
    /// Text of the rule file: a change of it is published to the journal.
    pub rules_text: String,
    /// Makes the rule set of a text under a number.
    pub compile_rules: CompileRules,
    /// Id of the journal, if it is new.
    pub new_journal_id: String,
    /// Id of the pseudonym key of the decoder.
    pub pseudonym_key_id: u64,
    /// Whether the end of the inputs is the end of time: a closing tick at the largest event time, then stop.
    pub once: bool,
    /// The real clock, against which events from the future are rejected.
    pub ingest_clock: fn() -> Option<Time>,
    /// Limits of one commit.
    pub limits: BatchLimits,
    /// The most memory that the process is to take, bytes; see [`PROCESS_BYTES`].
    pub memory_bytes: u64,
}

/// Limits of one commit, per partition. Signals do not depend on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimits {
    /// Records folded.
    pub records: u64,
    /// Reviews run.
    pub reviews: u64,
}

impl Default for BatchLimits {
    fn default() -> Self {
        Self { records: 16_384, reviews: 4_096 }
    }
}

/// Partitions of a new journal when nothing else is said.
pub const DEFAULT_PARTITIONS: u16 = 4;

/// Memory budget when nothing else is said, bytes.
pub const DEFAULT_MEMORY_BYTES: u64 = 1024 * 1024 * 1024;

/// The least memory budget: half of it is for the process itself.
pub const LEAST_MEMORY_BYTES: u64 = 2 * PROCESS_BYTES;

/// What a process takes beside the shares below, whatever its budget is, bytes: its code, what it reads ahead, what a commit puts out, and what its
/// allocator keeps of what was freed.
pub const PROCESS_BYTES: u64 = 128 * 1024 * 1024;

/// Share of the rest of the memory budget that goes to RocksDB's block cache and write buffers, in percent.
const STORE_SHARE_PERCENT: u64 = 25;

/// Share of the rest of the memory budget that goes to decoded states between two commits, in percent. A commit may load half as much again; what
/// remains is for timers, and for what grows with the states.
const STATES_SHARE_PERCENT: u64 = 26;

/// The memory for RocksDB's block cache and write buffers, bytes.
#[must_use]
pub fn store_bytes(memory_bytes: u64) -> u64 {
    memory_bytes.saturating_sub(PROCESS_BYTES) / 100 * STORE_SHARE_PERCENT
}

/// The memory for the decoded states of each of so many partitions, bytes.
#[must_use]
pub fn states_bytes(memory_bytes: u64, partitions: usize) -> u64 {
    memory_bytes.saturating_sub(PROCESS_BYTES) / 100 * STATES_SHARE_PERCENT / partitions.max(1) as u64
}

/// What a decoded state takes for each encoded byte, beside what all have: collections have room to grow, and each is a block of its own.
const BYTES_PER_ENCODED: usize = 5;

/// The memory that a state takes, by its encoded length; bytes.
#[must_use]
pub fn decoded_bytes(encoded: usize) -> u32 {
    u32::try_from(size_of::<Customer>() + BYTES_PER_ENCODED * encoded).unwrap_or(u32::MAX)
}
