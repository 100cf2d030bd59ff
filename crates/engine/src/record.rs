//! Journal records as the fold takes them, and how far one got.

use crate::event::{CustomerKey, Event};
use crate::time::Time;

/// One record of a journal partition.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The watermark when it was journaled.
    pub watermark: Time,
    /// What it carries.
    pub payload: Payload<'a>,
}

/// What a record carries.
#[derive(Clone, Copy, Debug)]
pub enum Payload<'a> {
    /// An event of a customer, with hashes computed at ingest.
    Event {
        /// The event.
        event: &'a Event<'a>,
        /// `CustomerKey::of` its customer.
        key: CustomerKey,
        /// Its `identity()`.
        identity: u64,
    },
    /// The passing of time.
    Tick,
}

/// How far a record got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It is folded, and the reviews before it are run.
    Done,
    /// The budget of reviews is used up: commit, and come again with the same record.
    OutOfBudget,
    /// The next review needs the state of this customer, which is not here: commit, load, and come again.
    Missing(CustomerKey),
    /// Folding the record's event panicked: drop the working set, and fold again without the record.
    PoisonedRecord,
    /// The review of this customer that was due at this time panicked: drop the working set, and fold again without it.
    PoisonedReview(Time, CustomerKey),
    /// The review of this customer for which a record asks of every customer panicked: drop the working set, and fold again without it.
    PoisonedReviewOfAll(CustomerKey),
    /// Telling the sums of the UTC day that ends at this time panicked: drop the working set, and fold again without it.
    PoisonedDay(Time),
}

impl Progress {
    /// Whether something panicked.
    #[must_use]
    pub fn is_poisoned(self) -> bool {
        match self {
            Self::PoisonedRecord | Self::PoisonedReview(..) | Self::PoisonedReviewOfAll(_) | Self::PoisonedDay(_) => true,
            Self::Done | Self::OutOfBudget | Self::Missing(_) => false,
        }
    }
}
