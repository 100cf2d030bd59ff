//! The log of one partition: records, the markers of transactions, and how far a reader of committed records may go.

use std::collections::{BTreeMap, VecDeque};

use super::transactions::ProducerId;

/// A record as it stands in a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its offset.
    pub offset: u64,
    /// Milliseconds since the epoch: the producer's, or of the append, as the topic has it.
    pub timestamp_ms: i64,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Names and values of its headers, in order.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

/// One partition. Every offset from its start to its end is a record or a marker.
#[derive(Clone, Debug, Default)]
pub(super) struct Log {
    start: u64,
    entries: VecDeque<Entry>,
    /// The first offset of each transaction that has no marker here yet.
    open: BTreeMap<ProducerId, u64>,
}

#[derive(Clone, Debug)]
enum Entry {
    Record(Record, Outcome),
    Marker,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Open(ProducerId),
    Committed,
    Aborted,
}

impl Log {
    /// The first offset that exists.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// The offset that the next record gets.
    pub fn end(&self) -> u64 {
        self.start + self.entries.len() as u64
    }

    /// Below it every transaction is decided: the first offset of the earliest open one, or else the end.
    pub fn last_stable(&self) -> u64 {
        self.open.values().min().copied().unwrap_or(self.end()).max(self.start)
    }

    /// Appends a record, which gets the next offset; a record of a producer is open until that producer's marker comes.
    pub fn append(&mut self, record: Record, producer: Option<ProducerId>) -> u64 {
        let offset = self.end();
        let outcome = producer.map_or(Outcome::Committed, Outcome::Open);
        if let Some(producer) = producer {
            self.open.entry(producer).or_insert(offset);
        }
        self.entries.push_back(Entry::Record(Record { offset, ..record }, outcome));
        offset
    }

    /// Writes the marker that ends a producer's transaction here. It takes an offset, also where there was nothing to end.
    pub fn mark(&mut self, producer: ProducerId, commit: bool) {
        let decided = if commit { Outcome::Committed } else { Outcome::Aborted };
        if let Some(first) = self.open.remove(&producer) {
            let skipped = self.index(first.max(self.start));
            for entry in self.entries.iter_mut().skip(skipped) {
                if let Entry::Record(_, outcome) = entry
                    && *outcome == Outcome::Open(producer)
                {
                    *outcome = decided;
                }
            }
        }
        self.entries.push_back(Entry::Marker);
    }

    /// Forgets everything below an offset, as retention does. An offset beyond the end counts as the end.
    pub fn delete_before(&mut self, offset: u64) {
        let start = offset.clamp(self.start, self.end());
        self.entries.drain(..self.index(start));
        self.start = start;
    }

    /// Whether a reader may stand at an offset: not before the start, and not beyond the end.
    pub fn holds(&self, offset: u64) -> bool {
        (self.start..=self.end()).contains(&offset)
    }

    /// The committed records from an offset on, up to the last stable offset.
    pub fn committed_from(&self, offset: u64) -> impl Iterator<Item = &Record> {
        let from = offset.max(self.start);
        let readable = self.last_stable().saturating_sub(from) as usize;
        self.entries.iter().skip(self.index(from)).take(readable).filter_map(|entry| match entry {
            Entry::Record(record, Outcome::Committed) => Some(record),
            Entry::Record(..) | Entry::Marker => None,
        })
    }

    fn index(&self, offset: u64) -> usize {
        (offset - self.start) as usize
    }
}
