//! A producer of raw events, as other programs would be.

use bellwether_codec::event::encode_event;
use bellwether_engine::event::Event;
use bellwether_kafka::{BrokerClient, Client, Outgoing, Transaction};

use super::INPUT_PARTITIONS;

/// A producer of raw events.
pub struct Producer {
    pub(super) client: BrokerClient,
    pub(super) topic: String,
    pub(super) number: i32,
}

impl Producer {
    /// Produces events in transactions, each event with its own time as its timestamp, spread over the partitions.
    ///
    /// # Panics
    ///
    /// When a transaction fails.
    pub fn produce(&mut self, events: &[Event<'_>]) {
        let mut value = Vec::new();
        for events in events.chunks(5_000) {
            let mut transaction = Transaction::default();
            for event in events {
                value.clear();
                encode_event(event, &mut value);
                self.number = (self.number + 1) % INPUT_PARTITIONS as i32;
                let (topic, value, timestamp_ms) = (self.topic.as_str(), Some(&value[..]), Some(event.time.0));
                transaction.push(&Outgoing { topic, partition: Some(self.number), key: None, value, headers: &[], timestamp_ms });
            }
            self.client.commit(&transaction).unwrap_or_else(|error| panic!("{error}"));
        }
    }
}
