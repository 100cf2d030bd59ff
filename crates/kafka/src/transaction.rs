//! What is to be written in one transaction: records, and the offsets that count together with them.

use std::ops::Range;

use crate::batch::TopicPartition;
use crate::client::CommittedOffset;

/// A record to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outgoing<'a> {
    /// The topic.
    pub topic: &'a str,
    /// The partition; without one the key decides, as Java's default partitioner has it (murmur2).
    pub partition: Option<i32>,
    /// The key.
    pub key: Option<&'a [u8]>,
    /// The value; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    /// Names and values of headers; one may have none.
    pub headers: &'a [(&'a str, Option<&'a [u8]>)],
    /// Its timestamp, milliseconds since the epoch, where the topic keeps that of producers; without one it is the present.
    pub timestamp_ms: Option<i64>,
}

/// A transaction in the making, in one buffer.
#[derive(Clone, Debug, Default)]
pub struct Transaction {
    bytes: Vec<u8>,
    topics: Vec<String>,
    entries: Vec<Entry>,
    headers: Vec<(Range<usize>, Option<Range<usize>>)>,
    offsets: Vec<(TopicPartition, CommittedOffset)>,
}

#[derive(Clone, Debug)]
struct Entry {
    topic: usize,
    partition: Option<i32>,
    key: Option<Range<usize>>,
    value: Option<Range<usize>>,
    headers: Range<usize>,
    timestamp_ms: Option<i64>,
}

impl Transaction {
    /// Adds a record.
    pub fn push(&mut self, record: &Outgoing<'_>) {
        let topic = self.topics.iter().position(|topic| topic == record.topic).unwrap_or_else(|| {
            self.topics.push(record.topic.to_owned());
            self.topics.len() - 1
        });
        let mut keep = |bytes: &[u8]| {
            let start = self.bytes.len();
            self.bytes.extend_from_slice(bytes);
            start..self.bytes.len()
        };
        let (key, value) = (record.key.map(&mut keep), record.value.map(&mut keep));
        let start = self.headers.len();
        self.headers.extend(record.headers.iter().map(|(name, value)| (keep(name.as_bytes()), value.map(&mut keep))));
        let headers = start..self.headers.len();
        self.entries.push(Entry { topic, partition: record.partition, key, value, headers, timestamp_ms: record.timestamp_ms });
    }

    /// Says where the reader goes on, together with the records.
    pub fn commit_offset(&mut self, at: TopicPartition, offset: CommittedOffset) {
        self.offsets.push((at, offset));
    }

    /// How many records there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is nothing to write, not even an offset.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.offsets.is_empty()
    }

    /// Bytes of keys, values and headers.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Calls `visit` with each record, in order, until it fails.
    ///
    /// # Errors
    ///
    /// The first error of `visit`.
    pub fn each<E>(&self, mut visit: impl FnMut(&Outgoing<'_>) -> Result<(), E>) -> Result<(), E> {
        let mut headers: Vec<(&str, Option<&[u8]>)> = Vec::new();
        for entry in &self.entries {
            headers.clear();
            for (name, value) in &self.headers[entry.headers.clone()] {
                let name = std::str::from_utf8(&self.bytes[name.clone()]).expect("it was put in as text");
                headers.push((name, value.clone().map(|range| &self.bytes[range])));
            }
            visit(&Outgoing {
                topic: &self.topics[entry.topic],
                partition: entry.partition,
                key: entry.key.clone().map(|range| &self.bytes[range]),
                value: entry.value.clone().map(|range| &self.bytes[range]),
                headers: &headers,
                timestamp_ms: entry.timestamp_ms,
            })?;
        }
        Ok(())
    }

    /// The offsets that count together with the records.
    #[must_use]
    pub fn offsets(&self) -> &[(TopicPartition, CommittedOffset)] {
        &self.offsets
    }

    /// Forgets all of it, and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
        self.headers.clear();
        self.offsets.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back_as_they_were_put() {
        let mut transaction = Transaction::default();
        let headers: &[(&str, Option<&[u8]>)] = &[("h", Some(b"x")), ("none", None)];
        let first = Outgoing { topic: "a", partition: Some(1), key: Some(b"k"), value: Some(b"v"), headers, timestamp_ms: Some(7) };
        let second = Outgoing { topic: "b", partition: None, key: None, value: None, headers: &[], timestamp_ms: None };
        transaction.push(&first);
        transaction.push(&second);
        let mut expected = vec![second, first];
        let visited: Result<(), ()> = transaction.each(|record| {
            assert_eq!(Some(*record), expected.pop());
            Ok(())
        });
        assert_eq!((visited, expected.len(), transaction.len()), (Ok(()), 0, 2));
        transaction.clear();
        assert!(transaction.is_empty());
    }
}
