//! The client of a real Kafka, by librdkafka: one consumer of a group and one transactional producer in the worker's own thread.

mod callbacks;
mod classify;
mod commit;
mod consume;
mod ends;
mod follower;
mod headers;
mod lists;
mod lookup;
mod namesakes;
mod options;
mod positions;
mod reader;
mod session;
mod statistics;
mod troubles;

use std::time::Duration;

use crate::batch::{Batch, TopicPartition};
use crate::client::{Client, CommittedOffset, Polled};
use crate::error::{CommitError, KafkaError, Remedy};
use crate::statistics::ClientStatistics;
use crate::transaction::Transaction;
use lookup::Lookup;
use namesakes::Namesakes;
use options::Reports;
use session::Session;

pub(crate) use callbacks::PlainCallbacks;
pub use follower::Follower;
pub(crate) use lookup::LISTEN;
pub use options::{BrokerOptions, ConnectionOptions, MAX_RECORD_BYTES, RESERVED_PROPERTIES};
pub use reader::{Place, Reader};
pub(crate) use troubles::patiently;

/// A worker's client of a real Kafka.
///
/// Its calls block, and rebalances happen within [`Client::poll`] alone. Between two polls nobody else is given a partition of this client,
/// unless the group has given the client up; and then the broker refuses its offsets.
pub struct BrokerClient {
    options: BrokerOptions,
    reports: Reports,
    namesakes: Namesakes,
    /// None after a rebuild that failed, and in a client that only asks.
    session: Option<Session>,
    lookup: Lookup,
}

impl BrokerClient {
    /// Connects, ends what an earlier client of the same transactional id left open, and joins the group.
    ///
    /// # Errors
    ///
    /// When the options are wrong, or the brokers do not answer, or refuse.
    pub fn new(options: BrokerOptions) -> Result<Self, KafkaError> {
        Self::open(options, Reports::Failures)
    }

    /// The same, and [`Client::commit_and_place`] works: it takes a report of each record that is written, and not only of those that fail.
    ///
    /// # Errors
    ///
    /// As [`Self::new`].
    pub fn placing(options: BrokerOptions) -> Result<Self, KafkaError> {
        Self::open(options, Reports::All)
    }

    fn open(options: BrokerOptions, reports: Reports) -> Result<Self, KafkaError> {
        let lookup = Lookup::new(&options)?;
        let session = Some(Session::open(&options, reports)?);
        Ok(Self { options, reports, namesakes: Namesakes::default(), session, lookup })
    }

    /// A client that only asks questions: it joins no group, and neither polls nor commits. Asking is what connects it.
    ///
    /// # Errors
    ///
    /// When the options are wrong.
    pub fn asking(options: BrokerOptions) -> Result<Self, KafkaError> {
        let lookup = Lookup::new(&options)?;
        Ok(Self { options, reports: Reports::Failures, namesakes: Namesakes::default(), session: None, lookup })
    }

    fn session(&mut self) -> Result<&mut Session, KafkaError> {
        self.session.as_mut().ok_or_else(not_built)
    }
}

impl Client for BrokerClient {
    fn poll(&mut self, batch: &mut Batch, max_records: usize, max_bytes: usize, timeout: Duration) -> Result<Polled, KafkaError> {
        let polled = self.session()?.poll(batch, max_records, max_bytes, timeout);
        polled.map_err(|error| self.namesakes.weigh(error))
    }

    fn assign(&mut self, starts: &[(TopicPartition, u64)]) -> Result<(), KafkaError> {
        self.session()?.assign(starts)
    }

    fn seek(&mut self, starts: &[(TopicPartition, u64)]) -> Result<(), KafkaError> {
        let timeout = self.options.connection.timeout;
        self.session()?.seek(starts, timeout)
    }

    fn pause(&mut self, partitions: &[TopicPartition]) -> Result<(), KafkaError> {
        self.session()?.pause(partitions)
    }

    fn resume(&mut self, partitions: &[TopicPartition]) -> Result<(), KafkaError> {
        self.session()?.resume(partitions)
    }

    fn committed(&mut self, partitions: &[TopicPartition]) -> Result<Vec<Option<CommittedOffset>>, KafkaError> {
        self.lookup.committed(partitions)
    }

    fn committed_so_far(&mut self, partitions: &[TopicPartition]) -> Result<Vec<Option<CommittedOffset>>, KafkaError> {
        self.lookup.committed_so_far(partitions)
    }

    fn at_end(&mut self, partitions: &[TopicPartition]) -> Result<Vec<(TopicPartition, u64)>, KafkaError> {
        let session = self.session.as_mut().ok_or_else(not_built)?;
        Ok(ends::at_end(session, &self.lookup, partitions))
    }

    fn subscribed_partitions(&mut self) -> Result<Vec<TopicPartition>, KafkaError> {
        self.lookup.partitions_of(&self.options)
    }

    fn read_some(&mut self, at: &TopicPartition, offset: u64, max_records: usize) -> Result<Batch, KafkaError> {
        let (first, end) = self.lookup.bounds(at)?;
        let from = offset.max(first);
        if from >= end { Ok(Batch::default()) } else { self.lookup.read_some(at, from, max_records) }
    }

    fn bounds(&mut self, at: &TopicPartition) -> Result<(u64, u64), KafkaError> {
        self.lookup.bounds(at)
    }

    fn commit(&mut self, transaction: &Transaction) -> Result<(), CommitError> {
        let committed = self.session().map_err(CommitError::Lost)?.commit(transaction);
        committed.map_err(|error| match error {
            CommitError::NotCommitted(error) => CommitError::NotCommitted(self.namesakes.weigh(error)),
            CommitError::Lost(error) => CommitError::Lost(self.namesakes.weigh(error)),
        })
    }

    fn commit_and_place(&mut self, transaction: &Transaction) -> Result<Vec<(TopicPartition, u64)>, CommitError> {
        if self.reports == Reports::Failures {
            let error = KafkaError::new(Remedy::Stop, "telling where records lie", "this client is told of those that fail alone");
            return Err(CommitError::NotCommitted(error));
        }
        let session = self.session().map_err(CommitError::Lost)?;
        // The places are noted by the producer that is going to write, which may be another one after a doubt.
        session.end_doubt()?;
        session.watch_places();
        let committed = self.commit(transaction);
        let places = self.session().map_err(CommitError::Lost)?.take_places();
        committed.map(|()| places)
    }

    fn has_assignment(&self) -> bool {
        self.session.as_ref().is_some_and(Session::has_assignment)
    }

    fn statistics(&self) -> Vec<ClientStatistics> {
        self.session.iter().flat_map(Session::statistics).collect()
    }

    fn rebuild(&mut self) -> Result<(), KafkaError> {
        if let Some(Err(error)) = self.session.as_ref().map(Session::check_name) {
            let error = self.namesakes.weigh(error);
            if error.remedy.is_final() {
                return Err(error);
            }
        }
        self.session = None;
        self.session = Some(Session::open(&self.options, self.reports)?);
        self.namesakes.begin();
        Ok(())
    }
}

fn not_built() -> KafkaError {
    KafkaError::new(Remedy::Rebuild, "using the client", "it only asks, or the last attempt to build it failed")
}
