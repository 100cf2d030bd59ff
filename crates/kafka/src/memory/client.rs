//! The client of the log in memory: a member of a group, and a producer of transactions.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Cluster;
use super::cluster::Fate;
use super::commit::init;
use super::groups::{Group, MemberId, Membership};
use super::plan::Message;
use super::reading::{first, read};
use super::state::{Life, State};
use super::transactions::Session;
use crate::batch::{Batch, TopicPartition};
use crate::client::{Client, CommittedOffset, Polled};
use crate::error::{CommitError, KafkaError, Remedy};
use crate::statistics::ClientStatistics;
use crate::transaction::Transaction;

/// How a client introduces itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientOptions {
    /// Its consumer group.
    pub group: String,
    /// The name under which its steps are counted.
    pub client_id: String,
    /// The name of its producer; the next one of the same name fences it.
    pub transactional_id: String,
    /// The topics that it reads. Without any it joins no group.
    pub subscription: Vec<String>,
}

/// A client of a [`Cluster`]. Dropped alive, it leaves its group.
#[derive(Debug)]
pub struct MemoryClient {
    pub(super) cluster: Cluster,
    pub(super) life: Life,
    pub(super) options: ClientOptions,
    pub(super) session: Session,
    /// Set when the producer is of no use any more.
    pub(super) lost: bool,
    member: Option<MemberId>,
    /// Assigned, and not yet answered.
    awaited: BTreeSet<TopicPartition>,
    positions: BTreeMap<TopicPartition, u64>,
    paused: BTreeSet<TopicPartition>,
}

impl MemoryClient {
    pub(super) fn new(cluster: Cluster, life: Life, options: ClientOptions) -> Result<Self, KafkaError> {
        let session = init(&cluster, &life, &options.transactional_id)?;
        let (awaited, positions, paused) = (BTreeSet::new(), BTreeMap::new(), BTreeSet::new());
        Ok(Self { cluster, life, options, session, lost: false, member: None, awaited, positions, paused })
    }

    /// Who the group's coordinator will be told is committing, as things are now.
    pub(super) fn membership(&self) -> Membership {
        let state = self.cluster.lock();
        let generation = state.groups.get(&self.options.group).map_or(0, Group::generation);
        self.member.map(|member| (member, generation))
    }

    /// What changed in the assignment since the last poll; joins the group first if this client is no member.
    fn rebalance(&mut self, state: &mut State) -> Polled {
        let State { groups, topics, .. } = state;
        let group = groups.entry(self.options.group.clone()).or_default();
        let known = self.member.filter(|member| group.members.contains_key(member));
        let held: Vec<TopicPartition> = self.awaited.iter().chain(self.positions.keys()).cloned().collect();
        let told = match known {
            None if !held.is_empty() => {
                self.member = None;
                Polled::Revoked(held)
            }
            None => {
                let member = group.join(&self.life, &self.options.subscription, topics);
                self.member = Some(member);
                group.tell(member)
            }
            Some(member) => group.tell(member),
        };
        match &told {
            Polled::Assigned(coming) => self.awaited.extend(coming.iter().cloned()),
            Polled::Revoked(gone) => {
                self.awaited.retain(|at| !gone.contains(at));
                self.positions.retain(|at, _| !gone.contains(at));
                self.paused.retain(|at| !gone.contains(at));
            }
            Polled::Records => {}
        }
        told
    }

    fn leave(&mut self) {
        self.awaited.clear();
        self.positions.clear();
        self.paused.clear();
        let mut state = self.cluster.lock();
        let State { groups, topics, .. } = &mut *state;
        if let (Some(member), Some(group)) = (self.member.take(), groups.get_mut(&self.options.group)) {
            group.remove(member, topics);
        }
    }
}

impl Client for MemoryClient {
    fn poll(&mut self, batch: &mut Batch, max_records: usize, max_bytes: usize, timeout: Duration) -> Result<Polled, KafkaError> {
        let cluster = self.cluster.clone();
        for may_wait in [!timeout.is_zero(), false] {
            {
                let mut state = cluster.lock();
                state.reachable(&self.life)?;
                let polled = if self.options.subscription.is_empty() { Polled::Records } else { self.rebalance(&mut state) };
                if polled != Polled::Records {
                    return Ok(polled);
                }
                read(&mut state, &mut self.positions, &self.paused, batch, max_records, max_bytes)?;
            }
            let full = batch.len() >= max_records || batch.size_bytes() >= max_bytes;
            // Waiting gives the brokers the time for a marker, and that may be what was waited for.
            if full || !may_wait || !cluster.tick() {
                break;
            }
        }
        Ok(Polled::Records)
    }

    fn assign(&mut self, starts: &[(TopicPartition, u64)]) -> Result<(), KafkaError> {
        let state = self.cluster.lock();
        state.reachable(&self.life)?;
        let group = state.groups.get(&self.options.group);
        let member = self.member.and_then(|member| group?.members.get(&member));
        for (at, start) in starts {
            let what = format!("starting at {at}, offset {start}");
            if !self.awaited.contains(at) {
                return Err(KafkaError::new(Remedy::Stop, what, "it is no answer to an assignment"));
            }
            if !member.is_some_and(|member| member.owned.contains(at)) {
                return Err(KafkaError::new(Remedy::Retry, what, "the assignment is over"));
            }
        }
        for (at, start) in starts {
            self.awaited.remove(at);
            self.positions.insert(at.clone(), *start);
        }
        Ok(())
    }

    fn seek(&mut self, starts: &[(TopicPartition, u64)]) -> Result<(), KafkaError> {
        self.cluster.lock().reachable(&self.life)?;
        if let Some((at, start)) = starts.iter().find(|(at, _)| !self.positions.contains_key(at)) {
            return Err(KafkaError::new(Remedy::Retry, format!("going to {at}, offset {start}"), "the partition is not assigned"));
        }
        self.positions.extend(starts.iter().cloned());
        Ok(())
    }

    fn pause(&mut self, partitions: &[TopicPartition]) -> Result<(), KafkaError> {
        self.paused.extend(partitions.iter().filter(|at| self.positions.contains_key(*at)).cloned());
        Ok(())
    }

    fn resume(&mut self, partitions: &[TopicPartition]) -> Result<(), KafkaError> {
        self.paused.retain(|at| !partitions.contains(at));
        Ok(())
    }

    fn committed(&mut self, partitions: &[TopicPartition]) -> Result<Vec<Option<CommittedOffset>>, KafkaError> {
        let what = || format!("reading the offsets of the group {}", self.options.group);
        if self.cluster.step(&self.life, Message::OffsetFetch)? != Fate::Answered {
            return Err(KafkaError::new(Remedy::Retry, what(), "timed out"));
        }
        loop {
            let ending = {
                let state = self.cluster.lock();
                state.reachable(&self.life)?;
                let offsets = state.groups.get(&self.options.group).map(|group| &group.offsets);
                let Some(producer) = offsets.and_then(|offsets| offsets.unstable(partitions)) else {
                    return Ok(partitions.iter().map(|at| offsets?.committed().get(at).cloned()).collect());
                };
                state.transactions.ending(producer).map(str::to_owned)
            };
            // The broker says "unstable", and the client asks again until it is told, or until its patience ends.
            let Some(ending) = ending else {
                return Err(KafkaError::new(Remedy::Retry, what(), "unstable: a transaction with offsets of these partitions is open"));
            };
            self.cluster.write_marker(Some(&ending));
        }
    }

    fn at_end(&mut self, partitions: &[TopicPartition]) -> Result<Vec<(TopicPartition, u64)>, KafkaError> {
        let state = self.cluster.lock();
        match state.reachable(&self.life) {
            Err(error) if error.remedy == Remedy::Retry => return Ok(Vec::new()),
            reachable => reachable?,
        }
        let end = |at: &TopicPartition| {
            let (position, log) = (*self.positions.get(at)?, state.topics.log(at).ok()?);
            log.committed_from(position).next().is_none().then(|| (at.clone(), log.last_stable().max(position)))
        };
        Ok(partitions.iter().filter_map(end).collect())
    }

    fn subscribed_partitions(&mut self) -> Result<Vec<TopicPartition>, KafkaError> {
        let state = self.cluster.lock();
        state.reachable(&self.life)?;
        let mut found = Vec::new();
        for topic in &self.options.subscription {
            found.extend(state.topics.partitions(topic)?);
        }
        found.sort_unstable();
        Ok(found)
    }

    fn read_some(&mut self, at: &TopicPartition, offset: u64, max_records: usize) -> Result<Batch, KafkaError> {
        let state = self.cluster.lock();
        state.reachable(&self.life)?;
        first(&state, at, offset, max_records)
    }

    fn bounds(&mut self, at: &TopicPartition) -> Result<(u64, u64), KafkaError> {
        let state = self.cluster.lock();
        state.reachable(&self.life)?;
        let log = state.topics.log(at)?;
        Ok((log.start(), log.last_stable()))
    }

    fn commit(&mut self, transaction: &Transaction) -> Result<(), CommitError> {
        self.write_transaction(transaction).map(|_| ())
    }

    fn commit_and_place(&mut self, transaction: &Transaction) -> Result<Vec<(TopicPartition, u64)>, CommitError> {
        self.write_transaction(transaction)
    }

    fn has_assignment(&self) -> bool {
        let state = self.cluster.lock();
        let group = state.groups.get(&self.options.group);
        self.member.is_some_and(|member| group.is_some_and(|group| group.members.contains_key(&member)))
    }

    fn statistics(&self) -> Vec<ClientStatistics> {
        Vec::new()
    }

    fn rebuild(&mut self) -> Result<(), KafkaError> {
        self.cluster.lock().reachable(&self.life)?;
        self.leave();
        self.session = init(&self.cluster, &self.life, &self.options.transactional_id)?;
        self.lost = false;
        Ok(())
    }
}

impl Drop for MemoryClient {
    fn drop(&mut self) {
        let alive = self.cluster.lock().is_alive(&self.life);
        if alive {
            self.leave();
        }
    }
}
