//! The handle that tests hold: brokers, coordinators, clock and fault plan behind one lock.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::client::{ClientOptions, MemoryClient};
use super::plan::{Fault, Fired, Message, Plan};
use super::state::{Life, State};
use super::topics::TimestampType;
use crate::batch::TopicPartition;
use crate::error::KafkaError;

/// A Kafka in memory. Clones are the same one; it may be used from several threads.
#[derive(Clone, Debug)]
pub struct Cluster {
    state: Arc<Mutex<State>>,
}

/// What happens to a message that its client has sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Answered,
    RequestLost,
    ResponseLost,
}

impl Cluster {
    /// An empty cluster whose clock stands at 0. The seed decides the order of markers, of what is read from several partitions, and
    /// where records without a key go.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: Arc::new(Mutex::new(State::new(seed))) }
    }

    /// Another one that stands where this one does, without its plan: what happens in one from now on does not in the other. Clients stay
    /// with theirs.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self { state: Arc::new(Mutex::new(self.lock().copy())) }
    }

    /// A client, whose producer is initialised: what an earlier one of the same transactional id left open is ended.
    ///
    /// # Errors
    ///
    /// When the plan has it so.
    pub fn client(&self, options: ClientOptions) -> Result<MemoryClient, KafkaError> {
        let life = self.lock().begin_life(&options.client_id);
        MemoryClient::new(self.clone(), life, options)
    }

    /// Replaces the plan. Counted steps and fired faults stay.
    pub fn set_plan(&self, plan: Plan) {
        self.lock().plan = plan;
    }

    /// The faults that happened, in order.
    #[must_use]
    pub fn fired(&self) -> Vec<Fired> {
        self.lock().fired.clone()
    }

    /// How many steps a client has done, in all its lives.
    #[must_use]
    pub fn steps(&self, client_id: &str) -> usize {
        self.lock().messages.get(client_id).map_or(0, Vec::len)
    }

    /// The messages of a client, in all its lives: step 1 is the first.
    #[must_use]
    pub fn messages(&self, client_id: &str) -> Vec<Message> {
        self.lock().messages.get(client_id).cloned().unwrap_or_default()
    }

    /// The time, milliseconds since the epoch.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.lock().now_ms
    }

    /// Sets the clock, backward too.
    pub fn set_now_ms(&self, now_ms: i64) {
        self.lock().now_ms = now_ms;
    }

    /// Creates a topic; groups that subscribe to it are assigned anew.
    ///
    /// # Errors
    ///
    /// When it exists, or would have no partition.
    pub fn create_topic(&self, name: &str, partitions: usize, timestamps: TimestampType) -> Result<(), KafkaError> {
        let mut state = self.lock();
        state.topics.create(name, partitions, timestamps)?;
        state.rebalance(name);
        Ok(())
    }

    /// Deletes a topic with its records and the offsets that groups have committed for it.
    ///
    /// # Errors
    ///
    /// When it does not exist.
    pub fn delete_topic(&self, name: &str) -> Result<(), KafkaError> {
        let mut state = self.lock();
        state.delete_topic(name)?;
        state.rebalance(name);
        Ok(())
    }

    /// Deletes a topic and makes it anew before any client notices: each reads on where it was.
    ///
    /// # Errors
    ///
    /// When it does not exist, or would have no partition.
    pub fn replace_topic(&self, name: &str, partitions: usize, timestamps: TimestampType) -> Result<(), KafkaError> {
        let mut state = self.lock();
        state.delete_topic(name)?;
        state.topics.create(name, partitions, timestamps)
    }

    /// Deletes the records before an offset, as retention does.
    ///
    /// # Errors
    ///
    /// When the partition does not exist.
    pub fn delete_records(&self, at: &TopicPartition, before: u64) -> Result<(), KafkaError> {
        self.lock().topics.log_mut(at)?.delete_before(before);
        Ok(())
    }

    /// Kills the latest client of this name, between two steps. It stays a member of its group until [`Cluster::expire`], and its
    /// transaction stays open. Returns whether there was one alive.
    pub fn crash(&self, client_id: &str) -> bool {
        self.lock().crash(client_id)
    }

    /// The session of a client is over: its group declares it dead, whether it is or only stalls. If several members have this
    /// name, it is the one that joined first. Returns whether there was one.
    pub fn expire(&self, client_id: &str) -> bool {
        let State { groups, topics, .. } = &mut *self.lock();
        groups.values_mut().any(|group| {
            let found = group.members.iter().find(|(_, member)| &*member.life.client_id == client_id);
            found.map(|(id, _)| *id).is_some_and(|id| group.remove(id, topics))
        })
    }

    /// Every open transaction has taken too long: it is aborted, and its producer fenced. Returns how many there were.
    pub fn time_out_transactions(&self) -> usize {
        self.lock().transactions.time_out()
    }

    /// Takes all brokers down, or brings them back: meanwhile no call of a client succeeds, and no marker is written.
    pub fn set_down(&self, is_down: bool) {
        self.lock().is_down = is_down;
    }

    /// Counts a step of a client, and lets happen what is planned there.
    pub(super) fn step(&self, life: &Life, message: Message) -> Result<Fate, KafkaError> {
        let planned = {
            let mut state = self.lock();
            state.reachable(life)?;
            let planned = state.count(life, message);
            state.reachable(life)?;
            planned
        };
        match planned {
            Some((Fault::LoseRequest, _)) => return Ok(Fate::RequestLost),
            Some((Fault::LoseResponse, _)) => return Ok(Fate::ResponseLost),
            Some((_, Some(hook))) => hook(self),
            Some((_, None)) | None => {}
        }
        self.lock().reachable(life)?;
        Ok(Fate::Answered)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A topic came or went.
    fn rebalance(&mut self, topic: &str) {
        for group in self.groups.values_mut() {
            if group.members.values().any(|member| member.topics.iter().any(|subscribed| subscribed == topic)) {
                group.rebalance(&self.topics);
            }
        }
    }
}
