//! The health score at monthly dates against the churns that follow.

use std::collections::{BTreeMap, BTreeSet};

use super::bootstrap::Statistic;
use super::calibration::{Curve, calibrate};
use super::population::{MIN_CHURNS, Population};
use super::ranking::Ranked;
use crate::months::{name_of, start_of};
use crate::report::{HealthReport, Slice};

/// The most segments that are shown: those with the most observations.
const MAX_SEGMENTS: usize = 20;

/// A customer at a monthly date, with a score and a known outcome.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observation {
    /// The customer, by index.
    pub customer: u32,
    /// The month at whose first instant it is looked at.
    pub month: i32,
    /// Health in tenths.
    pub health_tenths: u16,
    /// Which of its churns follows within the horizon, counted from one; 0 where none does. Several months may have the same one.
    pub churn: u8,
}

impl Observation {
    /// Whether the customer churned within the horizon.
    #[must_use]
    pub fn is_positive(&self) -> bool {
        self.churn > 0
    }
}

/// How many churns follow: a customer that is looked at in three months before it leaves has left once.
pub(super) fn churns<'r>(rows: impl Iterator<Item = &'r Observation>) -> usize {
    rows.filter(|row| row.is_positive()).map(|row| (row.customer, row.churn)).collect::<BTreeSet<_>>().len()
}

/// All observations, and how many could not be made.
#[derive(Clone, Debug, Default)]
pub struct Observations {
    /// In the order of customers, then dates.
    pub rows: Vec<Observation>,
    without_score: u64,
    censored: u64,
}

impl Observations {
    /// Looks at every customer past the warm-up at the first instant of each month at which it pays and has not given notice.
    #[must_use]
    pub fn of(population: &Population<'_>) -> Self {
        let mut all = Self::default();
        let options = population.options;
        for (index, customer) in (0..).zip(&population.customers) {
            for score in &customer.observed.history.scores {
                let date = start_of(score.month);
                let is_warm = date.since_ms(customer.observed.since) >= options.warm_up_ms;
                if date < population.from || !is_warm || !customer.life.is_customer(date) {
                    continue;
                }
                let window_end = date.plus_ms(options.horizon_ms);
                // Churns near the end of the log are known and the others are not: to count them alone would inflate every figure.
                if window_end > customer.observed.known_until {
                    all.censored += 1;
                    continue;
                }
                let follows = customer.life.churns.iter().position(|churn| churn.at > date && churn.at <= window_end);
                let churn = follows.map_or(0, |place| u8::try_from(place + 1).unwrap_or(u8::MAX));
                let Some(health_tenths) = score.health_tenths else {
                    all.without_score += 1;
                    continue;
                };
                all.rows.push(Observation { customer: index, month: score.month, health_tenths, churn });
            }
        }
        all
    }

    /// ROC-AUC and PR-AUC where customers count so many times.
    pub(super) fn statistics(&self) -> [Statistic<'_>; 2] {
        let ranked = |weights: &[u16]| {
            let mut ranked = Ranked::default();
            for row in &self.rows {
                ranked.add(row.health_tenths, row.is_positive(), f64::from(weights[row.customer as usize]));
            }
            ranked
        };
        let auc = move |weights: &[u16]| ranked(weights).auc().unwrap_or(f64::NAN);
        let pr_auc = move |weights: &[u16]| ranked(weights).average_precision().unwrap_or(f64::NAN);
        [Box::new(auc), Box::new(pr_auc)]
    }

    /// The report, without intervals.
    pub(super) fn report(&self, population: &Population<'_>, amber_from: f64) -> HealthReport {
        let ranked = ranked(self.rows.iter());
        let (positives, negatives) = ranked.totals();
        let gains = ranked.gains();
        let calibrated = calibrate(&self.rows, population.options.horizon_ms);
        let curve = calibrated.as_ref().map(|(curve, _)| *curve);
        HealthReport {
            observations: self.rows.len() as u64,
            positives: positives as u64,
            without_score: self.without_score,
            censored: self.censored,
            prevalence: super::tally::ratio(positives, positives + negatives),
            auc: ranked.auc(),
            pr_auc: ranked.average_precision(),
            lift: gains.first().map(|gain| gain.lift),
            brier: curve.and_then(|curve| curve.brier(self.rows.iter())),
            calibration: calibrated.map(|(_, calibration)| calibration),
            is_enough: churns(self.rows.iter()) >= MIN_CHURNS,
            gains,
            curve: ranked.curve(),
            current: ranked.under((amber_from * 10.0).ceil() as usize),
            by_segment: self.by_segment(population, curve),
            by_month: self.by_month(curve),
            ..HealthReport::default()
        }
    }

    fn by_segment(&self, population: &Population<'_>, curve: Option<Curve>) -> Vec<Slice> {
        let mut segments: BTreeMap<&str, Vec<&Observation>> = BTreeMap::new();
        for row in &self.rows {
            let segment = population.customers[row.customer as usize].observed.segment.as_deref();
            segments.entry(segment.unwrap_or("unknown")).or_default().push(row);
        }
        let mut slices: Vec<Slice> = segments.into_iter().map(|(name, rows)| slice(name.to_owned(), &rows, curve)).collect();
        slices.sort_by_key(|slice| std::cmp::Reverse(slice.observations));
        slices.truncate(MAX_SEGMENTS);
        slices
    }

    fn by_month(&self, curve: Option<Curve>) -> Vec<Slice> {
        let mut months: BTreeMap<i32, Vec<&Observation>> = BTreeMap::new();
        self.rows.iter().for_each(|row| months.entry(row.month).or_default().push(row));
        months.into_iter().map(|(month, rows)| slice(name_of(month), &rows, curve)).collect()
    }
}

fn ranked<'r>(rows: impl Iterator<Item = &'r Observation>) -> Ranked {
    let mut ranked = Ranked::default();
    rows.for_each(|row| ranked.add(row.health_tenths, row.is_positive(), 1.0));
    ranked
}

fn slice(name: String, rows: &[&Observation], curve: Option<Curve>) -> Slice {
    let ranked = ranked(rows.iter().copied());
    let positives = rows.iter().filter(|row| row.is_positive()).count();
    Slice {
        name,
        observations: rows.len() as u64,
        positives: positives as u64,
        auc: ranked.auc(),
        pr_auc: ranked.average_precision(),
        lift: ranked.gains().first().map(|gain| gain.lift),
        brier: curve.and_then(|curve| curve.brier(rows.iter().copied())),
        is_enough: churns(rows.iter().copied()) >= MIN_CHURNS,
    }
}
