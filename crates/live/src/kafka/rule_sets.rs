//! The rule sets of a journal: compiled once, and kept as text in the store, so that a restart knows them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::settings::Settings;
use bellwether_store::{Commit, Store};

use super::error::JournalError;
use crate::error::LiveError;
use crate::options::CompileRules;

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

    /// The rule set of a number, from the store unless it was used before; number 0 is before the first.
    pub(crate) fn get(&self, number: u32, store: &Store) -> Result<Arc<RuleSet>, LiveError> {
        if number == 0 {
            return Ok(Arc::new(RuleSet::new(0, Vec::new(), Settings::default())));
        }
        if let Some(rules) = self.known().get(&number) {
            return Ok(rules.clone());
        }
        let text = store.input(&name(number))?.ok_or_else(|| LiveError::Damaged(format!("the text of rule set {number} is missing")))?;
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
pub(crate) fn number_before(number: u32, store: &Store) -> Result<u32, LiveError> {
    let mut before = 0;
    for input in store.inputs() {
        let known = input?.0.strip_prefix(NAME_PREFIX).and_then(|number| number.parse().ok()).unwrap_or(0);
        if known < number {
            before = before.max(known);
        }
    }
    Ok(before)
}

const NAME_PREFIX: &str = "rule-set/";

fn name(number: u32) -> String {
    format!("{NAME_PREFIX}{number}")
}
