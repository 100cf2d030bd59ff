//! One journal partition: its customers, timers and aggregates, and the one function that folds a record.

mod erasing;
mod evicting;
mod leaving_out;
mod reviewing;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::aggregates::{self, CONTRIBUTES_NOTHING};
use crate::contribution::Contributed;
use crate::customer::Customer;
use crate::erasure::{Erased, ErasureKey};
use crate::evaluate::Evaluation;
use crate::event::{Body, CustomerKey, Event};
use crate::feature::FeatureSet;
use crate::feedback;
use crate::fold::Folded;
use crate::fold::fold;
pub use crate::header::Header;
use crate::index::Index;
pub use crate::record::{Payload, Progress, Record};
use crate::review::review;
use crate::rule_set::RuleSet;
use crate::signal::Output;
use crate::silence::{self, Families};
use crate::time::Time;
use crate::timers::Timers;
use crate::trace_parent;
use erasing::is_straggler;
pub use leaving_out::LeftOut;

/// Before any review: no review is due in 1970.
const NO_REVIEW: (Time, CustomerKey) = (Time(0), CustomerKey(0));

/// Work done since the partition was made; for measuring, not part of the fold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Reviews run.
    pub reviews: u64,
    /// Rules looked at.
    pub rules_evaluated: u64,
    /// Rules that every event and review could have looked at.
    pub rules_possible: u64,
    /// Customers taken out of memory, to be loaded again when they are needed.
    pub evicted: u64,
}

/// A customer in memory.
#[derive(Debug)]
struct Slot {
    /// Boxed, so that an evicted customer gives its memory back.
    customer: Box<Customer>,
    changed: bool,
    /// Looked at since the hand of the eviction clock last passed.
    used: bool,
    /// The memory that it takes, as told by whoever stores it.
    bytes: u32,
    /// The due time under which the customer stands in the timers.
    timer: Time,
    /// The due time as last committed.
    committed_timer: Time,
}

impl Slot {
    /// A customer never heard of before.
    fn new(customer: Customer) -> Self {
        let bytes = size_of::<Customer>() as u32;
        Self { customer: Box::new(customer), changed: false, used: true, bytes, timer: Time::NEVER, committed_timer: Time::NEVER }
    }
}

/// The working set of one journal partition.
#[derive(Debug)]
pub struct Partition {
    /// What is remembered beside the customers.
    pub header: Header,
    /// Work done.
    pub work: Work,
    rules: Arc<RuleSet>,
    /// The rule set before: episodes of rules that it had and the present one has not expire under its words.
    previous_rules: Option<Arc<RuleSet>>,
    /// Rules that are not looked at while sources are silent, one bit each.
    frozen: u128,
    index: Index,
    slots: Vec<Option<Slot>>,
    free: Vec<u32>,
    /// The memory that the customers take, as told.
    held_bytes: u64,
    timers: Timers,
    touched: Vec<CustomerKey>,
    erasure_key: ErasureKey,
    erased: Vec<Erased>,
    /// The last review run since the last record was done: with the offset of the record it precedes, the exact position in the journal.
    last_review: (Time, CustomerKey),
    /// Where the eviction clock stands.
    hand: usize,
    left_out: LeftOut,
}

impl Partition {
    /// A partition without customers.
    #[must_use]
    pub fn new(rules: Arc<RuleSet>, header: Header) -> Self {
        Self {
            frozen: silence::frozen(&rules, header.silent.families()),
            header: Header { rule_set: rules.number, ..header },
            work: Work::default(),
            rules,
            previous_rules: None,
            index: Index::default(),
            slots: Vec::new(),
            free: Vec::new(),
            held_bytes: 0,
            timers: Timers::default(),
            touched: Vec::new(),
            erasure_key: ErasureKey::default(),
            erased: Vec::new(),
            last_review: NO_REVIEW,
            hand: 0,
            left_out: LeftOut::default(),
        }
    }

    /// The last review run before the record that is being folded: its due time and customer. `None` when none was.
    #[must_use]
    pub fn last_review(&self) -> Option<(Time, CustomerKey)> {
        (self.last_review.0 > Time(0)).then_some(self.last_review)
    }

    /// Folds a record: first the reviews due at or before its journal time, each at its own time, then its event.
    /// `reviews` is the budget of reviews, counted down.
    pub fn apply(&mut self, record: &Record<'_>, reviews: &mut u64, outputs: &mut Vec<Output>) -> Progress {
        self.header.journal_time = self.header.journal_time.max(record.watermark);
        loop {
            let first = self.timers.first().filter(|(due, _)| *due <= self.header.journal_time);
            let mut slot = None;
            if let Some((due, key)) = first {
                slot = self.index.get(key);
                let Some(slot) = slot else { return Progress::Missing(key) };
                if self.left_out.reviews.contains(&(due, key)) {
                    self.quarantine(slot, key);
                    continue;
                }
                if *reviews == 0 {
                    return Progress::OutOfBudget;
                }
            }
            // A day ends together with what comes after it. Ended before a stop, where no position tells that it is, it would be told again by
            // whoever folds up to that position anew.
            let next = first.map_or(self.header.journal_time, |(due, _)| due);
            if self.header.day_end <= next && next != Time::MIN {
                if let Err(poisoned) = self.end_day(next, outputs) {
                    return poisoned;
                }
                continue;
            }
            let (Some((due, key)), Some(slot)) = (first, slot) else { break };
            *reviews -= 1;
            let review = |partition: &mut Self, outputs: &mut Vec<Output>| {
                partition.review(slot, due, outputs);
                partition.settle(slot, key, Folded::default());
            };
            if !self.guarded(outputs, review) {
                return Progress::PoisonedReview(due, key);
            }
            self.last_review = (due, key);
        }
        let Payload::Event { event, key, identity } = record.payload else {
            self.last_review = NO_REVIEW;
            return Progress::Done;
        };
        self.last_review = NO_REVIEW;
        if matches!(event.body, Body::Erased) {
            let done = self.guarded(outputs, |partition, outputs| partition.erase(key, event, outputs));
            return if done { Progress::Done } else { Progress::PoisonedRecord };
        }
        let slot = match self.index.get(key) {
            Some(slot) => slot,
            None => {
                let Some(customer) = self.admit(event) else { return Progress::Done };
                self.occupy(key, Slot::new(customer))
            }
        };
        let fold = |partition: &mut Self, outputs: &mut Vec<Output>| {
            let folded = partition.event(slot, event, identity, outputs);
            partition.settle(slot, key, folded);
        };
        if self.guarded(outputs, fold) { Progress::Done } else { Progress::PoisonedRecord }
    }

    /// Replaces the rule set, telling the one before where there was one. Every customer must then be reviewed.
    pub fn set_rules(&mut self, rules: Arc<RuleSet>, previous: Option<Arc<RuleSet>>) {
        self.header.rule_set = rules.number;
        self.rules = rules;
        self.previous_rules = previous;
        self.freeze();
    }

    /// A source has fallen silent: rules that read what it delivers neither raise nor clear anything until it has resumed.
    pub fn source_silent(&mut self, source: &str, families: Families) {
        self.header.silent.insert(source, families);
        self.freeze();
    }

    /// A source has resumed. Returns whether it was silent; then every customer must be reviewed.
    pub fn source_resumed(&mut self, source: &str) -> bool {
        let was_silent = self.header.silent.remove(source);
        self.freeze();
        was_silent
    }

    /// Whether the rule of this hash is frozen while a source is silent.
    #[must_use]
    pub fn is_frozen(&self, rule: u32) -> bool {
        self.rules.rules.iter().position(|known| known.hash == rule).is_some_and(|index| self.frozen & 1 << index != 0)
    }

    fn freeze(&mut self) {
        self.frozen = silence::frozen(&self.rules, self.header.silent.families());
    }

    /// The rule set in force.
    #[must_use]
    pub fn rules(&self) -> &Arc<RuleSet> {
        &self.rules
    }

    /// The rule set before, while customers are reviewed under a new one.
    #[must_use]
    pub fn previous_rules(&self) -> Option<&Arc<RuleSet>> {
        self.previous_rules.as_ref()
    }

    /// Puts a customer loaded from a store into memory; its timer was inserted before.
    pub fn insert(&mut self, mut customer: Customer) {
        // While customers are reviewed under a new rule set, those not reviewed yet contribute under the one before.
        let under = customer.contributed_under;
        let rules = self.previous_rules.as_ref().filter(|previous| previous.number == under).unwrap_or(&self.rules);
        customer.contributed = if under == CONTRIBUTES_NOTHING { Contributed::default() } else { Contributed::of(&customer, rules) };
        let (key, due) = (CustomerKey::of(&customer.id), customer.next_review());
        // Whoever has no timer has had a review left out.
        let timer = if self.timers.has(key, due) { due } else { Time::NEVER };
        self.occupy(key, Slot { customer: Box::new(customer), changed: false, used: true, bytes: 0, timer, committed_timer: timer });
    }

    /// Sets the timer of a customer that is not in memory, as stored.
    pub fn insert_timer(&mut self, due: Time, key: CustomerKey) {
        self.timers.set(key, Time::NEVER, due);
    }

    /// A customer in memory.
    #[must_use]
    pub fn get(&self, key: CustomerKey) -> Option<&Customer> {
        self.index.get(key).and_then(|slot| self.slots[slot as usize].as_ref()).map(|slot| &*slot.customer)
    }

    /// Customers in memory, in no meaningful order.
    pub fn customers(&self) -> impl Iterator<Item = &Customer> {
        self.slots.iter().flatten().map(|slot| &*slot.customer)
    }

    /// Number of customers in memory.
    #[must_use]
    pub fn resident(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// The customers due at or before a time, in order.
    pub fn due(&self, until: Time) -> impl Iterator<Item = CustomerKey> {
        self.timers.due(until)
    }

    /// Number of timers.
    #[must_use]
    pub fn timers(&self) -> usize {
        self.timers.len()
    }

    /// The customers changed since the last call, in the order of their keys, for a commit; with a due time where that changed too.
    pub fn take_changed(&mut self) -> Vec<(CustomerKey, Option<Time>)> {
        let mut touched = std::mem::take(&mut self.touched);
        touched.sort_unstable();
        let changed = touched.into_iter().filter_map(|key| {
            let entry = self.slots[self.index.get(key)? as usize].as_mut()?;
            entry.changed = false;
            let moved = entry.committed_timer != entry.timer;
            entry.committed_timer = entry.timer;
            Some((key, moved.then_some(entry.timer)))
        });
        changed.collect()
    }

    /// The one place where panics of the fold end: false when there was one.
    fn guarded(&mut self, outputs: &mut Vec<Output>, work: impl FnOnce(&mut Self, &mut Vec<Output>)) -> bool {
        catch_unwind(AssertUnwindSafe(|| work(self, outputs))).is_ok()
    }

    fn review(&mut self, slot: u32, due: Time, outputs: &mut Vec<Output>) {
        let Some(Slot { customer, .. }) = self.slots[slot as usize].as_mut() else { return };
        self.work.reviews += 1;
        review(customer, &self.rules, self.frozen, due, outputs, &mut self.header.aggregates, &mut self.work);
    }

    /// Folds an event and evaluates what it changed. Returns what it may have changed.
    fn event(&mut self, slot: u32, event: &Event<'_>, identity: u64, outputs: &mut Vec<Output>) -> Folded {
        let aggregates = &mut self.header.aggregates;
        aggregates.events += 1;
        let Some(Slot { customer, .. }) = self.slots[slot as usize].as_mut() else { return Folded::default() };
        if is_straggler(customer, event) {
            aggregates.stragglers += 1;
            return Folded::default();
        }
        let now = self.header.journal_time.max(event.time).max(customer.clock);
        // An event from ahead of journal time moves its customer's clock: what was due before comes first.
        while customer.next_review() <= now {
            let due = customer.next_review();
            review(customer, &self.rules, self.frozen, due, outputs, aggregates, &mut self.work);
        }
        let first = outputs.len();
        let folded = fold(customer, event, identity, now, &self.rules.settings);
        aggregates.duplicates += u64::from(folded.duplicate);
        aggregates.too_late += u64::from(folded.too_late);
        if folded.duplicate {
            return folded;
        }
        aggregates.kpis.count(customer, event, &folded, &self.rules.settings);
        let counts = &mut aggregates.outcomes;
        feedback::take(customer, event, identity, now, &self.rules, counts);
        let mut evaluation = Evaluation::new(&self.rules, self.frozen, now, outputs, counts);
        evaluation.changed(customer, folded.dirty);
        if folded.limited {
            customer.clock_due = customer.clock_due.min(customer.next_known(now));
        }
        aggregates.limited += u64::from(folded.limited || evaluation.limited);
        self.work.rules_evaluated += evaluation.evaluated;
        self.work.rules_possible += self.rules.rules.len() as u64;
        trace_parent::carry(event, &mut outputs[first..]);
        customer.midnight_due = now.day().next().start();
        folded
    }

    /// Brings aggregates and timers up to a customer that was just folded or reviewed.
    fn settle(&mut self, slot: u32, key: CustomerKey, folded: Folded) {
        let Some(entry) = self.slots[slot as usize].as_mut() else { return };
        entry.used = true;
        if !entry.changed {
            entry.changed = true;
            self.touched.push(key);
        }
        let dirty = if folded.contribution { FeatureSet::ALL } else { folded.dirty };
        aggregates::contribute(&mut entry.customer, &mut self.header.aggregates, dirty, &self.rules);
        let due = entry.customer.next_review();
        self.set_timer(slot, key, due);
    }

    fn set_timer(&mut self, slot: u32, key: CustomerKey, due: Time) {
        let Some(entry) = self.slots[slot as usize].as_mut() else { return };
        if entry.timer != due {
            self.timers.set(key, entry.timer, due);
            entry.timer = due;
        }
    }

    fn occupy(&mut self, key: CustomerKey, entry: Slot) -> u32 {
        self.held_bytes += u64::from(entry.bytes);
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = Some(entry);
                slot
            }
            None => {
                self.slots.push(Some(entry));
                self.slots.len() as u32 - 1
            }
        };
        self.index.insert(key, slot);
        slot
    }
}
