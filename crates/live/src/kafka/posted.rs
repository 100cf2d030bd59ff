//! Events that came over HTTP, written to an input topic: all events of a request in one transaction, answered when it is committed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bellwether_codec::event::Decoder;
use bellwether_kafka::{Batch, Client, CommitError, KafkaError, Outgoing, Remedy, Transaction};

use super::options::Turn;
use super::patience::Patience;
use crate::arrivals::{Arrivals, Delivery, NotTaken};
use crate::error::LiveError;

/// The largest event that is taken over HTTP, bytes: with its attributes it fits into what Kafka's clients and brokers take by default.
pub const MAX_POSTED_EVENT_BYTES: usize = 900_000;

/// How long the writer listens before it looks after its client.
const LISTEN: Duration = Duration::from_secs(1);

/// Where events of a listener come from and go to.
pub struct Intake {
    /// The queue. One writer has it at a time.
    pub arrivals: Mutex<Arrivals>,
    /// The input topic.
    pub topic: String,
    /// Reads events as their source will.
    pub decoder: Decoder,
}

/// Writes what a listener brings. Its client belongs to no group.
pub(crate) struct Writer<'i> {
    client: Box<dyn Client>,
    intake: &'i Intake,
    patience: Patience,
}

impl<'i> Writer<'i> {
    /// A writer with a client of its own.
    pub fn new(client: Box<dyn Client>, intake: &'i Intake, turn: Turn, stop: &Arc<AtomicBool>) -> Self {
        Self { client, intake, patience: Patience::new(turn.retry_wait, stop) }
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
        match ended {
            Err(LiveError::Stopped) => Ok(()),
            ended => ended,
        }
    }

    fn serve(&mut self, arrivals: &Arrivals, stop: &AtomicBool) -> Result<(), LiveError> {
        arrivals.open();
        while !stop.load(Ordering::Relaxed) {
            let deliveries = arrivals.take(Instant::now() + LISTEN, stop);
            let written = self.look_after_client().and_then(|()| self.write(deliveries));
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
        match self.client.commit(&self.transaction(&deliveries)) {
            Ok(()) => {
                self.patience.restore();
                deliveries.into_iter().for_each(Delivery::committed);
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
