//! A run of journal records of one partition, and folding it: the step that live and replay share.

use std::collections::{BTreeMap, BTreeSet};

use bellwether_engine::event::{CustomerKey, Event};
use bellwether_engine::partition::{LeftOut, Partition, Payload, Progress, Record};
use bellwether_engine::signal::Output;
use bellwether_engine::time::Time;

use crate::intake::{DecodedLine, Sequenced};

/// The line of a record without an event: a tick between events.
pub const TICK_LINE: u32 = u32::MAX;

/// Records of one partition in journal order, with a tick at the end where one is due.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    /// Journal offset of the first record.
    pub first_offset: u64,
    /// The journal offset of each record, where they have gaps; without it they are consecutive.
    pub offsets: Option<&'a [u64]>,
    /// The decoded lines that the records point into.
    pub lines: &'a [DecodedLine<'a>],
    /// The records with an event.
    pub records: &'a [Sequenced],
    /// A tick after them.
    pub tick: Option<Time>,
}

/// What one step of folding may do at most.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Records.
    pub records: u64,
    /// Reviews.
    pub reviews: u64,
}

impl Budget {
    /// No limits, as in a replay with all states in memory.
    pub const UNLIMITED: Budget = Budget { records: u64::MAX, reviews: u64::MAX };
}

/// What is left out of a fold: what panicked, and what is erased. A run that leaves out the same gives the same.
#[derive(Clone, Debug, Default)]
pub struct Skipped {
    /// Records by offset.
    pub records: BTreeSet<u64>,
    /// Reviews and days.
    pub left_out: LeftOut,
    /// Reviews of a customer for which the record of this offset asks of every customer.
    pub reviews_of_all: BTreeSet<(u64, CustomerKey)>,
    /// Customers that are erased at the record of this offset: their records before it are blanks.
    pub erased: BTreeMap<CustomerKey, u64>,
}

impl Skipped {
    /// How many things are left out because they panicked.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len() + self.left_out.reviews.len() + self.left_out.days.len() + self.reviews_of_all.len()
    }

    /// Whether nothing is left out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds what a fold stopped at; false if it was known, or no panic.
    pub fn add(&mut self, offset: u64, progress: Progress) -> bool {
        match progress {
            Progress::PoisonedRecord => self.records.insert(offset),
            Progress::PoisonedReview(due, key) => self.left_out.reviews.insert((due, key)),
            Progress::PoisonedReviewOfAll(key) => self.reviews_of_all.insert((offset, key)),
            Progress::PoisonedDay(end) => self.left_out.days.insert(end),
            Progress::Done | Progress::OutOfBudget | Progress::Missing(_) => false,
        }
    }

    /// Reviews a customer because the record at this offset asks for a review of every customer, unless that is left out.
    pub fn review_now(&self, offset: u64, key: CustomerKey, partition: &mut Partition, outputs: &mut Vec<Output>) -> Progress {
        if self.reviews_of_all.contains(&(offset, key)) {
            partition.leave_out_review_now(key, outputs);
            return Progress::Done;
        }
        partition.review_now(key, outputs)
    }

    /// The offset at which a customer is erased.
    #[must_use]
    pub fn erased_at(&self, key: CustomerKey) -> Option<u64> {
        self.erased.get(&key).copied()
    }

    /// Makes a blank of a record that is left out. Returns whether that is because it panicked.
    fn leave_out(&self, offset: u64, record: &mut Record<'_>) -> bool {
        if !self.erased.is_empty()
            && let Payload::Event { key, .. } = record.payload
            && self.erased_at(key).is_some_and(|erased_at| offset < erased_at)
        {
            record.payload = Payload::Tick;
        }
        let panicked = !self.records.is_empty() && self.records.contains(&offset);
        if panicked {
            record.payload = Payload::Tick;
        }
        panicked
    }
}

impl<'a> Run<'a> {
    /// Number of records, the tick included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len() + usize::from(self.tick.is_some())
    }

    /// Whether there is nothing to fold.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The journal offset of the record at an index; at the end, the one after the last record.
    #[must_use]
    pub fn offset(&self, index: usize) -> u64 {
        match self.offsets {
            Some(offsets) => offsets.get(index).copied().unwrap_or_else(|| offsets.last().map_or(self.first_offset, |last| last + 1)),
            None => self.first_offset + index as u64,
        }
    }

    /// The index of the first record at or after an offset.
    #[must_use]
    pub fn index_of(&self, offset: u64) -> usize {
        match self.offsets {
            Some(offsets) => offsets.partition_point(|found| *found < offset),
            None => (offset.saturating_sub(self.first_offset) as usize).min(self.len()),
        }
    }

    /// The first records of the run, without its tick.
    #[must_use]
    pub fn up_to(&self, end: usize) -> Run<'a> {
        Run { records: &self.records[..end.min(self.records.len())], tick: None, ..*self }
    }

    /// The watermark of the record at an index; that of the tick behind the last one.
    #[must_use]
    pub fn watermark(&self, index: usize) -> Time {
        self.records.get(index).map_or(self.tick.unwrap_or(Time::MIN), |record| record.watermark)
    }

    /// The event of the record at an index, if it has one, with the key of its customer and its identity.
    #[must_use]
    pub fn event(&self, index: usize) -> Option<(&'a Event<'a>, CustomerKey, u64)> {
        let sequenced = self.records.get(index)?;
        let decoded = self.lines.get(sequenced.line as usize)?.as_ref().ok()?;
        Some((&decoded.event, sequenced.key, sequenced.identity))
    }

    /// The largest watermark among the records from `start` to `end`.
    #[must_use]
    pub fn largest_watermark(&self, start: usize, end: usize) -> Option<Time> {
        let records = &self.records[start.min(self.records.len())..end.min(self.records.len())];
        let tick = self.tick.filter(|_| end > self.records.len());
        records.iter().map(|record| record.watermark).chain(tick).max()
    }

    /// Folds records from index `start` on until the end or the budget. Returns the index of the first record not folded, and why it stopped there.
    pub fn fold(
        &self,
        start: usize,
        partition: &mut Partition,
        budget: &mut Budget,
        skipped: &Skipped,
        outputs: &mut Vec<Output>,
    ) -> (usize, Progress) {
        partition.leave_out(&skipped.left_out);
        for index in start..self.len() {
            if budget.records == 0 {
                return (index, Progress::OutOfBudget);
            }
            let mut record = self.record(index);
            let panicked = skipped.leave_out(self.offset(index), &mut record);
            match partition.apply(&record, &mut budget.reviews, outputs) {
                Progress::Done => {
                    budget.records -= 1;
                    // Only now: the reviews before it may have taken several attempts.
                    partition.header.aggregates.poisoned += u64::from(panicked);
                }
                progress => return (index, progress),
            }
        }
        (self.len(), Progress::Done)
    }

    fn record(&self, index: usize) -> Record<'a> {
        match self.records.get(index) {
            Some(sequenced) => {
                let payload = match self.lines.get(sequenced.line as usize) {
                    Some(Ok(decoded)) => Payload::Event { event: &decoded.event, key: sequenced.key, identity: sequenced.identity },
                    _ => Payload::Tick,
                };
                Record { watermark: sequenced.watermark, payload }
            }
            None => Record { watermark: self.tick.unwrap_or(Time::MIN), payload: Payload::Tick },
        }
    }
}
