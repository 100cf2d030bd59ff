//! Events that came over HTTP, written to an input topic: all events of a request in one transaction. The answer comes when the journal has them, or, if
//! that takes too long, that the topic has.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bellwether_codec::event::Decoder;
use bellwether_kafka::{Batch, Client, CommitError, KafkaError, Outgoing, Remedy, TopicPartition, Transaction};

use super::options::Turn;
use super::patience::Patience;
use crate::arrivals::{Arrivals, Delivery, NotTaken, Taken};
use crate::error::LiveError;

/// The largest event that is taken over HTTP, bytes: with its attributes it fits into what Kafka's clients and brokers take by default.
pub const MAX_POSTED_EVENT_BYTES: usize = 900_000;

/// How long the writer listens before it looks after its client.
const LISTEN: Duration = Duration::from_secs(1);

/// The same, while somebody waits for the journal: so often the ingest is asked how far it is.
const LISTEN_SHORTLY: Duration = Duration::from_millis(20);

/// Transactions that may wait for the journal. Of older ones it is told that the topic has them.
const MAX_UNDER_WAY: usize = 256;

/// Where events of a listener come from and go to.
pub struct Intake {
    /// The queue. One writer has it at a time.
    pub arrivals: Mutex<Arrivals>,
    /// The input topic.
    pub topic: String,
    /// Reads events as their source will.
    pub decoder: Decoder,
    /// How long whoever waits for the journal does so, once the topic has the events.
    pub journal_patience: Duration,
}

/// Requests whose events are in the input topic, on their way into the journal.
struct UnderWay {
    deliveries: Vec<Delivery>,
    /// How far the ingest has to come in each partition.
    places: Vec<(TopicPartition, u64)>,
    /// Until when they wait for that.
    until: Instant,
}

impl UnderWay {
    fn tell(self, taken: Taken) {
        self.deliveries.into_iter().for_each(|delivery| delivery.taken(taken));
    }
}

/// Writes what a listener brings. Its client asks what the group of the ingest has committed, and does not join it.
pub(crate) struct Writer<'i> {
    client: Box<dyn Client>,
    intake: &'i Intake,
    patience: Patience,
    under_way: VecDeque<UnderWay>,
    /// Whether it may ask how far the ingest is.
    may_ask: bool,
}

impl<'i> Writer<'i> {
    /// A writer with a client of its own.
    pub fn new(client: Box<dyn Client>, intake: &'i Intake, turn: Turn, stop: &Arc<AtomicBool>) -> Self {
        Self { client, intake, patience: Patience::new(turn.retry_wait, stop), under_way: VecDeque::new(), may_ask: true }
    }

    /// Works until `stop` is set.
    ///
    /// # Errors
    ///
    /// When somebody has to act, such as that another instance has the same name. Whoever waits is told.
    pub fn run(&mut self, stop: &AtomicBool) -> Result<(), LiveError> {
        let intake = self.intake;
        // A writer that panicked has left nothing half done in the queue.
        let arrivals = intake.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = self.serve(&arrivals, stop);
        arrivals.close();
        self.under_way.drain(..).for_each(|written| written.tell(Taken::InTopic));
        match ended {
            Err(LiveError::Stopped) => Ok(()),
            ended => ended,
        }
    }

    fn serve(&mut self, arrivals: &Arrivals, stop: &AtomicBool) -> Result<(), LiveError> {
        arrivals.open();
        while !stop.load(Ordering::Relaxed) {
            let listen = if self.under_way.is_empty() { LISTEN } else { LISTEN_SHORTLY };
            let deliveries = arrivals.take(Instant::now() + listen, stop);
            let written = self.look_after_client().and_then(|()| self.write(deliveries));
            self.look_after_journal();
            if let Err(error) = written {
                // Nobody is to wait for a broker that does not answer.
                arrivals.close();
                self.patience.wait(&error)?;
                while let Err(error) = self.client.rebuild() {
                    self.patience.wait(&error)?;
                }
                arrivals.open();
            }
        }
        Ok(())
    }

    /// Takes what the client library tells of itself, which would pile up otherwise. Troubles that pass are noticed when something is written.
    fn look_after_client(&mut self) -> Result<(), KafkaError> {
        match self.client.poll(&mut Batch::default(), 1, 1, Duration::ZERO) {
            Err(error) if error.remedy != Remedy::Retry => Err(error),
            _ => Ok(()),
        }
    }

    /// Writes all of it in one transaction. If Kafka refuses that, each request is written by itself, so that only the one to blame is refused.
    fn write(&mut self, mut deliveries: Vec<Delivery>) -> Result<(), KafkaError> {
        // Whoever has gone was told that nobody knows, and will come again.
        deliveries.retain(Delivery::is_awaited);
        if deliveries.is_empty() {
            return Ok(());
        }
        match self.client.commit_and_place(&self.transaction(&deliveries)) {
            Ok(places) => {
                self.patience.restore();
                self.under_way.push_back(UnderWay { deliveries, places, until: Instant::now() + self.intake.journal_patience });
                Ok(())
            }
            Err(CommitError::NotCommitted(error)) if deliveries.len() > 1 => {
                tracing::warn!(%error, "requests with events were refused together: each is written by itself");
                deliveries.into_iter().try_for_each(|delivery| self.write(vec![delivery]))
            }
            Err(CommitError::NotCommitted(error)) => {
                tracing::warn!(%error, "the events of a request are refused by Kafka: none of them is written");
                deliveries.into_iter().for_each(|delivery| delivery.not_taken(NotTaken::Refused));
                Ok(())
            }
            // Dropped without an answer: nobody knows.
            Err(CommitError::Lost(error)) => Err(error),
        }
    }

    /// Tells those whose events the journal has, and those who have waited long enough.
    fn look_after_journal(&mut self) {
        self.under_way.iter_mut().for_each(|written| written.deliveries.retain(Delivery::is_awaited));
        self.under_way.retain(|written| !written.deliveries.is_empty());
        let journaled = self.journaled();
        if !self.may_ask {
            self.under_way.drain(..).for_each(|written| written.tell(Taken::InTopic));
        }
        for written in std::mem::take(&mut self.under_way) {
            let is_there = |(at, behind): &(TopicPartition, u64)| journaled.get(at).is_some_and(|offset| offset >= behind);
            if written.places.iter().all(is_there) {
                written.tell(Taken::Journaled);
            } else if Instant::now() >= written.until {
                written.tell(Taken::InTopic);
            } else {
                self.under_way.push_back(written);
            }
        }
        let surplus = self.under_way.len().saturating_sub(MAX_UNDER_WAY);
        self.under_way.drain(..surplus).for_each(|written| written.tell(Taken::InTopic));
    }

    /// How far the ingest has come in the partitions where something is under way: what lies before that is in the journal, for both are one
    /// transaction.
    fn journaled(&mut self) -> BTreeMap<TopicPartition, u64> {
        let asked: BTreeSet<_> = self.under_way.iter().flat_map(|written| &written.places).map(|(at, _)| at.clone()).collect();
        let asked: Vec<TopicPartition> = asked.into_iter().collect();
        let committed = self.client.committed(&asked).unwrap_or_else(|error| {
            if error.remedy.is_final() {
                tracing::warn!(%error, "nobody says how far the ingest is: who posts events is told when their topic has them, from now on");
                self.may_ask = false;
            }
            Vec::new()
        });
        asked.into_iter().zip(committed).filter_map(|(at, committed)| Some((at, committed?.offset))).collect()
    }

    fn transaction(&self, deliveries: &[Delivery]) -> Transaction {
        let mut transaction = Transaction::default();
        for value in deliveries.iter().flat_map(|delivery| &delivery.events) {
            // Events of a customer stay in their order. Those that nobody can read were refused before.
            let customer = self.intake.decoder.decode(value).ok().map(|event| event.customer.into_owned());
            transaction.push(&Outgoing {
                topic: &self.intake.topic,
                partition: None,
                key: customer.as_ref().map(|customer| customer.as_bytes()),
                value: Some(value),
                headers: &[],
                timestamp_ms: None,
            });
        }
        transaction
    }
}
