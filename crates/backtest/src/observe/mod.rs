//! What an evaluation needs to know of a log, gathered while rules are replayed over it: little per customer, and never the events.

mod history;
mod observer;
mod rows;

pub use history::{Change, History, MAX_CHANGES, MAX_CONVERSIONS, MAX_EPISODES, ObservedEpisode, Score};
pub use observer::{ObservedCustomer, Observer};
pub use rows::{FeatureRow, MAX_ROWS_OF_PARTITION, is_quantity, row_features};

use bellwether_engine::time::Time;

/// A log as one rule set saw it.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// Every customer of the log, in the order of their ids.
    pub customers: Vec<ObservedCustomer>,
    /// Facts that were left out, since a customer had more of them than the limits allow.
    pub left_out: u64,
}

/// The log itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObservedLog {
    /// The first watermark.
    pub start: Time,
    /// The last one: what comes later is unknown. Of a customer in a partition that ends sooner less is known.
    pub end: Time,
    /// Events folded.
    pub events: u64,
    /// A sum of hashes over customer, identity and time of every event. It depends neither on their order nor on the format of a file.
    pub fingerprint: u64,
    /// Whether the log was left before its end.
    pub is_partial: bool,
}

impl Default for ObservedLog {
    fn default() -> Self {
        Self { start: Time::NEVER, end: Time::MIN, events: 0, fingerprint: 0, is_partial: false }
    }
}

impl ObservedLog {
    /// Puts two parts of one log together.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        Self {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
            events: self.events + other.events,
            fingerprint: self.fingerprint.wrapping_add(other.fingerprint),
            is_partial: self.is_partial || other.is_partial,
        }
    }
}

impl Observed {
    /// Puts the customers of several shards together, so that nothing tells how many there were.
    #[must_use]
    pub fn merge(shards: impl IntoIterator<Item = Observed>) -> Self {
        let shards: Vec<Self> = shards.into_iter().collect();
        let customers = Vec::with_capacity(shards.iter().map(|shard| shard.customers.len()).sum());
        let mut all = Self { customers, left_out: 0 };
        for mut shard in shards {
            all.customers.append(&mut shard.customers);
            all.left_out += shard.left_out;
        }
        all.customers.sort_unstable_by(|left, right| left.id.cmp(&right.id));
        all
    }
}
