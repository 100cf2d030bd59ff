//! The journal of an embedded data directory, as snapshots of its partitions need to know it.

use bellwether_store::Store;
use serde_json::json;

use crate::error::LiveError;
use crate::process_state::{PROCESS_STATE, ProcessState};
use crate::session::{PREVIOUS_RULES_TEXT, RULES_TEXT};

/// What an embedded data directory says about its journal, which it keeps itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbeddedJournal {
    /// Its id.
    pub journal_id: String,
    /// Next offset of each partition.
    pub ends: Vec<u64>,
    rule_set: u32,
}

impl EmbeddedJournal {
    /// Reads it; nothing if the store is not one of an embedded data directory, or was never run.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn read(store: &Store) -> Result<Option<Self>, LiveError> {
        let Some(bytes) = store.input(PROCESS_STATE)? else { return Ok(None) };
        let damaged = |error| LiveError::Damaged(format!("process state: {error}"));
        let state: ProcessState = serde_json::from_slice(&bytes).map_err(damaged)?;
        Ok(Some(Self { journal_id: state.journal_id, ends: state.journal_ends, rule_set: state.rules.number }))
    }

    /// The rules in force and those before, to keep beside a snapshot.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn attachment(&self, store: &Store) -> Result<serde_json::Value, LiveError> {
        let text = |name| Ok::<_, LiveError>(store.input(name)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()));
        Ok(json!({ "rule_set": self.rule_set, "rules": text(RULES_TEXT)?, "previous_rules": text(PREVIOUS_RULES_TEXT)? }))
    }
}
