//! One life of consumer and producer, from a rebuild to the next.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerGroupMetadata};
use rdkafka::producer::{Producer as _, ThreadedProducer};

use super::callbacks::{ConsumerCallbacks, ProducerCallbacks};
use super::options::{BrokerOptions, Reports};
use super::positions::Positions;
use super::troubles::{Troubles, patiently};
use crate::batch::TopicPartition;
use crate::error::{KafkaError, Remedy};
use crate::statistics::ClientStatistics;

/// After a producer was fenced, how long its consumer may take to hear that it was too: some heartbeats.
const UNTIL_FENCED: Duration = Duration::from_secs(5);

/// How long one poll waits for that.
const BREATH: Duration = Duration::from_millis(100);

/// Consumer and producer of one name. The consumer is dropped first, since leaving the group may still call back.
pub(super) struct Session {
    pub(super) consumer: BaseConsumer<ConsumerCallbacks>,
    pub(super) producer: ThreadedProducer<ProducerCallbacks>,
    pub(super) positions: Positions,
    /// Partitions that are not read further for now.
    pub(super) paused: BTreeSet<TopicPartition>,
    /// This member's place in the group, as the last poll left it; none while there is no such place. A later one must not be taken when a
    /// transaction is committed: once the group has given this member up, librdkafka forgets the place, and a broker takes the offsets of
    /// somebody without a place unchecked.
    pub(super) place: Option<Arc<ConsumerGroupMetadata>>,
    /// A request of the last transaction may have been sent twice, and may still arrive at a broker: see [`Session::renew_producer`].
    pub(super) is_doubtful: bool,
    options: BrokerOptions,
    reports: Reports,
}

impl Session {
    /// The producer comes first: joining a group moves partitions, which is of no use if the transactions are refused.
    pub(super) fn open(options: &BrokerOptions, reports: Reports) -> Result<Self, KafkaError> {
        let what = || starting(options);
        let nothing = Troubles::default();
        let producer = open_producer(options, reports, ProducerCallbacks::default())?;
        let consumer: BaseConsumer<ConsumerCallbacks> = options
            .consumer_config()?
            .create_with_context(ConsumerCallbacks::default())
            .map_err(|cause| nothing.explain(what(), &cause))?;
        let topics: Vec<&str> = options.subscription.iter().map(String::as_str).collect();
        if !topics.is_empty() {
            consumer.subscribe(&topics).map_err(|cause| nothing.explain(format!("subscribing to {topics:?}"), &cause))?;
        }
        let (positions, paused, options) = (Positions::default(), BTreeSet::new(), options.clone());
        Ok(Self { consumer, producer, positions, paused, place: None, is_doubtful: false, options, reports })
    }

    /// Another producer of the same name: whatever of the last one still arrives is refused by then. The consumer, and its place in the group, stay.
    ///
    /// Kafka ends this doubt by itself for clients that take a new epoch with each transaction (KIP-890, its second part), which librdkafka does not.
    pub(super) fn renew_producer(&mut self) -> Result<(), KafkaError> {
        tracing::debug!(target: "bellwether_kafka", client = self.options.connection.client_id, "the producer starts anew");
        let callbacks = ProducerCallbacks::after(self.producer.context());
        self.producer = open_producer(&self.options, self.reports, callbacks)?;
        self.is_doubtful = false;
        Ok(())
    }

    /// Whether this client still has its name, if it has one in the group. Somebody who comes under the same name fences the producer first, and
    /// the consumer a moment later, with its next heartbeat: a client that was built anew in between would fence the newcomer in turn.
    pub(super) fn check_name(&self) -> Result<(), KafkaError> {
        if self.options.group_instance_id.is_none() || self.producer.client().fatal_error().is_none() {
            return Ok(());
        }
        let until = Instant::now() + UNTIL_FENCED;
        while Instant::now() < until {
            let Some(Err(cause)) = self.consumer.poll(BREATH) else { continue };
            let error = self.consumer.context().troubles.explain("building the client anew", &cause);
            if error.remedy == Remedy::Leave {
                return Err(error);
            }
        }
        Ok(())
    }

    /// What consumer and producer have told last of themselves.
    pub(super) fn statistics(&self) -> impl Iterator<Item = ClientStatistics> {
        [self.consumer.context().statistics.get(), self.producer.context().statistics.get()].into_iter().flatten()
    }
}

/// A producer that has ended what an earlier one of its name left open.
fn open_producer(
    options: &BrokerOptions,
    reports: Reports,
    callbacks: ProducerCallbacks,
) -> Result<ThreadedProducer<ProducerCallbacks>, KafkaError> {
    let nothing = Troubles::default();
    let producer: ThreadedProducer<ProducerCallbacks> =
        options.producer_config(reports)?.create_with_context(callbacks).map_err(|cause| nothing.explain(starting(options), &cause))?;
    let troubles = &producer.context().troubles;
    patiently(&options.connection, troubles, |timeout| producer.init_transactions(timeout))
        .map_err(|cause| troubles.explain(format!("starting transactions as `{}`", options.transactional_id), &cause))?;
    Ok(producer)
}

fn starting(options: &BrokerOptions) -> String {
    format!("starting the Kafka client `{}`", options.connection.client_id)
}
