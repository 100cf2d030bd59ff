//! Short ways to say what the tests say often.

use std::time::Duration;

use bellwether_kafka::memory::{ClientOptions, Cluster, MemoryClient, TimestampType};
use bellwether_kafka::{Batch, Client, CommitError, CommittedOffset, Outgoing, Polled, TopicPartition, Transaction};

pub const ALL: (usize, usize) = (usize::MAX, usize::MAX);

pub fn at(topic: &str, partition: i32) -> TopicPartition {
    TopicPartition::new(topic, partition)
}

/// A cluster with the topics `in` and `out`, of so many partitions each.
pub fn cluster(seed: u64, partitions: usize) -> Cluster {
    let cluster = Cluster::new(seed);
    for topic in ["in", "out"] {
        cluster.create_topic(topic, partitions, TimestampType::LogAppendTime).unwrap();
    }
    cluster
}

/// A client of the group `g` that reads `in`, and whose producer has its name.
pub fn options(name: &str) -> ClientOptions {
    ClientOptions { group: "g".into(), client_id: name.into(), transactional_id: name.into(), subscription: vec!["in".into()] }
}

pub fn client(cluster: &Cluster, name: &str) -> MemoryClient {
    cluster.client(options(name)).unwrap()
}

/// A transaction that writes these values into partitions of `out`.
pub fn writing(values: &[(i32, &str)]) -> Transaction {
    let mut transaction = Transaction::default();
    for (partition, value) in values {
        let value = Some(value.as_bytes());
        transaction.push(&Outgoing { topic: "out", partition: Some(*partition), key: None, value, headers: &[], timestamp_ms: None });
    }
    transaction
}

/// The same, and an offset of `in/0`.
pub fn writing_and_moving(values: &[(i32, &str)], offset: u64) -> Transaction {
    let mut transaction = writing(values);
    transaction.commit_offset(at("in", 0), CommittedOffset { offset, metadata: format!("at {offset}") });
    transaction
}

/// Offsets and values that readers of committed records see.
pub fn seen(cluster: &Cluster, at: &TopicPartition) -> Vec<(u64, String)> {
    let records = cluster.records(at).unwrap().into_iter();
    records.map(|record| (record.offset, String::from_utf8(record.value.unwrap_or_default()).unwrap())).collect()
}

/// The committed offset of `in/0`, without what is pending.
pub fn moved(cluster: &Cluster) -> Option<u64> {
    cluster.committed_offsets("g").get(&at("in", 0)).map(|committed| committed.offset)
}

/// Polls without waiting.
pub fn poll(client: &mut MemoryClient) -> Polled {
    client.poll(&mut Batch::default(), ALL.0, ALL.1, Duration::ZERO).unwrap()
}

/// Reads everything there is, without waiting, as offsets.
pub fn read(client: &mut MemoryClient) -> Vec<(String, u64)> {
    let mut batch = Batch::default();
    assert_eq!(client.poll(&mut batch, ALL.0, ALL.1, Duration::ZERO).unwrap(), Polled::Records);
    batch.records().map(|record| (record.at.to_string(), record.offset)).collect()
}

/// Joins, and starts every assigned partition at its first offset.
pub fn join(client: &mut MemoryClient) -> Vec<TopicPartition> {
    let Polled::Assigned(coming) = poll(client) else { panic!("nothing was assigned") };
    let starts: Vec<_> = coming.iter().map(|at| (at.clone(), client.bounds(at).unwrap().0)).collect();
    client.assign(&starts).unwrap();
    coming
}

/// How a commit ended, in a word.
pub fn outcome(result: Result<(), CommitError>) -> &'static str {
    match result {
        Ok(()) => "committed",
        Err(CommitError::NotCommitted(_)) => "aborted",
        Err(CommitError::Lost(_)) => "lost",
    }
}
