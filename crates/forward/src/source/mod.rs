//! Where signals are read: a file that grows, or the partitions of a topic that this process is given.

mod file;
mod topic;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::error::ForwardError;
use crate::notice::Place;
use crate::tracker::Tracker;

pub(crate) use file::{FileSource, MAX_LINE_BYTES};
pub(crate) use topic::TopicSource;

/// Something that was read.
#[derive(Debug)]
pub(crate) struct Item {
    pub place: Place,
    /// A signal, or what stands there instead.
    pub body: Body,
}

#[derive(Debug)]
pub(crate) enum Body {
    Signal(Vec<u8>),
    /// Nothing to forward: a tombstone, or what is left of an erased customer.
    Nothing,
    /// No signal at all.
    Unreadable(Vec<u8>),
}

/// What a turn of reading brought.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    pub items: Vec<Item>,
    /// Whether there was nothing more.
    pub is_at_end: bool,
}

/// How far a route is behind the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lag {
    /// Records of a topic that are not settled, by partition.
    pub records: BTreeMap<i32, u64>,
    /// How old the oldest of them is.
    pub age: Duration,
    /// Bytes of a file that are not settled.
    pub bytes: Option<u64>,
}

/// One of both.
pub(crate) enum Source {
    File(FileSource),
    Topic(Box<TopicSource>),
}

impl Source {
    /// Reads at most so many signals, and waits for the first one. Partitions that come and go are told to the tracker.
    pub fn read(&mut self, room: usize, wait: Duration, tracker: &mut Tracker) -> Result<Turn, ForwardError> {
        match self {
            Self::File(file) => file.read(room, wait, tracker),
            Self::Topic(topic) => topic.read(room, wait, tracker),
        }
    }

    /// How far what is settled is behind the end; nothing where that cannot be asked now. `oldest_ms` is when the oldest signal on its way was appended.
    pub fn lag(&mut self, tracker: &Tracker, oldest_ms: Option<i64>) -> Option<Lag> {
        match self {
            Self::File(file) => file.lag(tracker),
            Self::Topic(topic) => topic.lag(tracker, oldest_ms),
        }
    }

    /// Keeps positions; false when that is to be tried again.
    pub fn keep(&mut self, positions: &[(i32, u64)]) -> Result<bool, ForwardError> {
        match self {
            Self::File(file) => file.keep(positions),
            Self::Topic(topic) => topic.keep(positions),
        }
    }
}
