//! A consumer group: its members, its generation, and the handing over of partitions from one to the other.

use std::collections::{BTreeMap, BTreeSet};

use super::assignment::assign;
use super::offsets::Offsets;
use super::state::Life;
use super::topics::Topics;
use crate::batch::TopicPartition;
use crate::client::Polled;
use crate::error::{CommitError, KafkaError, Remedy};

/// Numbered by joining; who joins again is another member.
pub(super) type MemberId = u64;

/// Who commits: the member, and the generation that it knows. `None` is somebody outside of the group.
pub(super) type Membership = Option<(MemberId, u64)>;

#[derive(Clone, Debug)]
pub(super) struct Member {
    pub life: Life,
    /// The topics that it subscribes to.
    pub topics: Vec<String>,
    /// What it has been told to own and not yet been told to give back: nobody else may have it.
    pub owned: BTreeSet<TopicPartition>,
    /// What it shall own.
    pub target: BTreeSet<TopicPartition>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    generation: u64,
    joined: MemberId,
    pub members: BTreeMap<MemberId, Member>,
    pub offsets: Offsets,
}

impl Group {
    pub fn join(&mut self, life: &Life, subscription: &[String], topics: &Topics) -> MemberId {
        self.joined += 1;
        let member = Member { life: life.clone(), topics: subscription.to_vec(), owned: BTreeSet::new(), target: BTreeSet::new() };
        self.members.insert(self.joined, member);
        self.rebalance(topics);
        self.joined
    }

    /// Takes a member out, whether it leaves or is declared dead. What it owned is free at once.
    pub fn remove(&mut self, member: MemberId, topics: &Topics) -> bool {
        let known = self.members.remove(&member).is_some();
        if known {
            self.rebalance(topics);
        }
        known
    }

    /// Assigns anew, in a new generation, because members or topics have changed.
    pub fn rebalance(&mut self, topics: &Topics) {
        let subscribed: BTreeSet<&String> = self.members.values().flat_map(|member| &member.topics).collect();
        let partitions = subscribed.into_iter().flat_map(|topic| topics.partitions(topic).unwrap_or_default()).collect();
        self.generation += 1;
        assign(&mut self.members, &partitions);
    }

    /// What a member learns at its next poll. Being told to give back comes first; what others still hold waits until they are told.
    pub fn tell(&mut self, id: MemberId) -> Polled {
        let Some(member) = self.members.get(&id) else { return Polled::Records };
        let gone: Vec<TopicPartition> = member.owned.difference(&member.target).cloned().collect();
        let held = |at: &&TopicPartition| self.members.values().any(|other| other.owned.contains(at));
        let coming: Vec<TopicPartition> = member.target.iter().filter(|at| !held(at)).cloned().collect();
        let Some(member) = self.members.get_mut(&id) else { return Polled::Records };
        if !gone.is_empty() {
            member.owned.retain(|at| !gone.contains(at));
            // It joins anew without them, which is what lets the others have them.
            self.generation += 1;
            return Polled::Revoked(gone);
        }
        if coming.is_empty() {
            return Polled::Records;
        }
        member.owned.extend(coming.iter().cloned());
        Polled::Assigned(coming)
    }

    /// The present generation, as a member knows it that beats its heart.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether this member may commit. As in Kafka, who says that it is no member at all may, and is not fenced.
    pub fn verify(&self, membership: Membership) -> Result<(), CommitError> {
        let Some((member, generation)) = membership else { return Ok(()) };
        let refuse = |cause| Err(CommitError::NotCommitted(KafkaError::new(Remedy::Retry, "committing offsets", cause)));
        if !self.members.contains_key(&member) {
            return refuse("unknown member: the group has declared it dead");
        }
        if generation != self.generation {
            return refuse("illegal generation: the group has rebalanced");
        }
        Ok(())
    }
}
