//! Dead letters, read back: what each tells of itself, and putting them back to where they came from.

mod group;
mod passed;
mod put_back;

use bellwether_kafka::Received;

use super::dead_letters::header;

pub use put_back::{PutBack, partitions, put_back, to_put_back};

/// A dead letter.
#[derive(Clone, Copy, Debug)]
pub struct Letter<'a> {
    /// The record in the topic of dead letters.
    pub record: Received<'a>,
    /// The code of the reason.
    pub reason: &'a str,
    /// What exactly was wrong.
    pub message: &'a str,
    /// The topic it was read from.
    pub topic: &'a str,
    /// The partition it was read from.
    pub partition: i32,
    /// The offset at which it stood.
    pub offset: u64,
    /// The timestamp that it had, milliseconds since the epoch.
    pub timestamp_ms: Option<i64>,
    /// Bytes of key, value and headers of the whole record, if the letter holds only the beginning of it.
    pub whole_bytes: Option<u64>,
}

impl<'a> Letter<'a> {
    /// Reads the headers; `None` if the record is no dead letter of this program.
    #[must_use]
    pub fn of(record: Received<'a>) -> Option<Self> {
        let text = |name| std::str::from_utf8(record.header(name)?).ok();
        Some(Self {
            record,
            reason: text(header::REASON)?,
            message: text(header::MESSAGE)?,
            topic: text(header::TOPIC)?,
            partition: text(header::PARTITION)?.parse().ok()?,
            offset: text(header::OFFSET)?.parse().ok()?,
            timestamp_ms: text(header::TIMESTAMP).and_then(|digits| digits.parse().ok()),
            whole_bytes: text(header::SIZE).and_then(|digits| digits.parse().ok()),
        })
    }

    /// The headers that the record had before it was refused.
    pub fn original_headers(&self) -> impl Iterator<Item = (&'a str, Option<&'a [u8]>)> + use<'a> {
        self.record.headers().filter(|(name, _)| !name.starts_with(header::PREFIX))
    }
}

/// Which dead letters are meant: all, or those of one reason, or from one topic, or both.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LetterFilter {
    /// The code of the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The topic that they came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
}

impl LetterFilter {
    /// Whether a letter is meant.
    #[must_use]
    pub fn matches(&self, letter: &Letter<'_>) -> bool {
        self.reason.as_ref().is_none_or(|reason| reason == letter.reason) && self.topic.as_ref().is_none_or(|topic| topic == letter.topic)
    }

    /// Whether every letter is meant.
    fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// Whether all letters that another filter means are meant.
    fn covers(&self, other: &LetterFilter) -> bool {
        let covers = |ours: &Option<String>, theirs: &Option<String>| ours.is_none() || ours == theirs;
        covers(&self.reason, &other.reason) && covers(&self.topic, &other.topic)
    }
}
