//! Questions to the cluster, apart from what is being polled: by a consumer that belongs to the group only by name.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError as Cause, RDKafkaErrorCode as Code};
use rdkafka::{Offset, TopicPartitionList};
use regex::Regex;

use super::callbacks::PlainCallbacks;
use super::classify::{classify, is_unknown};
use super::consume::{offset, push};
use super::lists::{self, list, list_with_offsets};
use super::options::{BrokerOptions, ConnectionOptions};
use super::troubles::{Troubles, patiently};
use crate::batch::{Batch, TopicPartition};
use crate::client::CommittedOffset;
use crate::error::{KafkaError, Remedy};

/// How long to listen for the reason why there is no answer.
pub(crate) const LISTEN: Duration = Duration::from_millis(10);

/// How long to wait for the ends of partitions: they are asked for again soon.
const ENDS_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a partition may be unknown before it is missing: a broker that starts does not know all of them at once.
const UNKNOWN_AT_START: Duration = Duration::from_secs(5);

/// A consumer that asks.
pub(super) struct Lookup {
    consumer: BaseConsumer<PlainCallbacks>,
    /// It sees what is not committed too, and is only asked for ends.
    uncommitted: BaseConsumer<PlainCallbacks>,
    connection: ConnectionOptions,
    patterns: Vec<Regex>,
}

impl Lookup {
    pub(super) fn new(options: &BrokerOptions) -> Result<Self, KafkaError> {
        let mut config = options.connection.reader_config(&options.group_id)?;
        // It mostly reads single records, or finds that there are none: a broker need not wait until there are some.
        config.set("queued.min.messages", "1").set("queued.max.messages.kbytes", "1024").set("fetch.wait.max.ms", "10");
        let wrong = |cause: Cause| Troubles::default().explain("starting a consumer for questions", &cause);
        let consumer = config.create_with_context(PlainCallbacks::default()).map_err(wrong)?;
        let uncommitted =
            config.set("isolation.level", "read_uncommitted").create_with_context(PlainCallbacks::default()).map_err(wrong)?;
        Ok(Self { consumer, uncommitted, connection: options.connection.clone(), patterns: options.patterns()? })
    }

    fn explain(&self, what: impl Into<String>, cause: &Cause) -> KafkaError {
        self.consumer.context().troubles.explain(what, cause)
    }

    /// Asks, and listens to what librdkafka tells aside if there is no answer.
    fn ask<T>(&self, what: impl Fn() -> String, mut question: impl FnMut(Duration) -> Result<T, Cause>) -> Result<T, KafkaError> {
        let ask = |timeout| {
            let answer = question(timeout);
            while answer.is_err() && self.consumer.poll(LISTEN).is_some() {}
            answer
        };
        patiently(&self.connection, &self.consumer.context().troubles, ask).map_err(|cause| self.explain(what(), &cause))
    }

    /// Waits for transactions that are being committed, since the consumer is one of committed records only.
    pub(super) fn committed(&self, partitions: &[TopicPartition]) -> Result<Vec<Option<CommittedOffset>>, KafkaError> {
        self.committed_by(&self.consumer, partitions)
    }

    /// Waits for no transaction.
    pub(super) fn committed_so_far(&self, partitions: &[TopicPartition]) -> Result<Vec<Option<CommittedOffset>>, KafkaError> {
        self.committed_by(&self.uncommitted, partitions)
    }

    fn committed_by(
        &self,
        consumer: &BaseConsumer<PlainCallbacks>,
        partitions: &[TopicPartition],
    ) -> Result<Vec<Option<CommittedOffset>>, KafkaError> {
        if partitions.is_empty() {
            return Ok(Vec::new());
        }
        let what = "asking for committed offsets";
        let found = self.ask(|| what.to_owned(), |timeout| consumer.committed_offsets(list(partitions), timeout))?;
        let committed = |at: &TopicPartition| {
            let Some(element) = found.find_partition(&at.topic, at.partition) else { return Ok(None) };
            element.error().map_err(|cause| self.explain(format!("{what} of {at}"), &cause))?;
            Ok(lists::offset(&element).map(|offset| CommittedOffset { offset, metadata: element.metadata().to_owned() }))
        };
        partitions.iter().map(committed).collect()
    }

    pub(super) fn bounds(&self, at: &TopicPartition) -> Result<(u64, u64), KafkaError> {
        let what = || format!("asking for the bounds of {at}");
        let missing_from = Instant::now() + UNKNOWN_AT_START.min(self.connection.timeout / 2);
        let question = |timeout| match self.consumer.fetch_watermarks(&at.topic, at.partition, timeout) {
            Err(cause) if is_unknown(&cause) && Instant::now() < missing_from => Err(Cause::MetadataFetch(Code::LeaderNotAvailable)),
            answer => answer,
        };
        let (first, end) = self.ask(what, question)?;
        Ok((u64::try_from(first).unwrap_or_default(), u64::try_from(end).unwrap_or_default()))
    }

    /// For each partition the offset behind its last record, if all before it is decided: a transaction that is still open, or of which the mark is
    /// not written yet, may bring records that are older than now. None if it is not so, or the leader does not answer.
    pub(super) fn ends(&self, partitions: &[TopicPartition]) -> Vec<Option<u64>> {
        let written = self.ends_by(&self.uncommitted, partitions);
        let decided = self.ends_by(&self.consumer, partitions);
        written
            .into_iter()
            .zip(decided)
            .map(|(written, decided)| written.filter(|end| decided.is_some_and(|decided| decided >= *end)))
            .collect()
    }

    fn ends_by(&self, consumer: &BaseConsumer<PlainCallbacks>, partitions: &[TopicPartition]) -> Vec<Option<u64>> {
        let mut list = TopicPartitionList::with_capacity(partitions.len());
        for at in partitions {
            // In place of a time it stands for the end.
            let asked = list.add_partition(&at.topic, at.partition).set_offset(Offset::End);
            debug_assert!(asked.is_ok());
        }
        let found = consumer.offsets_for_times(list, self.connection.timeout.min(ENDS_TIMEOUT)).unwrap_or_default();
        let end = |at: &TopicPartition| found.find_partition(&at.topic, at.partition).filter(|element| element.error().is_ok());
        partitions.iter().map(|at| end(at).and_then(|element| lists::offset(&element))).collect()
    }

    /// The first committed records at or behind an offset that exists, until the end of the partition.
    pub(super) fn read_some(&self, at: &TopicPartition, from: u64, max_records: usize) -> Result<Batch, KafkaError> {
        let what = || format!("reading records of {at}");
        self.consumer.assign(&list_with_offsets([(at, from)])?).map_err(|cause| self.explain(what(), &cause))?;
        let found = self.await_some(from, max_records).map_err(|cause| self.explain(what(), &cause));
        self.consumer.unassign().map_err(|cause| self.explain(what(), &cause))?;
        found
    }

    fn await_some(&self, from: u64, max_records: usize) -> Result<Batch, Cause> {
        let mut deadline = Instant::now() + self.connection.timeout;
        let mut batch = Batch::default();
        loop {
            let remaining = deadline.saturating_duration_since(Instant::now());
            match self.consumer.poll(remaining) {
                Some(Ok(message)) if offset(&message) >= from => {
                    push(&mut batch, &message);
                    if batch.len() >= max_records {
                        return Ok(batch);
                    }
                    deadline = Instant::now() + self.connection.timeout;
                }
                Some(Err(Cause::PartitionEOF(_))) => return Ok(batch),
                Some(Err(cause)) if is_about_this(&cause) => return Err(cause),
                None if remaining.is_zero() => return Err(Cause::MessageConsumption(Code::OperationTimedOut)),
                Some(_) | None => {}
            }
        }
    }

    pub(super) fn partitions_of(&self, options: &BrokerOptions) -> Result<Vec<TopicPartition>, KafkaError> {
        let mut found = Vec::new();
        for topic in options.topics() {
            self.add_partitions(Some(topic), |_| true, &mut found)?;
        }
        if !self.patterns.is_empty() {
            self.add_partitions(None, |name| self.patterns.iter().any(|pattern| pattern.is_match(name)), &mut found)?;
        }
        found.sort();
        found.dedup();
        Ok(found)
    }

    fn add_partitions(
        &self,
        topic: Option<&str>,
        wanted: impl Fn(&str) -> bool,
        found: &mut Vec<TopicPartition>,
    ) -> Result<(), KafkaError> {
        let what = || format!("asking for the partitions of {}", topic.unwrap_or("all topics"));
        let metadata = self.ask(what, |timeout| self.consumer.fetch_metadata(topic, timeout))?;
        for about in metadata.topics().iter().filter(|about| wanted(about.name())) {
            match about.error().map(Code::from) {
                Some(code) if topic.is_some() => return Err(self.explain(what(), &Cause::MetadataFetch(code))),
                Some(_) => {}
                None => found.extend(about.partitions().iter().map(|partition| TopicPartition::new(about.name(), partition.id()))),
            }
        }
        Ok(())
    }
}

/// Connections come and go, and nobody asked for the group.
pub(super) fn is_about_this(cause: &Cause) -> bool {
    let about_the_group = matches!(cause.rdkafka_error_code(), Some(Code::GroupAuthorizationFailed));
    classify(cause).remedy != Remedy::Retry && !about_the_group
}
