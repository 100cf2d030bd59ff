//! Which dead letters of a partition were put back already: an offset, and beside it what was put back of some kinds only.

use bellwether_kafka::{CommittedOffset, TopicPartition};
use serde::{Deserialize, Serialize};

use super::super::error::JournalError;
use super::{Letter, LetterFilter};

/// Brokers take so much beside an offset (`offset.metadata.max.bytes`).
const MAX_METADATA_BYTES: usize = 4_096;

/// What was put back of a partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Passed {
    /// All before this offset.
    next: u64,
    /// Further on, those of some kinds.
    kinds: Vec<Kind>,
}

/// The letters of a kind before an offset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Kind {
    #[serde(flatten)]
    filter: LetterFilter,
    until: u64,
}

/// What stands beside the committed offset.
#[derive(Debug, Serialize, Deserialize)]
struct Beside {
    put_back: Vec<Kind>,
}

impl Passed {
    /// Reads what is committed; without anything, nothing was put back.
    pub fn read(at: &TopicPartition, committed: Option<&CommittedOffset>) -> Result<Self, JournalError> {
        let Some(committed) = committed else { return Ok(Self::default()) };
        let beside: Beside = serde_json::from_str(&committed.metadata)
            .map_err(|error| JournalError::Metadata { at: at.to_string(), reason: error.to_string() })?;
        Ok(Self { next: committed.offset, kinds: beside.put_back })
    }

    /// Where to begin to look for letters of a kind.
    pub fn start(&self, filter: &LetterFilter) -> u64 {
        let covering = self.kinds.iter().filter(|kind| kind.filter.covers(filter)).map(|kind| kind.until);
        covering.fold(self.next, u64::max)
    }

    /// Whether a letter was put back.
    pub fn has(&self, letter: &Letter<'_>) -> bool {
        let offset = letter.record.offset;
        offset < self.next || self.kinds.iter().any(|kind| offset < kind.until && kind.filter.matches(letter))
    }

    /// All letters of a kind before this offset are put back now.
    pub fn pass(&mut self, filter: &LetterFilter, until: u64) {
        if filter.is_all() {
            self.next = self.next.max(until);
        } else if self.start(filter) < until {
            self.kinds.push(Kind { filter: filter.clone(), until });
        }
        let next = self.next;
        let latest = self.kinds.last().cloned();
        let is_told_by_the_latest = |kind: &Kind| {
            latest.as_ref().is_some_and(|latest| kind != latest && latest.filter.covers(&kind.filter) && kind.until <= latest.until)
        };
        self.kinds.retain(|kind| kind.until > next && !is_told_by_the_latest(kind));
    }

    /// The same as an offset and what stands beside it; `None` if it is too much to stand there.
    pub fn committed(&self) -> Option<CommittedOffset> {
        let metadata = serde_json::to_string(&Beside { put_back: self.kinds.clone() }).expect("text and numbers always serialise");
        (metadata.len() <= MAX_METADATA_BYTES).then_some(CommittedOffset { offset: self.next, metadata })
    }
}

#[cfg(test)]
mod tests {
    use bellwether_kafka::Batch;

    use super::super::super::dead_letters::header;
    use super::*;

    fn filter(reason: &str, topic: &str) -> LetterFilter {
        let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        LetterFilter { reason: given(reason), topic: given(topic) }
    }

    /// Letters at the offsets 0 to 5: of the reasons a and b in turn, the first three from the topic x and the others from y.
    fn letters() -> Batch {
        let mut batch = Batch::default();
        for offset in 0..6 {
            let (reason, topic) = ([b"a", b"b"][offset % 2], [b"x", b"y"][offset / 3]);
            let headers = [(header::REASON, &reason[..]), (header::MESSAGE, b""), (header::TOPIC, topic), (header::PARTITION, b"0")];
            batch.push(("letters", 0), offset as u64, None, None, None);
            headers.iter().for_each(|(name, value)| batch.push_header(name, Some(value)));
            batch.push_header(header::OFFSET, Some(b"9"));
        }
        batch
    }

    fn left(passed: &Passed) -> Vec<u64> {
        let letters = letters();
        let letters = letters.records().filter_map(Letter::of);
        letters.filter(|letter| !passed.has(letter)).map(|letter| letter.record.offset).collect()
    }

    #[test]
    fn kinds_are_put_back_apart_and_none_twice() {
        let at = TopicPartition::new("letters", 0);
        let mut passed = Passed::default();
        assert_eq!(left(&passed), [0, 1, 2, 3, 4, 5]);
        passed.pass(&filter("a", ""), 3);
        assert_eq!((left(&passed), passed.start(&filter("a", "")), passed.start(&filter("", ""))), (vec![1, 3, 4, 5], 3, 0));
        assert_eq!(passed.start(&filter("a", "x")), 3, "what all of a kind tells, tells part of it");
        passed.pass(&filter("", "y"), 5);
        assert_eq!(left(&passed), [1, 5]);
        assert_eq!(Passed::read(&at, passed.committed().as_ref()), Ok(passed.clone()), "it comes back as it was committed");
        passed.pass(&filter("a", ""), 6);
        assert_eq!((left(&passed), passed.kinds.len()), (vec![1, 5], 2), "the later of a kind replaces the earlier");
        passed.pass(&filter("", ""), 5);
        assert_eq!((left(&passed), passed.next, passed.kinds.len()), (vec![5], 5, 1));
        passed.pass(&filter("", ""), 6);
        assert_eq!((left(&passed), passed), (vec![], Passed { next: 6, kinds: Vec::new() }));
    }

    #[test]
    fn there_is_room_for_so_many_kinds_only() {
        let mut passed = Passed::default();
        for kind in 0..40 {
            passed.pass(&filter("missing_field", &format!("a-topic-with-a-rather-long-name-{kind}")), 7);
        }
        assert!(passed.committed().is_some());
        for kind in 40..80 {
            passed.pass(&filter("missing_field", &format!("a-topic-with-a-rather-long-name-{kind}")), 7);
        }
        assert_eq!(passed.committed(), None);
        passed.pass(&filter("missing_field", ""), 8);
        assert!(passed.committed().is_some_and(|committed| committed.metadata.len() < 100), "the whole kind replaces its parts");
    }

    #[test]
    fn what_another_program_committed_is_an_error() {
        let foreign = CommittedOffset { offset: 3, metadata: String::new() };
        assert!(Passed::read(&TopicPartition::new("letters", 0), Some(&foreign)).is_err());
    }
}
