//! What is left out because it panicked.

use std::collections::BTreeSet;

use super::{Partition, Progress};
use crate::aggregates::{self, CONTRIBUTES_NOTHING};
use crate::event::CustomerKey;
use crate::feature::FeatureSet;
use crate::signal::Output;
use crate::time::Time;

/// What a partition leaves out as it comes to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Reviews by due time and customer. The customer then has none until its next event.
    pub reviews: BTreeSet<(Time, CustomerKey)>,
    /// UTC days whose sums are not told, by their ends.
    pub days: BTreeSet<Time>,
}

impl Partition {
    /// From now on leaves these out.
    pub fn leave_out(&mut self, left_out: &LeftOut) {
        if self.left_out != *left_out {
            self.left_out.clone_from(left_out);
        }
    }

    /// In place of a [`Self::review_now`] that panicked: ends the episodes of rules that are gone, and takes the customer's timer. Its next event
    /// evaluates it first. What cannot be done for it without a panic is not done either: the ends are not told, or it is in no sum until then.
    pub fn leave_out_review_now(&mut self, key: CustomerKey, outputs: &mut Vec<Output>) {
        let Some(slot) = self.index.get(key) else { return };
        self.take_over_or_forget(slot, outputs);
        let now = self.now_of(slot);
        let contributes = self.guarded(outputs, |partition, _| {
            let Some(entry) = partition.slots[slot as usize].as_mut() else { return };
            aggregates::contribute(&mut entry.customer, &mut partition.header.aggregates, FeatureSet::ALL, &partition.rules);
        });
        if let Some(entry) = self.slots[slot as usize].as_mut() {
            let customer = &mut *entry.customer;
            if !contributes {
                aggregates::withdraw(customer, &mut self.header.aggregates);
                customer.contributed_under = CONTRIBUTES_NOTHING;
            }
            customer.clock_due = now;
        }
        self.quarantine(slot, key);
    }

    /// Ends the episodes of rules that are gone, and tells of it if that does not panic.
    fn take_over_or_forget(&mut self, slot: u32, outputs: &mut Vec<Output>) {
        let Some(entry) = self.slots[slot as usize].as_ref() else { return };
        let (mut episodes, mut at_risk) = (entry.customer.episodes.clone(), entry.customer.at_risk);
        let (told, now) = (outputs.len(), self.now_of(slot));
        if self.guarded(outputs, |partition, outputs| partition.take_over(slot, outputs)) {
            return;
        }
        outputs.truncate(told);
        episodes.retain(|episode| {
            let is_gone = !self.rules.has(episode.rule);
            if is_gone && episode.is_open_at_risk() {
                at_risk.ended(now);
            }
            !is_gone
        });
        if let Some(entry) = self.slots[slot as usize].as_mut() {
            (entry.customer.episodes, entry.customer.at_risk) = (episodes, at_risk);
        }
    }

    /// Ends the present day, unless that is left out.
    pub(super) fn end_day(&mut self, next: Time, outputs: &mut Vec<Output>) -> Result<(), Progress> {
        let end = self.header.day_end;
        if self.left_out.days.contains(&end) {
            self.header.aggregates.poisoned += 1;
            self.header.pass_day_end(next);
            return Ok(());
        }
        let tell = |partition: &mut Self, outputs: &mut Vec<Output>| {
            outputs.extend(partition.header.end_day(next, &partition.rules).map(Output::Kpis));
        };
        if self.guarded(outputs, tell) { Ok(()) } else { Err(Progress::PoisonedDay(end)) }
    }

    /// Takes the timer of a customer whose review is left out.
    pub(super) fn quarantine(&mut self, slot: u32, key: CustomerKey) {
        self.header.aggregates.poisoned += 1;
        self.set_timer(slot, key, Time::NEVER);
        if let Some(entry) = self.slots[slot as usize].as_mut().filter(|entry| !entry.changed) {
            entry.changed = true;
            self.touched.push(key);
        }
    }
}
