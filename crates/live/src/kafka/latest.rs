//! The latest records of a partition of the journal topic, for who asks what happened to a customer.

use std::time::Duration;

use bellwether_kafka::{Batch, ConnectionOptions, KafkaError, Place, Reader, TopicPartition};

use super::connect::Connect;

/// Records that are in memory at once, beside those that the client library has read ahead.
const MAX_RECORDS: usize = 10_000;
const MAX_BYTES: usize = 8 << 20;

/// How much the client library reads ahead, KiB, unless an operator says otherwise: several may ask at once.
const READ_AHEAD: (&str, &str) = ("queued.max.messages.kbytes", "4096");

/// How long the brokers may take: somebody waits.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Where the journal is.
#[derive(Clone, Debug)]
pub struct JournalTopic {
    connection: ConnectionOptions,
    topic: String,
}

impl JournalTopic {
    /// That of these settings.
    #[must_use]
    pub fn new(connect: &Connect) -> Self {
        let mut connection = ConnectionOptions { timeout: TIMEOUT, ..connect.connection() };
        connection.client_id.push_str("-timeline");
        connection.properties.entry(READ_AHEAD.0.to_owned()).or_insert_with(|| READ_AHEAD.1.to_owned());
        Self { connection, topic: connect.topics().journal }
    }

    /// Visits the texts of the records of a partition that stand before an offset, the last `max_records` at most. Returns whether there are, or were,
    /// older ones.
    ///
    /// # Errors
    ///
    /// When the brokers do not answer in time, or the topic may not be read.
    pub fn latest(&self, partition: u16, before: u64, max_records: u64, mut visit: impl FnMut(&str)) -> Result<bool, KafkaError> {
        let at = TopicPartition::new(self.topic.as_str(), i32::from(partition));
        let (from, to) = (Place::Offset(before.saturating_sub(max_records)), Place::Offset(before));
        let mut reader = Reader::of_part(self.connection.clone(), at, Some(from), Some(to))?;
        let is_cut = reader.next() > 0;
        let (mut batch, mut more) = (Batch::default(), true);
        while more {
            batch.clear();
            more = reader.read(&mut batch, MAX_RECORDS, MAX_BYTES)?;
            batch.records().filter_map(|record| std::str::from_utf8(record.value?).ok()).for_each(&mut visit);
        }
        Ok(is_cut)
    }
}
