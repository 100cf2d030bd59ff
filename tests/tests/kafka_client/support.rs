//! Clients of a test broker, and a small worker around one.

use std::collections::{BTreeMap, BTreeSet};
use std::thread::sleep;
use std::time::{Duration, Instant};

use bellwether_kafka::{
    Admin, Batch, BrokerClient, BrokerOptions, Client, CommitError, CommittedOffset, ConnectionOptions, KafkaError, Outgoing, Polled,
    Reader, TopicPartition, TopicSettings, Transaction,
};
use bellwether_tests::broker::Broker;
use bellwether_tests::company::Random;

/// How long anything may take on a slow and busy machine.
pub const LONG: Duration = Duration::from_secs(90);

pub fn connection(broker: &Broker) -> ConnectionOptions {
    ConnectionOptions {
        bootstrap_servers: broker.bootstrap(),
        client_id: "test".into(),
        properties: BTreeMap::new(),
        timeout: Duration::from_secs(30),
        stop: Default::default(),
    }
}

/// A client whose group and transactions have this name.
pub fn options(broker: &Broker, name: &str, topic: &str) -> BrokerOptions {
    BrokerOptions {
        connection: connection(broker),
        group_id: name.into(),
        group_instance_id: None,
        transactional_id: name.into(),
        subscription: vec![topic.into()],
    }
}

pub fn make_topic(broker: &Broker, name: &str, partitions: u32) {
    let topic = TopicSettings { name: name.into(), partitions, replication: Some(1), settings: BTreeMap::new() };
    Admin::new(connection(broker)).and_then(|admin| admin.create(&[topic])).unwrap_or_else(|error| panic!("{name}: {error}"));
}

/// A topic whose broker takes only tiny records, which the client does not know.
pub fn make_narrow_topic(broker: &Broker, name: &str) {
    let settings = [("max.message.bytes".to_owned(), "100".to_owned())].into();
    let topic = TopicSettings { name: name.into(), partitions: 1, replication: Some(1), settings };
    Admin::new(connection(broker)).and_then(|admin| admin.create(&[topic])).unwrap_or_else(|error| panic!("{name}: {error}"));
}

/// A record too large for a narrow topic, which does not shrink by compression.
pub fn push_too_large(transaction: &mut Transaction, topic: &str) {
    let mut random = Random(1);
    let value: Vec<u8> = (0..100).flat_map(|_| random.number().to_be_bytes()).collect();
    transaction.push(&Outgoing { topic, partition: Some(0), key: None, value: Some(&value), headers: &[], timestamp_ms: None });
}

pub fn client(options: BrokerOptions) -> BrokerClient {
    BrokerClient::new(options).unwrap_or_else(|error| panic!("{error}"))
}

/// A transaction of values without a key, each for one partition.
pub fn transaction(topic: &str, values: &[(i32, &str)]) -> Transaction {
    let mut transaction = Transaction::default();
    for (partition, value) in values {
        let value = Some(value.as_bytes());
        transaction.push(&Outgoing { topic, partition: Some(*partition), key: None, value, headers: &[], timestamp_ms: None });
    }
    transaction
}

/// A partition holds these committed values, and no others.
pub fn assert_values<T: AsRef<str>>(broker: &Broker, topic: &str, partition: i32, expected: &[T]) {
    let mut found = Vec::new();
    eventually("all values are there", || {
        found = values(broker, topic, partition);
        found.len() >= expected.len()
    });
    assert_eq!(found, expected.iter().map(AsRef::as_ref).collect::<Vec<_>>(), "in {topic}/{partition}");
}

/// The committed values of a partition.
pub fn values(broker: &Broker, topic: &str, partition: i32) -> Vec<String> {
    let mut reader = Reader::new(connection(broker), TopicPartition::new(topic, partition), 0..u64::MAX).expect("the options are right");
    let mut batch = Batch::default();
    while reader.read(&mut batch, usize::MAX, usize::MAX).unwrap_or_else(|error| panic!("{error}")) {}
    batch.records().map(|record| text(record.value)).collect()
}

pub fn text(bytes: Option<&[u8]>) -> String {
    String::from_utf8_lossy(bytes.unwrap_or(b"(none)")).into_owned()
}

/// Waits for what a broker does a moment later: a transaction is decided before its mark is written.
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < LONG, "waited in vain until {what}");
        sleep(Duration::from_millis(5));
    }
}

/// A client and what it was told.
pub struct Worker {
    pub client: BrokerClient,
    pub mine: BTreeSet<TopicPartition>,
    /// Offsets and values, as they were read.
    pub read: Vec<(TopicPartition, u64, String)>,
    /// What the polls told, for people.
    pub told: Vec<String>,
}

impl Worker {
    pub fn new(options: BrokerOptions) -> Self {
        Self { client: client(options), mine: BTreeSet::new(), read: Vec::new(), told: Vec::new() }
    }

    /// Polls once. New partitions start where the group has committed, or at 0; each is assigned on its own.
    pub fn step(&mut self) -> Result<(), KafkaError> {
        let mut batch = Batch::default();
        let polled = self.client.poll(&mut batch, 1000, 1 << 20, Duration::from_millis(50))?;
        self.read.extend(batch.records().map(|record| (record.at.clone(), record.offset, text(record.value))));
        match polled {
            Polled::Records => {}
            Polled::Assigned(came) => {
                self.told.push(format!("came {}", names(&came)));
                for at in came {
                    let committed = self.client.committed(std::slice::from_ref(&at))?;
                    let start = committed[0].as_ref().map_or(0, |committed| committed.offset);
                    self.client.assign(&[(at.clone(), start)])?;
                    self.mine.insert(at);
                }
            }
            Polled::Revoked(gone) => {
                self.told.push(format!("went {}", names(&gone)));
                self.mine.retain(|at| !gone.contains(at));
            }
        }
        Ok(())
    }

    /// Polls until it is so.
    pub fn until(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) {
        let start = Instant::now();
        while !done(self) {
            self.step().unwrap_or_else(|error| panic!("waiting until {what}: {error}; {:?}", self.told));
            assert!(start.elapsed() < LONG, "waited in vain until {what}: {:?}, read {} records", self.told, self.read.len());
        }
    }

    /// Writes values and commits the next offset of a partition with them.
    pub fn commit(&mut self, topic: &str, values: &[(i32, &str)], at: &TopicPartition, offset: u64) -> Result<(), CommitError> {
        let mut transaction = transaction(topic, values);
        transaction.commit_offset(at.clone(), CommittedOffset { offset, metadata: format!("behind {offset}") });
        self.client.commit(&transaction)
    }
}

fn names(partitions: &[TopicPartition]) -> String {
    partitions.iter().map(TopicPartition::to_string).collect::<Vec<_>>().join(" ")
}
