//! The rule sets of a journal: compiled once, and kept as text in the store, so that a restart knows them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::settings::Settings;
use bellwether_store::{Commit, Durability, Store, StoreError};
use serde_json::{Value, json};

use super::error::JournalError;
use crate::error::LiveError;
use crate::options::CompileRules;
use crate::snapshot::{DamagedSnapshot, Manifest, SnapshotError};

/// Rule sets by number, shared by the workers of a process.
pub struct RuleSets {
    compile: CompileRules,
    compiled: Mutex<BTreeMap<u32, Arc<RuleSet>>>,
}

impl RuleSets {
    /// None yet.
    #[must_use]
    pub fn new(compile: CompileRules) -> Self {
        Self { compile, compiled: Mutex::default() }
    }

    /// The rule set of a number that a partition is under, from the store unless it was used before; number 0 is before the first.
    pub(crate) fn get(&self, number: u32, partition: u16, store: &Store) -> Result<Arc<RuleSet>, LiveError> {
        if number == 0 {
            return Ok(Arc::new(RuleSet::new(0, Vec::new(), Settings::default())));
        }
        if let Some(rules) = self.known().get(&number) {
            return Ok(rules.clone());
        }
        let text = store.input(&name(number))?.ok_or(LiveError::RuleText { partition, rule_set: number })?;
        self.compile(number, &String::from_utf8_lossy(&text))
    }

    /// Compiles a rule set that the journal publishes.
    pub(crate) fn compile(&self, number: u32, text: &str) -> Result<Arc<RuleSet>, LiveError> {
        if let Some(rules) = self.known().get(&number) {
            return Ok(rules.clone());
        }
        let rules = Arc::new((self.compile)(text, number).map_err(|reason| JournalError::Rules { number, reason })?);
        self.known().insert(number, rules.clone());
        Ok(rules)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, BTreeMap<u32, Arc<RuleSet>>> {
        // Entries are whole before they are put in, so a thread that panicked cannot have left one in between.
        self.compiled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps the text of a rule set.
pub(crate) fn put(commit: &mut Commit, number: u32, text: &str) {
    commit.put_input(&name(number), text.as_bytes());
}

/// The number of the rule set before one, as far as the store knows.
pub(crate) fn number_before(number: u32, store: &Store) -> Result<u32, StoreError> {
    let mut before = 0;
    for input in store.inputs() {
        let known = input?.0.strip_prefix(NAME_PREFIX).and_then(|number| number.parse().ok()).unwrap_or(0);
        if known < number {
            before = before.max(known);
        }
    }
    Ok(before)
}

/// The texts that a partition under a rule set may need, to keep beside a snapshot of it: of that one, and of the one before.
///
/// # Errors
///
/// When the store cannot be read.
pub fn rule_texts(number: u32, store: &Store) -> Result<Value, StoreError> {
    let mut texts = serde_json::Map::new();
    for number in [number, number_before(number, store)?] {
        if let Some(text) = store.input(&name(number))? {
            texts.insert(number.to_string(), String::from_utf8_lossy(&text).into());
        }
    }
    Ok(json!({ "rule_set": number, "rule_sets": texts }))
}

/// Puts the texts that stand beside a snapshot into the store, which has to know them before the states that were made under them.
///
/// # Errors
///
/// [`SnapshotError::Damaged`] when they are not all there, and others when the store cannot be written.
pub fn keep_rule_texts(manifest: &Manifest, store: &Store) -> Result<(), SnapshotError> {
    let damaged = || DamagedSnapshot { name: manifest.name(), reason: "the text of its rule set is not beside it".to_owned() };
    let texts = manifest.attachment["rule_sets"].as_object().ok_or_else(damaged)?;
    let in_force = manifest.attachment["rule_set"].as_u64().ok_or_else(damaged)?;
    if in_force > 0 && !texts.contains_key(&in_force.to_string()) {
        return Err(damaged().into());
    }
    let mut commit = Commit::new();
    for (number, text) in texts {
        let number = number.parse().map_err(|_| damaged())?;
        put(&mut commit, number, text.as_str().ok_or_else(damaged)?);
    }
    Ok(store.commit(commit, Durability::Synced)?)
}

const NAME_PREFIX: &str = "rule-set/";

fn name(number: u32) -> String {
    format!("{NAME_PREFIX}{number}")
}
