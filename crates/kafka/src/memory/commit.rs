//! A transaction, message by message, as a client of Kafka sends it. Each message is a step at which the plan may intervene.

use std::collections::BTreeMap;

use super::Cluster;
use super::client::MemoryClient;
use super::cluster::Fate;
use super::log::Record;
use super::plan::Message;
use super::state::{Life, State};
use super::transactions::{Session, Target};
use crate::batch::TopicPartition;
use crate::error::{CommitError, KafkaError, Remedy};
use crate::transaction::{Outgoing, Transaction};

/// The most records in one [`Message::Produce`].
const PRODUCE_RECORDS_MAX: usize = 16;

/// Records by partition, in the order in which they were given.
type Routed = BTreeMap<TopicPartition, Vec<Record>>;

/// The offset behind the last record of each partition.
pub(super) type Places = Vec<(TopicPartition, u64)>;

impl MemoryClient {
    /// See [`crate::Client::commit_and_place`].
    pub(super) fn write_transaction(&mut self, transaction: &Transaction) -> Result<Places, CommitError> {
        let outcome = self.attempt(transaction);
        self.lost |= matches!(outcome, Err(CommitError::Lost(_)));
        outcome
    }

    fn attempt(&self, transaction: &Transaction) -> Result<Places, CommitError> {
        self.cluster.lock().reachable(&self.life).map_err(CommitError::Lost)?;
        if self.lost {
            return Err(CommitError::Lost(self.error(Remedy::Rebuild, "committing", "the client was not rebuilt after an earlier error")));
        }
        if transaction.is_empty() {
            return Ok(Places::new());
        }
        let records = self.route(transaction).map_err(CommitError::NotCommitted)?;
        match self.send(records, transaction) {
            // Kafka calls this an abortable error: the transaction is open, and it is for the client to end it.
            Err(CommitError::NotCommitted(error)) => {
                self.end(false)?;
                Err(CommitError::NotCommitted(error))
            }
            outcome => outcome,
        }
    }

    /// Finds the partition of each record, from metadata, before anything is sent.
    fn route(&self, transaction: &Transaction) -> Result<Routed, KafkaError> {
        let state = &mut *self.cluster.lock();
        let mut routed = Routed::new();
        transaction.each(|outgoing| {
            let at = state.topics.choose(outgoing.topic, outgoing.partition, outgoing.key, &mut state.random)?;
            routed.entry(at).or_default().push(record(outgoing, state.now_ms));
            Ok(())
        })?;
        Ok(routed)
    }

    fn send(&self, records: Routed, transaction: &Transaction) -> Result<Places, CommitError> {
        // As long as the last transaction is being ended, the coordinator lets none begin.
        self.cluster.finish(&self.session);
        if !records.is_empty() {
            self.request(Message::AddPartitionsToTxn, |state, session| {
                let targets: Result<Vec<_>, _> = records.keys().map(|at| target(state, at)).collect();
                state.transactions.add(session, targets?)
            })
            .map_err(abortable)?;
        }
        let mut places = Places::new();
        for (at, records) in records {
            let mut behind = 0;
            for part in records.chunks(PRODUCE_RECORDS_MAX) {
                self.request(Message::Produce, |state, session| {
                    behind = produce(state, session, &at, part)?;
                    Ok(())
                })
                .map_err(abortable)?;
                self.response(Message::ProduceResponse).map_err(abortable)?;
            }
            places.push((at, behind));
        }
        if !transaction.offsets().is_empty() {
            self.send_offsets(transaction)?;
        }
        self.end(true)?;
        Ok(places)
    }

    fn send_offsets(&self, transaction: &Transaction) -> Result<(), CommitError> {
        let (group, membership) = (&self.options.group, self.membership());
        self.request(Message::AddOffsetsToTxn, |state, session| state.transactions.add(session, [Target::Offsets(group.clone())]))?;
        self.request(Message::TxnOffsetCommit, |state, session| {
            state.transactions.verify(session, &Target::Offsets(group.clone()))?;
            let group = state.groups.entry(group.clone()).or_default();
            group.verify(membership)?;
            group.offsets.add(session.producer, transaction.offsets())
        })
        .map_err(Failure::into_error)
    }

    fn end(&self, commit: bool) -> Result<(), CommitError> {
        self.request(Message::EndTxn, |state, session| state.transactions.end(session, commit))?;
        self.response(Message::EndTxnResponse)?;
        Ok(())
    }

    /// Sends a message that has an effect, if it arrives.
    fn request(&self, message: Message, effect: impl FnOnce(&mut State, &Session) -> Result<(), CommitError>) -> Result<(), Failure> {
        let fate = self.cluster.step(&self.life, message).map_err(|error| Failure::Answer(CommitError::Lost(error)))?;
        if fate == Fate::RequestLost {
            return Err(self.timed_out(message));
        }
        let outcome = effect(&mut self.cluster.lock(), &self.session);
        if fate == Fate::ResponseLost { Err(self.timed_out(message)) } else { outcome.map_err(Failure::Answer) }
    }

    /// Waits for what was done already.
    fn response(&self, message: Message) -> Result<(), Failure> {
        self.request(message, |_, _| Ok(()))
    }

    fn timed_out(&self, message: Message) -> Failure {
        Failure::Silence(self.error(Remedy::Rebuild, &format!("waiting for {message:?}"), "timed out"))
    }

    fn error(&self, remedy: Remedy, what: &str, cause: &str) -> KafkaError {
        KafkaError::new(remedy, format!("{what} as {}", self.options.transactional_id), cause)
    }
}

/// Takes a transactional id over, and waits until what was open under it has ended.
pub(super) fn init(cluster: &Cluster, life: &Life, transactional_id: &str) -> Result<Session, KafkaError> {
    let fate = cluster.step(life, Message::InitProducerId)?;
    let timed_out = || KafkaError::new(Remedy::Retry, format!("initialising the producer {transactional_id}"), "timed out");
    if fate == Fate::RequestLost {
        return Err(timed_out());
    }
    loop {
        let session = {
            let mut state = cluster.lock();
            state.reachable(life)?;
            state.transactions.init(transactional_id, life)
        };
        match session {
            Some(session) => return if fate == Fate::Answered { Ok(session) } else { Err(timed_out()) },
            None => cluster.write_marker(Some(transactional_id)),
        };
    }
}

/// Why a message did not do what it should.
enum Failure {
    /// The broker said so.
    Answer(CommitError),
    /// Nobody knows whether it arrived.
    Silence(KafkaError),
}

impl Failure {
    fn into_error(self) -> CommitError {
        match self {
            Self::Answer(error) => error,
            Self::Silence(error) => CommitError::Lost(error),
        }
    }
}

impl From<Failure> for CommitError {
    fn from(failure: Failure) -> Self {
        failure.into_error()
    }
}

/// Silence after records is no doubt about the outcome: the transaction is aborted, whether they arrived or not.
fn abortable(failure: Failure) -> CommitError {
    match failure {
        Failure::Answer(error) => error,
        Failure::Silence(error) => CommitError::NotCommitted(KafkaError { remedy: Remedy::Retry, ..error }),
    }
}

fn record(outgoing: &Outgoing<'_>, now_ms: i64) -> Record {
    let headers = outgoing.headers.iter().map(|(name, value)| ((*name).to_owned(), value.map(<[u8]>::to_vec))).collect();
    let (key, value) = (outgoing.key.map(<[u8]>::to_vec), outgoing.value.map(<[u8]>::to_vec));
    Record { offset: 0, timestamp_ms: outgoing.timestamp_ms.unwrap_or(now_ms), key, value, headers }
}

fn target(state: &State, at: &TopicPartition) -> Result<Target, CommitError> {
    state.topics.log(at).map_err(CommitError::NotCommitted)?;
    Ok(Target::Partition(at.clone(), state.topics.id(&at.topic).unwrap_or_default()))
}

/// Returns the offset behind the last of them.
fn produce(state: &mut State, session: &Session, at: &TopicPartition, records: &[Record]) -> Result<u64, CommitError> {
    let target = target(state, at)?;
    state.transactions.verify(session, &target)?;
    let mut behind = 0;
    for record in records {
        let appended = state.topics.append(at, record.clone(), Some(session.producer), state.now_ms);
        behind = appended.map_err(CommitError::NotCommitted)? + 1;
    }
    Ok(behind)
}
