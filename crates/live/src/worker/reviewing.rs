//! The review of all customers for which a new rule set, or a source that resumes, asks.

use std::sync::Arc;

use bellwether_engine::event::CustomerKey;
use bellwether_engine::partition::Progress;
use bellwether_engine::rule_set::RuleSet;
use bellwether_store::{Position, Store};

use super::Worker;
use crate::error::LiveError;
use crate::options::BatchLimits;

/// A position inside a review of all customers has this due time.
const RULES_REVIEW_DUE: i64 = i64::MAX;

/// How far some reviews got.
enum Reviewed {
    /// Up to this customer; none when there was none left.
    UpTo(Option<CustomerKey>),
    /// The review of one panicked.
    Poisoned(Progress),
}

impl Worker {
    /// Reviews the next customers because of the record at `offset`, in the order of their keys; `before` are the rules until then.
    /// Returns whether all are reviewed; then the position is behind the record.
    pub fn review_all(
        &mut self,
        store: &Store,
        offset: u64,
        limits: BatchLimits,
        before: Option<&Arc<RuleSet>>,
    ) -> Result<bool, LiveError> {
        let start = self.position;
        let suppressed = self.is_catching_up();
        let last = loop {
            self.begin_health(suppressed);
            match self.review_next(store, offset, limits, before)? {
                Reviewed::UpTo(last) => break last,
                Reviewed::Poisoned(progress) => self.leave_out(store, offset, progress)?,
            }
        };
        self.position = match last {
            Some(key) => Position { offset, review_due: RULES_REVIEW_DUE, customer: key.0 },
            None => Position { offset: offset + 1, ..Position::default() },
        };
        if suppressed {
            self.forget_outputs();
        }
        self.collect_changes(start);
        Ok(last.is_none())
    }

    /// Whether a review of all customers is under way.
    pub fn is_reviewing_all(&self) -> bool {
        self.position.review_due == RULES_REVIEW_DUE
    }

    fn review_next(
        &mut self,
        store: &Store,
        offset: u64,
        limits: BatchLimits,
        before: Option<&Arc<RuleSet>>,
    ) -> Result<Reviewed, LiveError> {
        let from = if self.is_reviewing_all() { self.position.customer.checked_add(1) } else { Some(0) };
        let ends_here = self.is_catching_up() && self.catching_up_to.offset == offset;
        let until = if ends_here { self.catching_up_to.customer } else { u128::MAX };
        let mut last = None;
        let Some(from) = from else { return Ok(Reviewed::UpTo(last)) };
        for stored in store.all_states(self.number, from).take(limits.reviews.max(1) as usize) {
            let (key, bytes) = stored?;
            if key > until {
                break;
            }
            let key = CustomerKey(key);
            if self.partition.get(key).is_none() {
                self.insert(key, &bytes)?;
            }
            if let (Some(health), Some(customer), Some(rules)) = (&mut self.health, self.partition.get(key), before) {
                health.before(key, customer, rules);
            }
            let progress = self.skipped.review_now(offset, key, &mut self.partition, &mut self.outputs);
            if progress.is_poisoned() {
                return Ok(Reviewed::Poisoned(progress));
            }
            last = Some(key);
        }
        Ok(Reviewed::UpTo(last))
    }
}
