//! Sums over the customers of a partition, moved by the difference when a customer changes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::customer::Customer;
use crate::event::Currency;
use crate::feature::{Feature, FeatureSet};
use crate::outcome_counts::OutcomeCounts;

/// The currency code of money that came without one (ISO 4217 "no currency").
pub const NO_CURRENCY: Currency = Currency(*b"XXX");

/// What a customer adds to the aggregates of its partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contribution {
    counted: bool,
    active: bool,
    stage: u8,
    mrr_minor: Vec<(Currency, i64)>,
}

/// Sums over the customers of a partition; those of several partitions add up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aggregates {
    /// Customers ever seen and not erased.
    pub customers: i64,
    /// Customers with a running subscription.
    pub active_customers: i64,
    /// Customers by stage, an index into `feature::STAGES`.
    pub customers_by_stage: [i64; 7],
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
    /// Records and reviews left out because folding them panicked.
    pub poisoned: u64,
    /// What came of signals.
    pub outcomes: OutcomeCounts,
}

/// The subject of events about ourselves, which is no customer.
const COMPANY: &str = "_company";

impl Contribution {
    /// What a customer contributes as it is now.
    #[must_use]
    pub fn of(customer: &Customer) -> Self {
        Self {
            counted: *customer.id != *COMPANY,
            active: customer.billing.active().next().is_some(),
            stage: customer.health.stage,
            mrr_minor: mrr_by_currency(customer),
        }
    }
}

/// Moves the aggregates by what a customer contributes now instead of before; `dirty` are the features that an event may have changed.
pub(crate) fn contribute(customer: &mut Customer, aggregates: &mut Aggregates, dirty: FeatureSet) {
    let known = &customer.contribution;
    if known.counted && known.stage == customer.health.stage && !dirty.contains(Feature::Subscriptions) {
        return;
    }
    let after = Contribution::of(customer);
    for (contribution, sign) in [(&customer.contribution, -1), (&after, 1)] {
        if !contribution.counted {
            continue;
        }
        aggregates.customers += sign;
        aggregates.active_customers += sign * i64::from(contribution.active);
        aggregates.customers_by_stage[usize::from(contribution.stage) % 7] += sign;
        for (currency, mrr) in &contribution.mrr_minor {
            let total = aggregates.mrr_minor.entry(*currency).or_default();
            *total = total.saturating_add(sign * mrr);
        }
    }
    customer.contribution = after;
}

fn mrr_by_currency(customer: &Customer) -> Vec<(Currency, i64)> {
    let mut sums: Vec<(Currency, i64)> = Vec::new();
    for subscription in customer.billing.active() {
        let currency = subscription.currency.get().copied().unwrap_or(NO_CURRENCY);
        let mrr = subscription.mrr_minor.get().copied().unwrap_or(0);
        match sums.iter_mut().find(|(known, _)| *known == currency) {
            Some((_, sum)) => *sum = sum.saturating_add(mrr),
            None => sums.push((currency, mrr)),
        }
    }
    sums
}
