//! What a commit remembers beside the partitions: where the inputs stand, how long the output files are, which rules hold.

use std::collections::BTreeMap;

use bellwether_codec::intake::{InputPosition, Sequencer};
use serde::{Deserialize, Serialize};

use crate::output_files::OutputFiles;

/// The name under which the store keeps it.
pub const PROCESS_STATE: &str = "process";

/// State of the process, as JSON in the store.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProcessState {
    /// Made at random when the journal was created.
    pub journal_id: String,
    /// Journal partitions.
    pub partitions: u16,
    /// Which pseudonym key the journal was written with.
    pub pseudonym_key_id: String,
    /// Number of the next epoch to take in.
    pub next_epoch: u64,
    /// Where the inputs stand after the last epoch taken in.
    pub inputs: Vec<InputPosition>,
    /// The order of records after that epoch.
    pub sequencer: Sequencer,
    /// Next journal offset of each partition.
    pub journal_ends: Vec<u64>,
    /// Committed lengths of the signals and decisions files.
    pub output_bytes: (u64, u64),
    /// Committed length of the dead letters.
    pub dead_letter_bytes: u64,
    /// Committed length of the file of KPIs.
    #[serde(default)]
    pub kpis_bytes: u64,
    /// The files that it last wrote to.
    #[serde(default)]
    pub files: OutputFiles,
    /// The rule set in force.
    pub rules: RulesState,
    /// Totals since the journal was created.
    pub totals: Totals,
}

/// The rule set in force.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RulesState {
    /// Its number.
    pub number: u32,
    /// Hash of its text.
    pub hash: String,
}

/// Totals since the journal was created.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Totals {
    /// Input lines.
    pub events: u64,
    /// Journaled events.
    pub journaled: u64,
    /// Rejected lines by reason.
    pub rejected: BTreeMap<String, u64>,
    /// Outputs by rule and transition.
    pub signals: BTreeMap<String, BTreeMap<String, u64>>,
}

/// The name under which the store keeps what a partition has put out before its turn.
pub fn outbox_name(partition: u16) -> String {
    format!("outbox/{partition}")
}
