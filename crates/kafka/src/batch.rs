//! Records as they were read, many in one buffer.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A partition of a topic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// The topic's name.
    pub topic: Arc<str>,
    /// The partition's number.
    pub partition: i32,
}

impl TopicPartition {
    /// A partition of a topic.
    pub fn new(topic: impl Into<Arc<str>>, partition: i32) -> Self {
        Self { topic: topic.into(), partition }
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.topic, self.partition)
    }
}

/// One record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received<'a> {
    /// Where it stands.
    pub at: &'a TopicPartition,
    /// Its offset. Offsets have gaps: the marks of transactions use some.
    pub offset: u64,
    /// Kafka's timestamp, milliseconds since the epoch; `None` in records of very old producers.
    pub timestamp_ms: Option<i64>,
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its value; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    /// Names and values of its headers.
    headers: &'a [(String, Option<Vec<u8>>)],
}

impl<'a> Received<'a> {
    /// Its headers, in their order; a name may come more than once.
    pub fn headers(&self) -> impl Iterator<Item = (&'a str, Option<&'a [u8]>)> + use<'a> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_deref()))
    }

    /// The first header of this name that has a value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        self.headers().find(|(found, _)| *found == name).and_then(|(_, value)| value)
    }
}

/// Records in the order in which they were read; within a partition in the order of their offsets.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    partitions: Vec<TopicPartition>,
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    partition: usize,
    offset: u64,
    timestamp_ms: Option<i64>,
    key: Option<Range<usize>>,
    value: Option<Range<usize>>,
    headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Batch {
    /// Adds a record at the end.
    pub fn push(
        &mut self,
        at: (&str, i32),
        offset: u64,
        timestamp_ms: Option<i64>,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: Vec<(String, Option<Vec<u8>>)>,
    ) {
        let partition = self.partition_index(at);
        let mut keep = |bytes: &[u8]| {
            let start = self.bytes.len();
            self.bytes.extend_from_slice(bytes);
            start..self.bytes.len()
        };
        let (key, value) = (key.map(&mut keep), value.map(&mut keep));
        self.entries.push(Entry { partition, offset, timestamp_ms, key, value, headers });
    }

    /// How many records there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes of keys and values.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The records.
    pub fn records(&self) -> impl Iterator<Item = Received<'_>> {
        self.entries.iter().map(|entry| Received {
            at: &self.partitions[entry.partition],
            offset: entry.offset,
            timestamp_ms: entry.timestamp_ms,
            key: entry.key.clone().map(|range| &self.bytes[range]),
            value: entry.value.clone().map(|range| &self.bytes[range]),
            headers: &entry.headers,
        })
    }

    /// Forgets the records, and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
    }

    /// Forgets the records of these partitions.
    pub fn forget(&mut self, gone: &[TopicPartition]) {
        let partitions = &self.partitions;
        self.entries.retain(|entry| !gone.contains(&partitions[entry.partition]));
    }

    /// Keeps the records of which this says so, by partition and offset, and gives the place of the others back.
    pub fn retain(&mut self, is_kept: impl Fn(&TopicPartition, u64) -> bool) {
        let partitions = &self.partitions;
        self.entries.retain(|entry| is_kept(&partitions[entry.partition], entry.offset));
        let mut end = 0;
        // Ranges follow one another in the order of the entries, so each moves towards the beginning.
        for entry in &mut self.entries {
            for range in [&mut entry.key, &mut entry.value].into_iter().flatten() {
                let length = range.len();
                self.bytes.copy_within(range.clone(), end);
                *range = end..end + length;
                end += length;
            }
        }
        self.bytes.truncate(end);
    }

    /// Few partitions come in one batch, and mostly the same one again.
    fn partition_index(&mut self, (topic, partition): (&str, i32)) -> usize {
        let is_it = |known: &TopicPartition| known.partition == partition && &*known.topic == topic;
        if let Some(last) = self.entries.last()
            && is_it(&self.partitions[last.partition])
        {
            return last.partition;
        }
        self.partitions.iter().position(is_it).unwrap_or_else(|| {
            self.partitions.push(TopicPartition::new(topic, partition));
            self.partitions.len() - 1
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back_as_they_were_put() {
        let mut batch = Batch::default();
        batch.push(("a", 0), 3, Some(7), Some(b"key"), Some(b"value"), vec![("name".into(), Some(b"x".to_vec())), ("none".into(), None)]);
        batch.push(("b", 1), 4, None, None, None, Vec::new());
        batch.push(("a", 0), 9, None, None, Some(b""), Vec::new());
        let found: Vec<_> = batch.records().map(|record| (record.at.to_string(), record.offset, record.key, record.value)).collect();
        let expected = [("a/0", 3, Some(&b"key"[..]), Some(&b"value"[..])), ("b/1", 4, None, None), ("a/0", 9, None, Some(&b""[..]))];
        assert_eq!(found, expected.map(|(at, offset, key, value)| (at.to_owned(), offset, key, value)));
        let first = batch.records().next().unwrap();
        assert_eq!((first.header("name"), first.header("none"), first.headers().count()), (Some(&b"x"[..]), None, 2));
        batch.forget(&[TopicPartition::new("a", 0)]);
        assert_eq!(batch.records().map(|record| record.offset).collect::<Vec<_>>(), [4]);
    }

    #[test]
    fn records_that_stay_keep_their_bytes() {
        let mut batch = Batch::default();
        let values = ["one", "", "three", "four"].map(str::as_bytes);
        values.iter().zip(0..).for_each(|(value, offset)| batch.push(("a", 0), offset, None, Some(b"k"), Some(value), Vec::new()));
        batch.retain(|_, offset| offset % 2 == 1);
        let found: Vec<_> = batch.records().map(|record| (record.offset, record.key, record.value)).collect();
        assert_eq!(found, [(1, Some(&b"k"[..]), Some(values[1])), (3, Some(&b"k"[..]), Some(values[3]))]);
        assert_eq!(batch.size_bytes(), 6);
        batch.push(("b", 1), 9, None, None, Some(b"nine"), Vec::new());
        batch.retain(|at, _| at.partition == 1);
        assert_eq!((batch.len(), batch.size_bytes(), batch.records().next().unwrap().value), (1, 4, Some(&b"nine"[..])));
    }
}
