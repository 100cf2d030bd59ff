//! Dead letters in Kafka: the original record with its headers, and headers that tell why it was refused and where it stood.

use bellwether_codec::rejection::Rejection;
use bellwether_kafka::{Outgoing, Received, Transaction};

use super::options::Topics;

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
    /// Bytes of key, value and headers of the whole record, in digits. It is there only if the record is too large for the topic of dead letters: then
    /// the letter holds the beginning of it, and the whole stands where the others say.
    pub const SIZE: &str = "__streams.errors.size";
    /// The first letters of all of them: an earlier dead letter's are replaced.
    pub const PREFIX: &str = "__streams.errors.";
}

/// What the protocol adds to a record at most, and to each header.
const RECORD_OVERHEAD_BYTES: usize = 256;
const HEADER_OVERHEAD_BYTES: usize = 16;

/// Of a record that is too large: bytes of its value that are kept, of its key, of what was wrong, and of all its headers, which are kept or not.
const KEPT_BYTES: usize = 65_536;

type Headers<'a> = Vec<(&'a str, Option<&'a [u8]>)>;

/// Writes a refused record to the dead letters: as it came, unless it is too large.
pub(crate) fn put(record: &Received<'_>, rejection: &Rejection, topics: &Topics, transaction: &mut Transaction) {
    let (partition, offset) = (record.at.partition.to_string(), record.offset.to_string());
    let timestamp = record.timestamp_ms.map(|timestamp| timestamp.to_string());
    let mut own: Headers<'_> = vec![
        (header::REASON, Some(rejection.reason.code().as_bytes())),
        (header::MESSAGE, Some(rejection.detail.as_bytes())),
        (header::TOPIC, Some(record.at.topic.as_bytes())),
        (header::PARTITION, Some(partition.as_bytes())),
        (header::OFFSET, Some(offset.as_bytes())),
    ];
    own.extend(timestamp.iter().map(|digits| (header::TIMESTAMP, Some(digits.as_bytes()))));
    let mut headers: Headers<'_> = record.headers().filter(|(name, _)| !name.starts_with(header::PREFIX)).collect();
    let (mut key, mut value) = (record.key, record.value);
    let size = key.map_or(0, <[u8]>::len) + value.map_or(0, <[u8]>::len) + size_of_headers(&headers);
    let digits = size.to_string();
    let added = RECORD_OVERHEAD_BYTES + (headers.len() + own.len()) * HEADER_OVERHEAD_BYTES;
    if size + size_of_headers(&own) + added > topics.max_letter_bytes {
        let kept = KEPT_BYTES.min(topics.max_letter_bytes / 8);
        let cut = |bytes: &[u8]| bytes.len().min(kept);
        (key, value) = (key.map(|key| &key[..cut(key)]), value.map(|value| &value[..cut(value)]));
        if size_of_headers(&headers) > kept {
            headers.clear();
        }
        own[1].1 = Some(&rejection.detail.as_bytes()[..rejection.detail.floor_char_boundary(kept)]);
        own.push((header::SIZE, Some(digits.as_bytes())));
    }
    headers.extend(own);
    transaction.push(&Outgoing { topic: &topics.dead_letters, partition: None, key, value, headers: &headers, timestamp_ms: None });
}

fn size_of_headers(headers: &[(&str, Option<&[u8]>)]) -> usize {
    headers.iter().map(|(name, value)| name.len() + value.map_or(0, <[u8]>::len)).sum()
}
