//! What the cluster's lock guards.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::groups::Group;
use super::plan::{Fault, Fired, Hook, Message, Plan};
use super::topics::Topics;
use super::transactions::Transactions;
use crate::error::{KafkaError, Remedy};

/// One life of a client: who comes back under the same name is another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Life {
    pub client_id: Arc<str>,
    pub number: u64,
}

#[derive(Debug)]
pub(super) struct State {
    pub random: fastrand::Rng,
    pub now_ms: i64,
    pub topics: Topics,
    pub transactions: Transactions,
    pub groups: BTreeMap<String, Group>,
    pub plan: Plan,
    pub messages: BTreeMap<Arc<str>, Vec<Message>>,
    pub fired: Vec<Fired>,
    /// Whether no broker answers.
    pub is_down: bool,
    lives: u64,
    latest: BTreeMap<Arc<str>, u64>,
    crashed: BTreeSet<u64>,
}

impl State {
    pub fn new(seed: u64) -> Self {
        Self {
            random: fastrand::Rng::with_seed(seed),
            now_ms: 0,
            topics: Topics::default(),
            transactions: Transactions::default(),
            groups: BTreeMap::new(),
            plan: Plan::default(),
            messages: BTreeMap::new(),
            fired: Vec::new(),
            is_down: false,
            lives: 0,
            latest: BTreeMap::new(),
            crashed: BTreeSet::new(),
        }
    }

    /// The same once more, of which nothing is planned.
    pub fn copy(&self) -> Self {
        Self {
            random: self.random.clone(),
            now_ms: self.now_ms,
            topics: self.topics.clone(),
            transactions: self.transactions.clone(),
            groups: self.groups.clone(),
            plan: Plan::default(),
            messages: self.messages.clone(),
            fired: self.fired.clone(),
            is_down: self.is_down,
            lives: self.lives,
            latest: self.latest.clone(),
            crashed: self.crashed.clone(),
        }
    }

    pub fn begin_life(&mut self, client_id: &str) -> Life {
        self.lives += 1;
        let client_id: Arc<str> = client_id.into();
        self.latest.insert(Arc::clone(&client_id), self.lives);
        Life { client_id, number: self.lives }
    }

    /// Ends the latest life of a client, as a kill does.
    pub fn crash(&mut self, client_id: &str) -> bool {
        self.latest.get(client_id).is_some_and(|number| self.crashed.insert(*number))
    }

    pub fn is_alive(&self, life: &Life) -> bool {
        !self.crashed.contains(&life.number)
    }

    /// Whether a client can do anything: the dead are told that they are, the others whether anybody answers.
    pub fn reachable(&self, life: &Life) -> Result<(), KafkaError> {
        let what = || format!("{} works", life.client_id);
        if !self.is_alive(life) {
            return Err(KafkaError::new(Remedy::Stop, what(), "crashed by the plan"));
        }
        if self.is_down { Err(KafkaError::new(Remedy::Retry, what(), "all brokers are down")) } else { Ok(()) }
    }

    /// Deletes a topic, and what groups have committed for it.
    pub fn delete_topic(&mut self, name: &str) -> Result<(), KafkaError> {
        self.topics.delete(name)?;
        self.groups.values_mut().for_each(|group| group.offsets.forget(name));
        Ok(())
    }

    /// Counts a step, and says what goes wrong there. Who crashes is dead when this returns.
    pub fn count(&mut self, life: &Life, message: Message) -> Option<(Fault, Option<Hook>)> {
        let messages = self.messages.entry(Arc::clone(&life.client_id)).or_default();
        messages.push(message);
        let step = messages.len();
        let (fault, hook) = self.plan.take(&life.client_id, step)?;
        self.fired.push(Fired { client_id: life.client_id.to_string(), step, message, fault });
        if fault == Fault::Crash {
            self.crashed.insert(life.number);
        }
        Some((fault, hook))
    }
}
