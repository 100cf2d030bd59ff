//! Alarms by month and by owner.

use std::collections::BTreeMap;

use super::figures::Measured;
use super::outcome::{Outcome, outcome};
use super::population::Population;
use super::tally::{Tally, ratio};
use crate::months::{month_of, name_of, start_of};
use crate::report::{MonthReport, OwnerReport};

/// Owners that are shown.
const MAX_OWNERS: usize = 20;

/// Each month of the period.
pub(super) fn by_month(overall: &Measured, population: &Population<'_>) -> Vec<MonthReport> {
    let mut months: BTreeMap<i32, Tally> = BTreeMap::new();
    let mut leads = overall.tallies.leads_days.iter();
    for customer in &population.customers {
        for episode in overall.group.episodes(customer, population.from) {
            let month = months.entry(month_of(episode.raised_at)).or_default();
            month.signals += 1;
            match outcome(overall.group.judge, episode, customer, population, population.options.horizon_ms) {
                Outcome::True { .. } => month.true_ += 1,
                Outcome::False | Outcome::Withdrawn => month.false_ += 1,
                Outcome::Late | Outcome::Censored | Outcome::None => {}
            }
        }
        for (churn, lead) in customer.eligible.iter().zip(&mut leads) {
            let month = months.entry(month_of(churn.at)).or_default();
            month.churns += 1;
            month.churns_warned += u64::from(lead.is_some());
        }
    }
    let known_until = population.all_known_until();
    let report = |(month, tally): (i32, Tally)| MonthReport {
        month: name_of(month),
        signals: tally.signals,
        true_: tally.true_,
        false_: tally.false_,
        precision: tally.precision(),
        is_complete: start_of(month + 1).plus_ms(population.options.horizon_ms) <= known_until,
        churns: tally.churns,
        churns_warned: tally.churns_warned,
        recall: tally.recall(),
    };
    months.into_iter().map(report).collect()
}

/// The owners with the most alerts.
pub(super) fn by_owner(overall: &Measured, population: &Population<'_>) -> Vec<OwnerReport> {
    let mut owners: BTreeMap<&str, u64> = BTreeMap::new();
    for customer in &population.customers {
        for episode in overall.group.episodes(customer, population.from) {
            *owners.entry(episode.owner.as_deref().unwrap_or("nobody")).or_default() += 1;
        }
    }
    let weeks = population.weeks();
    let report = |(owner, signals): (&str, u64)| {
        let alerts_per_week = ratio(signals as f64, weeks);
        OwnerReport { owner: owner.to_owned(), signals, alerts_per_week }
    };
    let mut reports: Vec<OwnerReport> = owners.into_iter().map(report).collect();
    reports.sort_by_key(|report| std::cmp::Reverse(report.signals));
    reports.truncate(MAX_OWNERS);
    reports
}
