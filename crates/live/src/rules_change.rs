//! Publishing a changed rule file: a record in every journal partition, and then a review of every customer.

use std::sync::Arc;

use bellwether_store::{Commit, Durability};

use crate::error::LiveError;
use crate::journal::encode_control;
use crate::process_state::RulesState;
use crate::session::{PREVIOUS_RULES_TEXT, RULES_TEXT, Session};

impl Session {
    /// Publishes the given rules if they differ from those in force.
    pub(crate) fn adopt_rules(&mut self) -> Result<(), LiveError> {
        let text = self.options.rules_text.clone();
        let hash = rules_hash(&text);
        if self.state.rules.number > 0 && self.state.rules.hash == hash {
            return Ok(());
        }
        let rules = Arc::new(self.compile(&text, self.state.rules.number + 1)?);
        if self.state.rules.number > 0 && rules.settings.quiet_until != self.rules.settings.quiet_until {
            return Err(LiveError::QuietUntil { given: rules.settings.quiet_until, known: self.rules.settings.quiet_until });
        }
        self.state.rules = RulesState { number: self.state.rules.number + 1, hash };
        let number = self.state.rules.number;
        let mut commit = Commit::new();
        for worker in &self.workers {
            let end = &mut self.state.journal_ends[usize::from(worker.number)];
            let control = serde_json::json!({ "type": "rules.published", "number": number, "text": text });
            commit.append_journal_block(worker.number, *end, &encode_control(worker.partition.header.journal_time, &control));
            *end += 1;
        }
        if let Some(previous) = self.store.input(RULES_TEXT)? {
            commit.put_input(PREVIOUS_RULES_TEXT, &previous);
        }
        commit.put_input(RULES_TEXT, text.as_bytes());
        self.put_process_state(&mut commit);
        self.store.commit(commit, Durability::Synced)?;
        self.metrics.rules_in_force(&rules);
        self.previous_rules = std::mem::replace(&mut self.rules, rules);
        self.review_all()
    }

    /// Brings every partition over the record of the rule set in force, reviewing all its customers.
    pub(crate) fn review_all(&mut self) -> Result<(), LiveError> {
        for index in 0..self.workers.len() {
            self.workers[index].partition.set_rules(self.rules.clone(), Some(self.previous_rules.clone()));
            loop {
                let offset = self.workers[index].position.offset;
                let done = self.workers[index].review_all(&self.store, offset, self.options.limits, None)?;
                self.workers[index].render();
                self.publish_worker(index)?;
                self.commit(Commit::new())?;
                if done {
                    break;
                }
            }
        }
        Ok(())
    }
}

/// The hash by which a change of the rule file is seen.
pub(crate) fn rules_hash(text: &str) -> String {
    format!("{:032x}", xxhash_rust::xxh3::xxh3_128(text.as_bytes()))
}
