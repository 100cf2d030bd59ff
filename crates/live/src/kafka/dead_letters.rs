//! Dead letters in Kafka: the original record with its headers, and headers that tell why it was refused and where it stood.

use bellwether_codec::rejection::Rejection;
use bellwether_kafka::{Outgoing, Received, Transaction};

/// The headers that tell about a refused record, named as Kafka Streams names them (KIP-1034).
pub mod header {
    /// The code of the reason, such as `missing_field`.
    pub const REASON: &str = "__streams.errors.exception";
    /// Exactly what was wrong.
    pub const MESSAGE: &str = "__streams.errors.message";
    /// The topic it was read from.
    pub const TOPIC: &str = "__streams.errors.topic";
    /// The partition it was read from.
    pub const PARTITION: &str = "__streams.errors.partition";
    /// The offset at which it stood.
    pub const OFFSET: &str = "__streams.errors.offset";
    /// The timestamp that it had, milliseconds since the epoch; absent if it had none. The dead letter itself is of the present, or the retention
    /// of its topic would take letters of old records at once.
    pub const TIMESTAMP: &str = "__streams.errors.timestamp";
    /// The first letters of all of them: an earlier dead letter's are replaced.
    pub const PREFIX: &str = "__streams.errors.";
}

/// Writes a refused record to the dead letters, as it came.
pub(crate) fn put(record: &Received<'_>, rejection: &Rejection, topic: &str, transaction: &mut Transaction) {
    let (partition, offset) = (record.at.partition.to_string(), record.offset.to_string());
    let timestamp = record.timestamp_ms.map(|timestamp| timestamp.to_string());
    let own: [(&str, &[u8]); 5] = [
        (header::REASON, rejection.reason.code().as_bytes()),
        (header::MESSAGE, rejection.detail.as_bytes()),
        (header::TOPIC, record.at.topic.as_bytes()),
        (header::PARTITION, partition.as_bytes()),
        (header::OFFSET, offset.as_bytes()),
    ];
    let original = record.headers().filter(|(name, _)| !name.starts_with(header::PREFIX));
    let headers = original.map(|(name, value)| (name, value.unwrap_or_default())).chain(own);
    let headers: Vec<(&str, &[u8])> = headers.chain(timestamp.iter().map(|digits| (header::TIMESTAMP, digits.as_bytes()))).collect();
    transaction.push(&Outgoing { topic, partition: None, key: record.key, value: record.value, headers: &headers, timestamp_ms: None });
}
