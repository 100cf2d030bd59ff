//! What librdkafka calls: rebalances are acknowledged and written down, failed deliveries and statistics are kept. Nothing else happens here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::KafkaError as Cause;
use rdkafka::message::{BorrowedMessage, DeliveryResult};
use rdkafka::producer::ProducerContext;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientContext, Message as _, Statistics, TopicPartitionList};

use super::lists::{list, partitions};
use super::statistics::Latest;
use super::troubles::{self, Troubles};
use crate::batch::TopicPartition;

/// The callbacks of a consumer.
#[derive(Debug, Default)]
pub(super) struct ConsumerCallbacks {
    pub(super) troubles: Troubles,
    pub(super) statistics: Latest,
    rebalances: Mutex<Rebalances>,
}

/// Where the partitions of this member stand. A partition is in at most one of `came`, `waiting` and `reading`.
#[derive(Debug, Default)]
pub(super) struct Rebalances {
    /// Given by the group; the worker has not been told yet.
    pub(super) came: BTreeSet<TopicPartition>,
    /// The worker has been told, and has not said yet where to start.
    pub(super) waiting: BTreeSet<TopicPartition>,
    /// Being read.
    pub(super) reading: BTreeSet<TopicPartition>,
    /// Given up; the worker has not been told yet. It never saw those that were still in `came`.
    pub(super) gone: BTreeSet<TopicPartition>,
    /// Whether the group has said what this member has, if anything, and has not given it up since.
    pub(super) is_assigned: bool,
    /// An answer to the group that librdkafka did not take.
    pub(super) failure: Option<Cause>,
}

impl ConsumerCallbacks {
    pub(super) fn rebalances(&self) -> MutexGuard<'_, Rebalances> {
        self.rebalances.lock().expect("no holder panics")
    }
}

impl ClientContext for ConsumerCallbacks {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        troubles::log(level, facility, message);
    }

    fn stats(&self, statistics: Statistics) {
        self.statistics.put(&statistics);
    }

    fn error(&self, error: Cause, reason: &str) {
        self.troubles.note(&error, reason);
    }
}

impl ConsumerContext for ConsumerCallbacks {
    /// Runs within a poll of the worker's own thread.
    ///
    /// New partitions are acknowledged by adding nothing: the group is content, and each is added when the worker has said where to start.
    /// Partitions that go are given back at once, which is safe because the poll then tells the worker before it can commit anything.
    fn rebalance(&self, consumer: &BaseConsumer<Self>, event: RDKafkaRespErr, changed: &mut TopicPartitionList) {
        let changed = partitions(changed);
        let mut rebalances = self.rebalances();
        let answer = if event == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            rebalances.came.extend(changed);
            rebalances.is_assigned = true;
            consumer.incremental_assign(&TopicPartitionList::new())
        } else {
            rebalances.is_assigned &= !consumer.assignment_lost();
            let was_read: Vec<_> = changed.iter().filter(|at| rebalances.reading.remove(at)).cloned().collect();
            for at in changed {
                if !rebalances.came.remove(&at) {
                    rebalances.waiting.remove(&at);
                    rebalances.gone.insert(at);
                }
            }
            consumer.incremental_unassign(&list(&was_read))
        };
        if let Err(cause) = answer {
            rebalances.failure = Some(cause);
        }
    }
}

/// The callbacks of a producer; they run in its polling thread.
#[derive(Debug, Default)]
pub(super) struct ProducerCallbacks {
    pub(super) troubles: Troubles,
    pub(super) statistics: Latest,
    failed: Mutex<Option<(TopicPartition, Cause)>>,
    /// Whether somebody asks for the places of records: mostly nobody does, and there are many records.
    is_watching_places: AtomicBool,
    /// The offset behind the last record that was written to each partition.
    places: Mutex<BTreeMap<TopicPartition, u64>>,
}

impl ProducerCallbacks {
    /// Those of a producer that takes another one's place: what that told last stands until the new one tells something.
    pub(super) fn after(before: &Self) -> Self {
        Self { statistics: before.statistics.clone(), ..Self::default() }
    }

    /// Takes the first delivery that failed since the last call.
    pub(super) fn take_failed(&self) -> Option<(TopicPartition, Cause)> {
        self.failed.lock().expect("no holder panics").take()
    }

    /// From now on the places of records are noted.
    pub(super) fn watch_places(&self) {
        self.places.lock().expect("no holder panics").clear();
        self.is_watching_places.store(true, Ordering::Relaxed);
    }

    /// The offset behind the last record of each partition that was written to since [`Self::watch_places`], which this ends.
    pub(super) fn take_places(&self) -> Vec<(TopicPartition, u64)> {
        self.is_watching_places.store(false, Ordering::Relaxed);
        std::mem::take(&mut *self.places.lock().expect("no holder panics")).into_iter().collect()
    }

    fn note_place(&self, message: &BorrowedMessage<'_>) {
        let at = TopicPartition::new(message.topic(), message.partition());
        let behind = u64::try_from(message.offset() + 1).unwrap_or_default();
        let mut places = self.places.lock().expect("no holder panics");
        let place = places.entry(at).or_default();
        *place = behind.max(*place);
    }
}

impl ClientContext for ProducerCallbacks {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        troubles::log(level, facility, message);
    }

    fn stats(&self, statistics: Statistics) {
        self.statistics.put(&statistics);
    }

    fn error(&self, error: Cause, reason: &str) {
        self.troubles.note(&error, reason);
    }
}

impl ProducerContext for ProducerCallbacks {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        match result {
            Ok(message) if self.is_watching_places.load(Ordering::Relaxed) => self.note_place(message),
            Ok(_) => {}
            Err((cause, message)) => {
                let mut failed = self.failed.lock().expect("no holder panics");
                failed.get_or_insert_with(|| (TopicPartition::new(message.topic(), message.partition()), cause.clone()));
            }
        }
    }
}

/// The callbacks of a client that only asks questions.
#[derive(Debug, Default)]
pub(crate) struct PlainCallbacks {
    pub(crate) troubles: Troubles,
}

impl ClientContext for PlainCallbacks {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        troubles::log(level, facility, message);
    }

    fn stats_raw(&self, _statistics: &[u8]) {}

    fn error(&self, error: Cause, reason: &str) {
        self.troubles.note(&error, reason);
    }
}

impl ConsumerContext for PlainCallbacks {}
