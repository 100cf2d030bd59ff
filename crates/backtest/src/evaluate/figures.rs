//! From tallies to figures, and how certain these are.

use super::bootstrap::{Interval, Statistic, quantile};
use super::outcome::Judge;
use super::population::{HORIZONS_DAYS, MIN_CHURNS, Population};
use super::tally::{CustomerTally, Group, Tallies, Tally, ratio};
use crate::report::{HorizonReport, LeadBin, LeadDays, RiskReport, Verdict, Warned};
use bellwether_engine::time::DAY_MS;

/// With fewer alarms that could be judged there is no verdict.
const MIN_ALARMS: u64 = 20;

/// Weeks of leads that are told apart.
const MAX_LEAD_BINS: usize = 104;

/// A group with what it came to.
#[derive(Clone, Debug)]
pub(super) struct Measured {
    pub group: Group,
    pub tallies: Tallies,
    pub figures: RiskReport,
}

impl Measured {
    /// Counts and computes all but the intervals.
    pub fn new(group: Group, population: &Population<'_>) -> Self {
        let tallies = group.tally(population, population.options.horizon_ms);
        let figures = figures(&group, &tallies, population);
        Self { group, tallies, figures }
    }

    /// The figures of which [`Self::settle`] takes the intervals: precision and recall.
    pub fn statistics(&self) -> [Statistic<'_>; 2] {
        [Box::new(|weights: &[u16]| self.precision(weights)), Box::new(|weights: &[u16]| self.recall(weights))]
    }

    pub fn precision(&self, weights: &[u16]) -> f64 {
        self.share(weights, |tally| tally.true_.into(), |tally| u64::from(tally.true_) + u64::from(tally.false_))
    }

    pub fn recall(&self, weights: &[u16]) -> f64 {
        self.share(weights, |tally| tally.churns_warned.into(), |tally| tally.churns.into())
    }

    /// The median lead where customers count so many times.
    pub fn median_lead(&self, weights: &[u16]) -> f64 {
        let leads = self.tallies.churn_customers.iter().zip(&self.tallies.leads_days);
        let leads = leads.filter_map(|(customer, lead)| Some((usize::from(weights[*customer]), (*lead)?)));
        let mut leads: Vec<f64> = leads.flat_map(|(times, lead)| std::iter::repeat_n(lead, times)).collect();
        leads.sort_unstable_by(f64::total_cmp);
        if leads.is_empty() { f64::NAN } else { quantile(&leads, 0.5) }
    }

    fn share(&self, weights: &[u16], part: impl Fn(&CustomerTally) -> u64, whole: impl Fn(&CustomerTally) -> u64) -> f64 {
        let (mut parts, mut wholes) = (0, 0);
        for tally in &self.tallies.by_customer {
            let weight = u64::from(weights[tally.customer as usize]);
            parts += weight * part(tally);
            wholes += weight * whole(tally);
        }
        ratio(parts as f64, wholes as f64).unwrap_or(f64::NAN)
    }

    /// Takes the intervals, and gives the verdict that they allow.
    pub fn settle(&mut self, precision: Interval, recall: Interval, population: &Population<'_>) {
        self.figures.precision_interval = precision;
        self.figures.recall_interval = recall;
        let judged = self.figures.true_ + self.figures.false_;
        self.figures.verdict = match (precision, population.chance.precision()) {
            _ if self.group.judge != Judge::Churn => Verdict::NotJudged,
            _ if population.churns() < MIN_CHURNS => Verdict::TooFewChurns,
            (Some([low, high]), Some(chance)) if judged >= MIN_ALARMS => {
                // Draws of nothing but false alarms are all alike, and would make a wide interval look narrow.
                let is_luck = self.figures.true_ == 0 && (1.0 - chance).powf(judged as f64) > 0.025;
                if low > chance {
                    Verdict::BetterThanRandom
                } else if high < chance && !is_luck {
                    Verdict::WorseThanRandom
                } else {
                    Verdict::LikeRandom
                }
            }
            _ => Verdict::TooFewAlarms,
        };
    }
}

fn figures(group: &Group, tallies: &Tallies, population: &Population<'_>) -> RiskReport {
    let total = &tallies.total;
    let per_1000_months = |count: u64| ratio(count as f64 * 1_000.0, population.customer_months());
    let precision = total.precision();
    let is_churn = group.judge == Judge::Churn;
    RiskReport {
        signals: total.signals,
        true_: total.true_,
        late: total.late,
        false_: total.false_,
        withdrawn: total.withdrawn,
        censored: total.censored,
        precision,
        churns: total.churns,
        churns_warned: total.churns_warned,
        recall: total.recall(),
        lead_days: leads(&tallies.leads_days),
        warned: warned(&tallies.warned_days),
        alerts_per_1000_customer_months: per_1000_months(total.signals),
        false_alarms_per_1000_customer_months: per_1000_months(total.false_),
        alerts_per_week: ratio(total.signals as f64, population.weeks()),
        share_of_time_in_alarm: ratio(total.alarm_ms, population.served_ms),
        flaps: total.flaps,
        lift: precision.filter(|_| is_churn).zip(population.chance.precision()).and_then(|(own, chance)| ratio(own, chance)),
        horizons: if is_churn { horizons(group, population) } else { Vec::new() },
        ..RiskReport::default()
    }
}

/// The usual horizons, and the one that was asked for.
fn horizons(group: &Group, population: &Population<'_>) -> Vec<HorizonReport> {
    let mut all: Vec<i64> = HORIZONS_DAYS.iter().map(|days| days * DAY_MS).collect();
    all.push(population.options.horizon_ms);
    all.sort_unstable();
    all.dedup();
    all.retain(|horizon_ms| *horizon_ms >= population.options.min_lead_ms);
    let of_horizon = |horizon_ms: i64| {
        let tally = group.tally(population, horizon_ms).total;
        let Tally { true_, late, false_, censored, .. } = tally;
        let horizon_days = horizon_ms as f64 / DAY_MS as f64;
        HorizonReport { horizon_days, true_, late, false_, censored, precision: tally.precision(), recall: tally.recall() }
    };
    all.into_iter().map(of_horizon).collect()
}

fn leads(leads_days: &[Option<f64>]) -> Option<LeadDays> {
    let mut leads: Vec<f64> = leads_days.iter().flatten().copied().collect();
    leads.sort_unstable_by(f64::total_cmp);
    if leads.is_empty() {
        return None;
    }
    Some(LeadDays { p10: quantile(&leads, 0.1), median: quantile(&leads, 0.5), p90: quantile(&leads, 0.9) })
}

/// Churns by the lead of their warning, in weeks.
pub(super) fn lead_histogram(leads_days: &[Option<f64>], horizon_days: f64) -> Vec<LeadBin> {
    let weeks = (horizon_days / 7.0).floor() as usize + 1;
    let bin = |week: usize| {
        let (from_days, to_days) = (week as f64 * 7.0, week as f64 * 7.0 + 7.0);
        let churns = leads_days.iter().flatten().filter(|lead| (from_days..to_days).contains(*lead)).count() as u64;
        LeadBin { from_days, to_days, churns }
    };
    (0..weeks.min(MAX_LEAD_BINS)).map(bin).collect()
}

fn warned(warned_days: &[Option<f64>]) -> Warned {
    let share = |days: f64| {
        let warned = warned_days.iter().flatten().filter(|lead| **lead >= days).count();
        ratio(warned as f64, warned_days.len() as f64)
    };
    Warned { days_14: share(14.0), days_30: share(30.0), days_60: share(60.0), days_90: share(90.0) }
}
