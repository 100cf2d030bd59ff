//! A producer of raw records that writes each exactly once, whatever becomes of the broker.

use std::thread::sleep;
use std::time::{Duration, Instant};

use bellwether_kafka::{
    BrokerClient, BrokerOptions, Client, CommitError, ConnectionOptions, KafkaError, Outgoing, TopicPartition, Transaction,
};

/// How long the broker may be away.
const PATIENCE: Duration = Duration::from_secs(240);

/// A record of a raw topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raw {
    /// Its value.
    pub value: Vec<u8>,
    /// Its arrival, milliseconds since the epoch.
    pub timestamp_ms: i64,
}

/// The only producer of its topic.
pub struct Feed {
    client: BrokerClient,
    topic: String,
    partitions: u32,
    written: u32,
}

impl Feed {
    /// A producer of a topic that exists.
    ///
    /// # Panics
    ///
    /// When the broker does not answer.
    #[must_use]
    pub fn new(connection: ConnectionOptions, topic: &str, partitions: u32) -> Self {
        let name = format!("{topic}-feed");
        let options =
            BrokerOptions { connection, group_id: name.clone(), group_instance_id: None, transactional_id: name, subscription: Vec::new() };
        let client = BrokerClient::new(options).unwrap_or_else(|error| panic!("{error}"));
        Self { client, topic: topic.to_owned(), partitions, written: 0 }
    }

    /// Writes records in one transaction, spread over the partitions.
    ///
    /// # Panics
    ///
    /// When it cannot, for longer than a broker is ever away.
    pub fn write(&mut self, records: &[Raw]) {
        let mut transaction = Transaction::default();
        let mut first = None;
        for Raw { value, timestamp_ms } in records {
            self.written += 1;
            let partition = (self.written % self.partitions) as i32;
            first.get_or_insert(partition);
            let (topic, value, timestamp_ms) = (self.topic.as_str(), Some(&value[..]), Some(*timestamp_ms));
            transaction.push(&Outgoing { topic, partition: Some(partition), key: None, value, headers: &[], timestamp_ms });
        }
        let Some(first) = first else { return };
        let at = TopicPartition::new(self.topic.as_str(), first);
        let end = self.patiently(|client| client.bounds(&at)).1;
        let started = Instant::now();
        loop {
            match self.client.commit(&transaction) {
                Ok(()) => return,
                Err(CommitError::NotCommitted(error)) => wait(started, &error),
                // All of a transaction is there or nothing of it: one record of it tells.
                Err(CommitError::Lost(_)) => {
                    self.patiently(Client::rebuild);
                    if self.holds(&at, end, &records[0].value) {
                        return;
                    }
                }
            }
        }
    }

    /// Whether a record with this value stands at or behind an offset. Before it may stand what was committed and not yet decided when the
    /// offset was asked for.
    fn holds(&mut self, at: &TopicPartition, mut from: u64, value: &[u8]) -> bool {
        while let Some(found) = self.patiently(|client| client.read_one(at, from)) {
            let record = found.records().next().expect("it is one record");
            if record.value == Some(value) {
                return true;
            }
            from = record.offset + 1;
        }
        false
    }

    fn patiently<T>(&mut self, ask: impl Fn(&mut BrokerClient) -> Result<T, KafkaError>) -> T {
        let started = Instant::now();
        loop {
            match ask(&mut self.client) {
                Ok(answer) => return answer,
                Err(error) => wait(started, &error),
            }
        }
    }
}

fn wait(started: Instant, error: &KafkaError) {
    assert!(started.elapsed() < PATIENCE, "the broker stays away: {error}");
    sleep(Duration::from_millis(200));
}
