//! A worker that writes one number after the other, each in a transaction of its own, and reaches the broker through a proxy.

use std::time::Duration;

use bellwether_kafka::{BrokerClient, BrokerOptions, Client, CommitError, CommittedOffset, ConnectionOptions, TopicPartition};
use bellwether_tests::broker::Broker;
use bellwether_tests::proxy::Proxy;

use crate::support::{Worker, client, connection, make_topic, options, transaction};

/// How long somebody waits for what a transaction holds back: longer than a broker lets one be open.
const PATIENCE: Duration = Duration::from_secs(60);

/// A proxy before the broker, and the way through it.
pub fn through_a_proxy(broker: &Broker) -> (Proxy, ConnectionOptions) {
    let proxied = broker.proxied();
    let proxy = Proxy::start(proxied.told, proxied.target, 1);
    (proxy, ConnectionOptions { bootstrap_servers: format!("127.0.0.1:{}", proxied.told), ..connection(broker) })
}

/// A worker that reaches the broker through a proxy, and its topics.
pub fn behind_a_proxy(broker: &Broker) -> (Proxy, Worker) {
    make_topic(broker, "steps", 1);
    make_topic(broker, "steps-out", 1);
    let (proxy, through) = through_a_proxy(broker);
    (proxy, Worker::new(BrokerOptions { connection: through, ..options(broker, "steps", "steps") }))
}

/// Another client of the same group, straight to the broker.
pub fn beside(broker: &Broker, name: &str) -> BrokerClient {
    let patient = ConnectionOptions { timeout: PATIENCE, ..connection(broker) };
    client(BrokerOptions { connection: patient, transactional_id: name.into(), ..options(broker, "steps", "steps") })
}

/// What it reads from.
pub fn at() -> TopicPartition {
    TopicPartition::new("steps", 0)
}

/// Writes the next number, with an offset beside which the one after it stands.
pub fn write_next(worker: &mut Worker, next: &mut u64) -> Result<(), CommitError> {
    worker.until("the partition comes", |worker| worker.mine.len() == 1);
    let mut transaction = transaction("steps-out", &[(0, &next.to_string())]);
    transaction.commit_offset(at(), CommittedOffset { offset: 0, metadata: (*next + 1).to_string() });
    worker.client.commit(&transaction)?;
    *next += 1;
    Ok(())
}
