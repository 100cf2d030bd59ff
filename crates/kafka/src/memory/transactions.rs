//! The coordinator of transactions: who holds which name, in which epoch, and what is still to be told to whom.

use std::collections::{BTreeMap, BTreeSet};

use super::state::Life;
use super::topics::TopicId;
use crate::batch::TopicPartition;
use crate::error::{CommitError, KafkaError, Remedy};

/// The number of a transactional id; it stays, the epoch changes.
pub(super) type ProducerId = u64;

/// What a producer was given, and shows at each step.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub transactional_id: String,
    pub producer: ProducerId,
    pub epoch: u32,
}

/// Where a marker goes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    Partition(TopicPartition, TopicId),
    Offsets(String),
}

/// What the coordinator knows under one transactional id.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub producer: ProducerId,
    epoch: u32,
    pub status: Status,
    /// The client whose steps its markers are.
    pub owner: Life,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// No transaction, or the last one is done.
    Idle,
    /// A transaction has been written to these.
    Open(BTreeSet<Target>),
    /// Its outcome is decided, and these do not know yet.
    Ending { commit: bool, outstanding: BTreeSet<Target> },
}

#[derive(Clone, Debug, Default)]
pub(super) struct Transactions {
    entries: BTreeMap<String, Entry>,
}

impl Transactions {
    /// Takes a name over. `None`: the transaction before must end first, so ask again when its markers are written.
    pub fn init(&mut self, transactional_id: &str, owner: &Life) -> Option<Session> {
        let producer = self.entries.len() as ProducerId + 1;
        let fresh = || Entry { producer, epoch: 0, status: Status::Idle, owner: owner.clone() };
        let entry = self.entries.entry(transactional_id.to_owned()).or_insert_with(fresh);
        match entry.status {
            Status::Ending { .. } => return None,
            Status::Open(_) => {
                // The new epoch keeps the former producer from doing anything more.
                entry.epoch += 1;
                entry.owner = owner.clone();
                entry.end(false);
                return None;
            }
            Status::Idle => {}
        }
        entry.epoch += 1;
        entry.owner = owner.clone();
        Some(Session { transactional_id: transactional_id.to_owned(), producer: entry.producer, epoch: entry.epoch })
    }

    /// Adds partitions or offsets to the transaction of a session, which begins with the first.
    pub fn add(&mut self, session: &Session, targets: impl IntoIterator<Item = Target>) -> Result<(), CommitError> {
        let entry = self.of(session)?;
        match &mut entry.status {
            Status::Idle => entry.status = Status::Open(targets.into_iter().collect()),
            Status::Open(known) => known.extend(targets),
            Status::Ending { .. } => return Err(invalid_state(session)),
        }
        Ok(())
    }

    /// Whether a session may write to a target now: it is the latest, and the target is in its open transaction.
    pub fn verify(&mut self, session: &Session, target: &Target) -> Result<(), CommitError> {
        match &self.of(session)?.status {
            Status::Open(targets) if targets.contains(target) => Ok(()),
            _ => Err(invalid_state(session)),
        }
    }

    /// Decides the open transaction of a session. Its markers are outstanding from now on.
    pub fn end(&mut self, session: &Session, commit: bool) -> Result<(), CommitError> {
        let entry = self.of(session)?;
        if !matches!(entry.status, Status::Open(_)) {
            return Err(invalid_state(session));
        }
        entry.end(commit);
        Ok(())
    }

    /// Aborts every open transaction, as if it had taken too long, and fences its producer. Returns how many there were.
    pub fn time_out(&mut self) -> usize {
        let open = self.entries.values_mut().filter(|entry| matches!(entry.status, Status::Open(_)));
        open.map(|entry| {
            entry.epoch += 1;
            entry.end(false);
        })
        .count()
    }

    /// Whether the transaction that this session ended still has markers outstanding.
    pub fn is_ending(&mut self, session: &Session) -> bool {
        self.of(session).is_ok_and(|entry| matches!(entry.status, Status::Ending { .. }))
    }

    /// The transactional id of a producer whose transaction is decided and not yet told to everybody.
    pub fn ending(&self, producer: ProducerId) -> Option<&str> {
        let found = self.entries.iter().find(|(_, entry)| entry.producer == producer)?;
        matches!(found.1.status, Status::Ending { .. }).then_some(found.0.as_str())
    }

    /// All markers to be written, of one transactional id or of all, in order.
    pub fn outstanding(&self, of: Option<&str>) -> Vec<(String, Target)> {
        let entries = self.entries.iter().filter(|(id, _)| of.is_none_or(|of| of == *id));
        let mut found = Vec::new();
        for (id, entry) in entries {
            if let Status::Ending { outstanding, .. } = &entry.status {
                found.extend(outstanding.iter().map(|target| (id.clone(), target.clone())));
            }
        }
        found
    }

    /// What is known under a transactional id that a marker was outstanding for.
    pub fn entry(&mut self, transactional_id: &str) -> Option<&mut Entry> {
        self.entries.get_mut(transactional_id)
    }

    fn of(&mut self, session: &Session) -> Result<&mut Entry, CommitError> {
        let latest = self.entries.get_mut(&session.transactional_id).filter(|entry| entry.epoch == session.epoch);
        latest.ok_or_else(|| {
            let cause = "fenced: the epoch of the producer is over";
            CommitError::Lost(KafkaError::new(Remedy::Rebuild, format!("writing as {}", session.transactional_id), cause))
        })
    }
}

impl Entry {
    /// Takes a marker off the list; the last one ends the transaction.
    pub fn written(&mut self, target: &Target) {
        if let Status::Ending { outstanding, .. } = &mut self.status {
            outstanding.remove(target);
            if outstanding.is_empty() {
                self.status = Status::Idle;
            }
        }
    }

    fn end(&mut self, commit: bool) {
        if let Status::Open(targets) = &mut self.status {
            self.status = Status::Ending { commit, outstanding: std::mem::take(targets) };
        }
    }
}

fn invalid_state(session: &Session) -> CommitError {
    let what = format!("writing as {}", session.transactional_id);
    CommitError::Lost(KafkaError::new(Remedy::Rebuild, what, "invalid state of the transaction"))
}
