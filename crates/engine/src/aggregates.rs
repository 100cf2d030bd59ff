//! Sums over the customers of a partition, moved by the difference when a customer changes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::contribution::Contribution;
use crate::customer::Customer;
use crate::event::Currency;
use crate::feature::FeatureSet;
use crate::journey::{JourneySums, MAX_STAGES};
use crate::kpi::{self, KpiSums, Month};
use crate::outcome_counts::OutcomeCounts;
use crate::rule_set::RuleSet;
use crate::time::Day;

/// Sums over the customers of a partition; those of several partitions add up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aggregates {
    /// Customers ever seen and not erased.
    pub customers: i64,
    /// Customers with a running subscription.
    pub active_customers: i64,
    /// Customers by stage, an index into the stages of the rule set.
    pub customers_by_stage: [i64; MAX_STAGES],
    /// Customers by quadrant, and the time that they were in stages.
    pub journey: JourneySums,
    /// MRR of running subscriptions, minor units by currency.
    pub mrr_minor: BTreeMap<Currency, i64>,
    /// Events folded, duplicates included.
    pub events: u64,
    /// Events dropped because their source and id were among the customer's last ones.
    pub duplicates: u64,
    /// Events whose day had left the windows.
    pub too_late: u64,
    /// Events that met a full table of a state, and evaluations in which a rule had something to say about one thing more than it may speak of.
    pub limited: u64,
    /// Events dropped because they are dated before the erasure of their customer.
    pub stragglers: u64,
    /// Records and reviews left out because folding them panicked.
    pub poisoned: u64,
    /// What KPIs are computed from.
    pub kpis: KpiSums,
    /// What came of signals.
    pub outcomes: OutcomeCounts,
}

impl Aggregates {
    /// Adds what a customer contributes, or takes it away where `sign` is -1.
    fn add(&mut self, contribution: &Contribution, sign: i64) {
        if !contribution.counted {
            return;
        }
        self.kpis.contribute(&contribution.kpis, sign);
        self.customers += sign;
        self.active_customers += sign * i64::from(contribution.active);
        self.customers_by_stage[usize::from(contribution.stage) % MAX_STAGES] += sign;
        self.journey.add(&contribution.journey, sign);
        for (currency, mrr) in &contribution.mrr_minor {
            add(&mut self.mrr_minor, *currency, sign.wrapping_mul(*mrr));
        }
    }

    /// Adds those of another partition that has come to the same time.
    pub fn merge(&mut self, other: &Self) {
        self.customers += other.customers;
        self.active_customers += other.active_customers;
        self.customers_by_stage.iter_mut().zip(other.customers_by_stage).for_each(|(sum, count)| *sum += count);
        for (currency, mrr) in &other.mrr_minor {
            add(&mut self.mrr_minor, *currency, *mrr);
        }
        self.events += other.events;
        self.duplicates += other.duplicates;
        self.too_late += other.too_late;
        self.limited += other.limited;
        self.stragglers += other.stragglers;
        self.journey.merge(&other.journey);
        self.poisoned += other.poisoned;
        self.kpis.merge(&other.kpis);
        self.outcomes.add(&other.outcomes);
    }

    /// Journal time has come into a day.
    pub(crate) fn enter(&mut self, day: Day) {
        self.kpis.enter(Month::of(day));
    }
}

/// Adds without an end, so that what is taken away again leaves no trace, also where a sum was too large in between.
fn add(sums: &mut BTreeMap<Currency, i64>, currency: Currency, amount: i64) {
    let sum = sums.entry(currency).or_default();
    *sum = sum.wrapping_add(amount);
}

/// Stands for the rule set under which a customer contributes that is in no sum: what it adds could not be computed.
pub(crate) const CONTRIBUTES_NOTHING: u32 = u32::MAX;

/// Moves the aggregates by what a customer contributes now instead of before; `dirty` are the features that an event may have changed.
pub(crate) fn contribute(customer: &mut Customer, aggregates: &mut Aggregates, dirty: FeatureSet, rules: &RuleSet) {
    rules.settings.poison.take_contribution(customer);
    let known = &customer.contributed;
    let is_known = customer.contributed_under == rules.number && !known.is_nothing();
    if is_known && !dirty.intersects(kpi::CONTRIBUTING) && known.stands(customer, rules) {
        return;
    }
    customer.contributed_under = rules.number;
    let after = Contribution::of(customer, rules);
    replace(customer, aggregates, &after);
}

/// Takes away what a customer contributes, before it is forgotten.
pub(crate) fn withdraw(customer: &mut Customer, aggregates: &mut Aggregates) {
    replace(customer, aggregates, &Contribution::default());
}

fn replace(customer: &mut Customer, aggregates: &mut Aggregates, after: &Contribution) {
    let before = std::mem::replace(&mut customer.contributed, after.remembered());
    if before.is_same_amount(&customer.contributed) {
        return;
    }
    aggregates.add(&before.recalled(), -1);
    aggregates.add(after, 1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_that_is_taken_away_again_leaves_no_trace() {
        const EUR: Currency = Currency(*b"EUR");
        let paying = |minor: i64| {
            let mut contribution = Contribution::default();
            (contribution.counted, contribution.mrr_minor) = (true, vec![(EUR, minor)]);
            contribution
        };
        let (mut one, mut other) = (Aggregates::default(), Aggregates::default());
        one.add(&paying(i64::MAX), 1);
        one.add(&paying(500), 1);
        one.add(&paying(i64::MAX), -1);
        assert_eq!(one.mrr_minor[&EUR], 500);
        // So do partitions that are too much together.
        one.add(&paying(i64::MAX), 1);
        other.add(&paying(7), 1);
        other.merge(&one);
        other.add(&paying(i64::MAX), -1);
        assert_eq!(other.mrr_minor[&EUR], 507);
    }
}
