//! Records by hand: what no product would write.

use bellwether_kafka::{BrokerClient, BrokerOptions, Client, Outgoing, Transaction};
use bellwether_tests::product::Product;

/// A producer of its own.
pub struct Hand(BrokerClient);

impl Hand {
    pub fn of(product: &Product) -> Self {
        let options = BrokerOptions {
            connection: product.connection(),
            group_id: product.topic("hand"),
            group_instance_id: None,
            transactional_id: product.topic("hand"),
            subscription: Vec::new(),
        };
        Self(BrokerClient::new(options).unwrap_or_else(|error| panic!("{error}")))
    }

    /// Produces so many alike to the first partitions of a topic.
    pub fn produce(
        &mut self,
        topic: &str,
        count: usize,
        partitions: usize,
        value: &[u8],
        headers: &[(&str, &[u8])],
        timestamp_ms: Option<i64>,
    ) {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, Some(*value))).collect();
        let mut transaction = Transaction::default();
        for number in 0..count {
            let partition = Some((number % partitions) as i32);
            transaction.push(&Outgoing { topic, partition, key: None, value: Some(value), headers: &headers, timestamp_ms });
        }
        self.0.commit(&transaction).unwrap_or_else(|error| panic!("{error}"));
    }
}
