//! Two rule sets on one log: which customers each warned of, and how much earlier.

use bellwether_codec::timestamp::format_time;

use super::bootstrap::{Interval, Statistic, quantile};
use super::figures::Measured;
use super::population::Population;
use crate::months::MEAN_MONTH_MS;
use crate::report::{Change, CompareReport, MovedCustomer, RiskReport, RuleChange, RuleReport};

/// Customers that are listed of each kind.
const MAX_CUSTOMERS: usize = 50;

/// The differences of which there are intervals, in the order of [`compare`].
pub(super) fn statistics<'m>(ours: &'m Measured, theirs: &'m Measured, population: &Population<'_>) -> Vec<Statistic<'m>> {
    let served: Vec<f64> = population.customers.iter().map(|customer| customer.served_ms(population.from) / MEAN_MONTH_MS).collect();
    let false_alarms = |measured: &Measured, weights: &[u16]| {
        let tallies = measured.tallies.by_customer.iter();
        tallies.map(|tally| u64::from(weights[tally.customer as usize]) * u64::from(tally.false_)).sum::<u64>() as f64
    };
    let months = move |weights: &[u16]| served.iter().zip(weights).map(|(months, weight)| months * f64::from(*weight)).sum::<f64>();
    vec![
        Box::new(|weights| ours.precision(weights) - theirs.precision(weights)),
        Box::new(|weights| ours.recall(weights) - theirs.recall(weights)),
        Box::new(move |weights| (false_alarms(ours, weights) - false_alarms(theirs, weights)) * 1_000.0 / months(weights)),
        Box::new(|weights| ours.median_lead(weights) - theirs.median_lead(weights)),
    ]
}

/// Puts the comparison together; `file` and `hash` name the baseline.
pub(super) fn compare(
    (ours, theirs): (&Measured, &Measured),
    intervals: &[Interval],
    (file, hash): (String, String),
    population: &Population<'_>,
    rules: Vec<RuleChange>,
) -> CompareReport {
    let (figures, baseline) = (&ours.figures, &theirs.figures);
    let mut moved = moved(ours, theirs, population);
    let median = |what: &str| {
        let shifts = moved.iter().filter(|one| one.what == what).filter_map(shift);
        let mut shifts: Vec<f64> = shifts.map(f64::abs).collect();
        shifts.sort_unstable_by(f64::total_cmp);
        (!shifts.is_empty()).then(|| quantile(&shifts, 0.5))
    };
    let count = |what: &str| moved.iter().filter(|one| one.what == what).count() as u64;
    let (gained, lost, earlier, later) = (count("gained"), count("lost"), count("earlier"), count("later"));
    let (earlier_median_days, later_median_days) = (median("earlier"), median("later"));
    let change = |index: usize, of: fn(&RiskReport) -> Option<f64>| Change {
        change: of(figures).zip(of(baseline)).map(|(ours, theirs)| ours - theirs),
        interval: intervals[index],
    };
    for what in ["gained", "lost", "earlier", "later"] {
        let mut seen = 0;
        moved.retain(|one| {
            seen += usize::from(one.what == what);
            one.what != what || seen <= MAX_CUSTOMERS
        });
    }
    CompareReport {
        file,
        hash,
        baseline: baseline.clone(),
        precision: change(0, |report| report.precision),
        recall: change(1, |report| report.recall),
        false_alarms_per_1000_customer_months: change(2, |report| report.false_alarms_per_1000_customer_months),
        median_lead_days: change(3, |report| report.lead_days.map(|lead| lead.median)),
        gained,
        lost,
        earlier,
        earlier_median_days,
        later,
        later_median_days,
        customers: moved,
        rules,
    }
}

/// The churns of which the two warned differently, those that moved most first.
fn moved(ours: &Measured, theirs: &Measured, population: &Population<'_>) -> Vec<MovedCustomer> {
    let churns = population.customers.iter().flat_map(|customer| customer.eligible.iter().map(move |churn| (customer, churn)));
    let leads = ours.tallies.leads_days.iter().zip(&theirs.tallies.leads_days);
    let moved = churns.zip(leads).filter_map(|((customer, churn), (ours, theirs))| {
        let what = match (ours, theirs) {
            (Some(_), None) => "gained",
            (None, Some(_)) => "lost",
            (Some(ours), Some(theirs)) if ours > theirs => "earlier",
            (Some(ours), Some(theirs)) if ours < theirs => "later",
            _ => return None,
        };
        let (customer, churned_at) = (customer.observed.id.to_string(), format_time(churn.at));
        Some(MovedCustomer { customer, churned_at, what: what.to_owned(), lead_days: *ours, baseline_lead_days: *theirs })
    });
    let mut moved: Vec<MovedCustomer> = moved.collect();
    let by = |one: &MovedCustomer| (one.lead_days.unwrap_or(0.0) - one.baseline_lead_days.unwrap_or(0.0)).abs();
    moved.sort_by(|left, right| by(right).total_cmp(&by(left)));
    moved
}

fn shift(one: &MovedCustomer) -> Option<f64> {
    Some(one.lead_days? - one.baseline_lead_days?)
}

/// Rules that are not on both sides with the same figures.
pub(super) fn rule_changes(ours: &[RuleReport], theirs: &[RuleReport]) -> Vec<RuleChange> {
    let find = |rules: &'_ [RuleReport], name: &str| rules.iter().find(|rule| rule.rule == name).map(|rule| rule.figures.clone());
    let mut names: Vec<&str> = ours.iter().chain(theirs).map(|rule| rule.rule.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let change = |name: &str| {
        let (ours, theirs) = (find(ours, name), find(theirs, name));
        let key = |figures: &Option<RiskReport>| figures.as_ref().map(|one| (one.signals, one.true_, one.late, one.false_, one.censored));
        let change = RuleChange {
            rule: name.to_owned(),
            signals: ours.as_ref().map(|one| one.signals),
            baseline_signals: theirs.as_ref().map(|one| one.signals),
            precision: ours.as_ref().and_then(|one| one.precision),
            baseline_precision: theirs.as_ref().and_then(|one| one.precision),
        };
        (key(&ours) != key(&theirs)).then_some(change)
    };
    names.into_iter().filter_map(change).collect()
}
