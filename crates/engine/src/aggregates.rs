//! Sums over the customers of a partition, moved by the difference when a customer changes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::customer::Customer;
use crate::event::Currency;
use crate::feature::FeatureSet;
use crate::journey::{JourneyPart, JourneySums, MAX_STAGES};
use crate::kpi::{self, KpiContribution, KpiSums, Month};
use crate::outcome_counts::OutcomeCounts;
use crate::rule_set::RuleSet;
use crate::time::Day;

/// The currency code of money that came without one (ISO 4217 "no currency").
pub const NO_CURRENCY: Currency = Currency(*b"XXX");

/// What a customer adds to the aggregates of its partition.
#[derive(Clone, Debug, Default)]
pub struct Contribution {
    counted: bool,
    active: bool,
    stage: u8,
    journey: JourneyPart,
    mrr_minor: Vec<(Currency, i64)>,
    kpis: KpiContribution,
    /// Before this day time alone changes nothing of it.
    stands_until: Day,
}

/// No part of the state: it follows from the rest, and the rule set.
impl PartialEq for Contribution {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

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
    /// Events that met a full table of a state.
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

/// The subject of events about ourselves, which is no customer.
const COMPANY: &str = "_company";

impl Contribution {
    /// What a customer contributes as it was when it was last evaluated, under a rule set.
    #[must_use]
    pub fn of(customer: &Customer, rules: &RuleSet) -> Self {
        let today = customer.clock.day();
        Self {
            counted: *customer.id != *COMPANY,
            active: customer.billing.active().next().is_some(),
            stage: customer.health.stage,
            journey: JourneyPart {
                quadrant: customer.health.quadrant,
                entered: customer.journey.entered(),
                stays: customer.journey.stays().to_vec(),
            },
            mrr_minor: mrr_by_currency(customer),
            kpis: KpiContribution::of(customer, rules),
            stands_until: kpi::next_change(customer, today).unwrap_or(Day(i32::MAX)),
        }
    }
}

impl Contribution {
    /// Whether neither time nor an evaluation has changed anything of it.
    fn stands(&self, customer: &Customer, rules: &RuleSet) -> bool {
        self.stage == customer.health.stage
            && self.journey.quadrant == customer.health.quadrant
            && self.journey.entered == customer.journey.entered()
            && customer.clock.day() < self.stands_until
            && self.kpis.has_grade(customer.health.grade(&rules.settings.health))
    }
}

impl Aggregates {
    /// Adds those of another partition that has come to the same time.
    pub fn merge(&mut self, other: &Self) {
        self.customers += other.customers;
        self.active_customers += other.active_customers;
        self.customers_by_stage.iter_mut().zip(other.customers_by_stage).for_each(|(sum, count)| *sum += count);
        for (currency, mrr) in &other.mrr_minor {
            *self.mrr_minor.entry(*currency).or_default() += mrr;
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

/// Moves the aggregates by what a customer contributes now instead of before; `dirty` are the features that an event may have changed.
pub(crate) fn contribute(customer: &mut Customer, aggregates: &mut Aggregates, dirty: FeatureSet, rules: &RuleSet) {
    let known = &customer.contribution;
    let is_known = customer.contributed_under == rules.number && (known.counted || *customer.id == *COMPANY);
    if is_known && !dirty.intersects(kpi::CONTRIBUTING) && known.stands(customer, rules) {
        return;
    }
    customer.contributed_under = rules.number;
    let after = Contribution::of(customer, rules);
    replace(customer, aggregates, after);
}

/// Takes away what a customer contributes, before it is forgotten.
pub(crate) fn withdraw(customer: &mut Customer, aggregates: &mut Aggregates) {
    replace(customer, aggregates, Contribution::default());
}

fn replace(customer: &mut Customer, aggregates: &mut Aggregates, after: Contribution) {
    for (contribution, sign) in [(&customer.contribution, -1), (&after, 1)] {
        if !contribution.counted {
            continue;
        }
        aggregates.kpis.contribute(&contribution.kpis, sign);
        aggregates.customers += sign;
        aggregates.active_customers += sign * i64::from(contribution.active);
        aggregates.customers_by_stage[usize::from(contribution.stage) % MAX_STAGES] += sign;
        aggregates.journey.add(&contribution.journey, sign);
        for (currency, mrr) in &contribution.mrr_minor {
            let total = aggregates.mrr_minor.entry(*currency).or_default();
            *total = total.saturating_add(sign * mrr);
        }
    }
    customer.contribution = after;
}

fn mrr_by_currency(customer: &Customer) -> Vec<(Currency, i64)> {
    let mut sums: Vec<(Currency, i64)> = Vec::new();
    for subscription in customer.billing.active().filter(|subscription| !subscription.is_trial()) {
        let currency = subscription.currency.get().copied().unwrap_or(NO_CURRENCY);
        let mrr = subscription.mrr_minor.get().copied().unwrap_or(0);
        match sums.iter_mut().find(|(known, _)| *known == currency) {
            Some((_, sum)) => *sum = sum.saturating_add(mrr),
            None => sums.push((currency, mrr)),
        }
    }
    sums
}
