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
    headers: &'a [Header],
    bytes: &'a [u8],
}

impl<'a> Received<'a> {
    /// Its headers, in their order; a name may come more than once.
    pub fn headers(&self) -> impl Iterator<Item = (&'a str, Option<&'a [u8]>)> + use<'a> {
        let (headers, bytes) = (self.headers, self.bytes);
        headers.iter().map(|header| {
            let name = std::str::from_utf8(&bytes[header.name.clone()]).expect("it was put in as text");
            (name, header.value.clone().map(|range| &bytes[range]))
        })
    }

    /// The first header of this name that has a value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        let found = self.headers.iter().find(|header| &self.bytes[header.name.clone()] == name.as_bytes());
        found?.value.clone().map(|range| &self.bytes[range])
    }
}

/// Records in the order in which they were read; within a partition in the order of their offsets.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Of each record its key, its value, and names and values of its headers, one after the other.
    bytes: Vec<u8>,
    partitions: Vec<TopicPartition>,
    entries: Vec<Entry>,
    headers: Vec<Header>,
}

#[derive(Clone, Debug)]
struct Entry {
    partition: usize,
    offset: u64,
    timestamp_ms: Option<i64>,
    key: Option<Range<usize>>,
    value: Option<Range<usize>>,
    headers: Range<usize>,
}

/// Where the name, which is text, and the value of a header stand.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Header {
    name: Range<usize>,
    value: Option<Range<usize>>,
}

impl Batch {
    /// Adds a record at the end, without headers.
    pub fn push(&mut self, at: (&str, i32), offset: u64, timestamp_ms: Option<i64>, key: Option<&[u8]>, value: Option<&[u8]>) {
        let partition = self.partition_index(at);
        let (key, value) = (key.map(|key| self.add(key)), value.map(|value| self.add(value)));
        let headers = self.headers.len()..self.headers.len();
        self.entries.push(Entry { partition, offset, timestamp_ms, key, value, headers });
    }

    /// Adds a header to the last record.
    pub fn push_header(&mut self, name: &str, value: Option<&[u8]>) {
        let (name, value) = (self.add(name.as_bytes()), value.map(|value| self.add(value)));
        if let Some(last) = self.entries.last_mut() {
            self.headers.push(Header { name, value });
            last.headers.end = self.headers.len();
        }
    }

    fn add(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
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

    /// Bytes of keys, values and headers.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The records.
    pub fn records(&self) -> impl Iterator<Item = Received<'_>> {
        self.entries.iter().map(|entry| self.received(entry))
    }

    /// The record at this place among them, from 0 on.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Received<'_>> {
        self.entries.get(index).map(|entry| self.received(entry))
    }

    fn received(&self, entry: &Entry) -> Received<'_> {
        Received {
            at: &self.partitions[entry.partition],
            offset: entry.offset,
            timestamp_ms: entry.timestamp_ms,
            key: entry.key.clone().map(|range| &self.bytes[range]),
            value: entry.value.clone().map(|range| &self.bytes[range]),
            headers: &self.headers[entry.headers.clone()],
            bytes: &self.bytes,
        }
    }

    /// Forgets the records, and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
        self.headers.clear();
    }

    /// Forgets the records of these partitions.
    pub fn forget(&mut self, gone: &[TopicPartition]) {
        self.retain(|at, _| !gone.contains(at));
    }

    /// Keeps the records of which this says so, by partition and offset, and gives the place of the others back.
    pub fn retain(&mut self, is_kept: impl Fn(&TopicPartition, u64) -> bool) {
        let partitions = &self.partitions;
        self.entries.retain(|entry| is_kept(&partitions[entry.partition], entry.offset));
        let (mut end, mut headers_end) = (0, 0);
        // Ranges follow one another in the order of the entries, so each moves towards the beginning.
        let bytes = &mut self.bytes;
        let mut move_down = |range: &mut Range<usize>| {
            let length = range.len();
            bytes.copy_within(range.clone(), end);
            *range = end..end + length;
            end += length;
        };
        for entry in &mut self.entries {
            entry.key.iter_mut().chain(&mut entry.value).for_each(&mut move_down);
            let start = headers_end;
            for from in entry.headers.clone() {
                self.headers.swap(from, headers_end);
                let Header { name, value } = &mut self.headers[headers_end];
                move_down(name);
                value.iter_mut().for_each(&mut move_down);
                headers_end += 1;
            }
            entry.headers = start..headers_end;
        }
        self.headers.truncate(headers_end);
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
        batch.push(("a", 0), 3, Some(7), Some(b"key"), Some(b"value"));
        batch.push_header("name", Some(b"x"));
        batch.push_header("none", None);
        batch.push(("b", 1), 4, None, None, None);
        batch.push(("a", 0), 9, None, None, Some(b""));
        let found: Vec<_> = batch.records().map(|record| (record.at.to_string(), record.offset, record.key, record.value)).collect();
        let expected = [("a/0", 3, Some(&b"key"[..]), Some(&b"value"[..])), ("b/1", 4, None, None), ("a/0", 9, None, Some(&b""[..]))];
        assert_eq!(found, expected.map(|(at, offset, key, value)| (at.to_owned(), offset, key, value)));
        let first = batch.records().next().unwrap();
        assert_eq!((first.header("name"), first.header("none"), first.header("nam")), (Some(&b"x"[..]), None, None));
        assert_eq!(first.headers().collect::<Vec<_>>(), [("name", Some(&b"x"[..])), ("none", None)]);
        assert_eq!(batch.records().map(|record| record.headers().count()).collect::<Vec<_>>(), [2, 0, 0]);
        batch.forget(&[TopicPartition::new("a", 0)]);
        assert_eq!(batch.records().map(|record| record.offset).collect::<Vec<_>>(), [4]);
    }

    #[test]
    fn records_that_stay_keep_their_bytes() {
        let mut batch = Batch::default();
        let values = ["one", "", "three", "four"].map(str::as_bytes);
        for (value, offset) in values.iter().zip(0..) {
            batch.push(("a", 0), offset, None, Some(b"k"), Some(value));
            batch.push_header("h", Some(value));
            batch.push_header("none", None);
        }
        batch.retain(|_, offset| offset % 2 == 1);
        let found: Vec<_> = batch.records().map(|record| (record.offset, record.key, record.value, record.headers().collect())).collect();
        let headers = |value| vec![("h", Some(value)), ("none", None)];
        let expected =
            [(1, Some(&b"k"[..]), Some(values[1]), headers(values[1])), (3, Some(&b"k"[..]), Some(values[3]), headers(values[3]))];
        assert_eq!(found, expected);
        assert_eq!(batch.size_bytes(), 6 + 14, "headers count");
        batch.push(("b", 1), 9, None, None, Some(b"nine"));
        batch.push_header("h", Some(b"9"));
        batch.retain(|at, _| at.partition == 1);
        let last = batch.records().next().unwrap();
        assert_eq!((batch.len(), batch.size_bytes(), last.value, last.header("h")), (1, 6, Some(&b"nine"[..]), Some(&b"9"[..])));
    }
}
