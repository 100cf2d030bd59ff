//! The review for which a new rule set, or a source that resumes, asks of every customer.

use super::{Partition, Progress, Slot};
use crate::customer::Customer;
use crate::episode::Episode;
use crate::evaluate::{self, Evaluation};
use crate::event::CustomerKey;
use crate::feature::FeatureSet;
use crate::fold::Folded;
use crate::rule_set::RuleSet;
use crate::signal::{Expiry, Output};
use crate::time::Time;

impl Partition {
    /// Evaluates a resident customer at journal time under the rule set in force, as a new rule set asks for. It panics no more than a review
    /// does: then it returns [`Progress::PoisonedReviewOfAll`].
    #[must_use]
    pub fn review_now(&mut self, key: CustomerKey, outputs: &mut Vec<Output>) -> Progress {
        let Some(slot) = self.index.get(key) else { return Progress::Done };
        let review = |partition: &mut Self, outputs: &mut Vec<Output>| {
            partition.take_over(slot, outputs);
            partition.evaluate_all(slot, outputs);
            partition.settle(slot, key, Folded { dirty: FeatureSet::ALL, ..Folded::default() });
        };
        if self.guarded(outputs, review) { Progress::Done } else { Progress::PoisonedReviewOfAll(key) }
    }

    /// Brings what a customer's state keeps for rules in line with those in force: ends the episodes of rules that are gone.
    pub(super) fn take_over(&mut self, slot: u32, outputs: &mut Vec<Output>) {
        let now = self.now_of(slot);
        let Some(Slot { customer, .. }) = self.slots[slot as usize].as_mut() else { return };
        let rules = &*self.rules;
        let open = &mut self.header.aggregates.outcomes.open;
        customer.episodes.iter().filter(|episode| !rules.has(episode.rule)).for_each(|episode| open.remove(episode));
        adopt_own(customer, rules, now);
        let gone = |episode: &Episode| !rules.has(episode.rule);
        evaluate::expire(customer, rules, self.previous_rules.as_deref(), now, outputs, Expiry::RuleRemoved, gone);
    }

    fn evaluate_all(&mut self, slot: u32, outputs: &mut Vec<Output>) {
        let now = self.now_of(slot);
        let Some(Slot { customer, .. }) = self.slots[slot as usize].as_mut() else { return };
        self.rules.settings.poison.take_review(customer, now);
        let mut evaluation = Evaluation::new(&self.rules, self.frozen, now, outputs, &mut self.header.aggregates.outcomes);
        evaluation.everything(customer);
        self.header.aggregates.limited += u64::from(evaluation.limited);
    }

    /// Journal time, or the customer's own clock where that is ahead.
    pub(super) fn now_of(&self, slot: u32) -> Time {
        let clock = self.slots[slot as usize].as_ref().map_or(Time::MIN, |entry| entry.customer.clock);
        self.header.journal_time.max(clock)
    }
}

/// Brings what the customer's state knows for own features in line with those of the rule set in force.
fn adopt_own(customer: &mut Customer, rules: &RuleSet, now: Time) {
    let own = &rules.settings.own;
    if own.is_empty() {
        customer.own = None;
    } else {
        customer.own.get_or_insert_default().adopt(own, now.day());
    }
}
