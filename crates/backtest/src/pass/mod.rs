//! One pass over a log under one or two rule sets, watched by an observer: what an evaluation is made from.

mod files;
mod journal;
mod lane;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::time::Time;

pub use files::observe_files;
pub use journal::observe_journal;

use crate::observe::{Observed, ObservedLog};

/// How to pass over a log.
pub struct PassOptions<'o> {
    /// The rule sets; each folds every event, which is read and decoded once.
    pub rule_sets: Vec<Arc<RuleSet>>,
    /// Hashes of rules that only the evaluation knows: what they put out is not rendered.
    pub hidden: Vec<u32>,
    /// Whether to render what the first rule set puts out.
    pub renders: bool,
    /// Features are noted at every whole number of these milliseconds after the epoch.
    pub features_every_ms: Option<i64>,
    /// Customers whose states are kept in memory at once, of all rule sets together. Event files with more are spilled to `scratch`, and partitions of
    /// a journal with more are read once for each share of them; not so standard input, nor where signals are rendered, since these have one order.
    pub max_customers: usize,
    /// The directory that event files are spilled to.
    pub scratch: &'o Path,
    /// The log ends here.
    pub until: Option<Time>,
    /// Set when the pass is to end early, with what it has.
    pub stop: &'o AtomicBool,
}

/// What a pass has seen.
#[derive(Clone, Debug, Default)]
pub struct Pass {
    /// The log.
    pub log: ObservedLog,
    /// What each rule set made of it.
    pub observed: Vec<Observed>,
    /// Lines read, refused ones included.
    pub lines: u64,
    /// How many times at most a partition was begun: more than once where its customers do not fit into memory.
    pub reads: u32,
    /// Bytes on disk that the log was spilled to, as its customers do not fit into memory.
    pub spilled_bytes: u64,
    /// Lines or records that were refused.
    pub refused: u64,
    /// Whether an input ended in the middle of a line.
    pub broke_off: bool,
}
