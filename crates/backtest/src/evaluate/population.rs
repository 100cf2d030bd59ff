//! The customers of a log with their lives, and what the whole of them has in common.

use bellwether_engine::outcome::LONGEST_WARNING_DAYS;
use bellwether_engine::settings::Settings;
use bellwether_engine::time::{DAY_MS, Time};

use super::life::{Churn, ChurnAt, Life};
use crate::months::MEAN_MONTH_MS;
use crate::observe::{Observed, ObservedCustomer, ObservedLog};
use crate::outcomes::Outcomes;

/// How to evaluate.
#[derive(Clone, Debug)]
pub struct EvaluationOptions {
    /// An alarm is right if the customer churns within this.
    pub horizon_ms: i64,
    /// A warning that comes later than this before the churn is too late to act on.
    pub min_lead_ms: i64,
    /// What counts as the churn time.
    pub churn_at: ChurnAt,
    /// What is dated before this is not evaluated; states are built up from the start of the log all the same.
    pub from: Option<Time>,
    /// Churns of customers younger than this are not counted, as no rule could know them.
    pub warm_up_ms: i64,
    /// Seed of the bootstrap.
    pub seed: u64,
}

impl EvaluationOptions {
    /// What the settings of a rule file say, by which the running product judges the same alarms.
    #[must_use]
    pub fn of(settings: &Settings, seed: u64) -> Self {
        let (life, warm_up_ms) = (&settings.life, settings.warm_up_ms);
        Self { horizon_ms: life.horizon_ms, min_lead_ms: life.min_lead_ms, churn_at: life.churn.into(), from: None, warm_up_ms, seed }
    }
}

/// The default horizon.
pub const DEFAULT_HORIZON_MS: i64 = 90 * DAY_MS;
/// The default minimum useful lead.
pub const DEFAULT_MIN_LEAD_MS: i64 = 14 * DAY_MS;
/// Horizons that every report shows, in days.
pub const HORIZONS_DAYS: [i64; 4] = [30, 60, 90, LONGEST_WARNING_DAYS];
/// With fewer churns there is no verdict.
pub const MIN_CHURNS: usize = 20;

/// A customer with its life.
#[derive(Clone, Debug)]
pub struct Judged<'a> {
    /// What was observed.
    pub observed: &'a ObservedCustomer,
    /// When it paid and left.
    pub life: Life,
    /// The churns that count.
    pub eligible: Vec<Churn>,
}

/// Everybody.
#[derive(Clone, Debug)]
pub struct Population<'a> {
    /// The log.
    pub log: ObservedLog,
    /// The options.
    pub options: &'a EvaluationOptions,
    /// Since when things are evaluated.
    pub from: Time,
    /// The customers, in the order of their ids.
    pub customers: Vec<Judged<'a>>,
    /// Time for which customers were served within the period, milliseconds.
    pub served_ms: f64,
    /// What alarms at random instants come to.
    pub chance: Chance,
}

/// What alarms at random instants come to: instants of service after the warm-up and before any notice, each as likely.
#[derive(Clone, Debug, Default)]
pub struct Chance {
    /// Instants that are followed by a churn in time, milliseconds.
    pub true_ms: f64,
    /// Instants that are not.
    pub false_ms: f64,
    /// All, with those too late and those of which it is unknown.
    pub all_ms: f64,
    /// For each churn the instants in time for it.
    pub by_churn_ms: Vec<f64>,
}

impl<'a> Population<'a> {
    /// Judges the customers that were observed.
    #[must_use]
    pub fn new(log: ObservedLog, observed: &'a Observed, outcomes: Option<&Outcomes>, options: &'a EvaluationOptions) -> Self {
        let from = options.from.unwrap_or(Time::MIN).max(log.start);
        let judge = |observed: &'a ObservedCustomer| {
            let changes = &observed.history.changes;
            let life = match outcomes {
                Some(outcomes) => {
                    Life::from_outcomes(changes, outcomes.get(&*observed.id).map_or(&[], Vec::as_slice), observed.known_until)
                }
                None => Life::from_log(changes, options.churn_at, observed.known_until),
            };
            let eligible = life.churns.iter().filter(|churn| churn.is_eligible(observed, options.warm_up_ms, from)).copied().collect();
            Judged { observed, life, eligible }
        };
        let customers: Vec<Judged<'a>> = observed.customers.iter().map(judge).collect();
        let mut population = Self { log, options, from, customers, served_ms: 0.0, chance: Chance::default() };
        population.served_ms = population.customers.iter().map(|customer| customer.served_ms(from)).sum();
        population.chance = population.measure_chance();
        population
    }

    /// Customer-months of service.
    #[must_use]
    pub fn customer_months(&self) -> f64 {
        self.served_ms / MEAN_MONTH_MS
    }

    /// Weeks of the period.
    #[must_use]
    pub fn weeks(&self) -> f64 {
        length(self.from, self.log.end) / (7 * DAY_MS) as f64
    }

    /// Until when everybody is known.
    #[must_use]
    pub fn all_known_until(&self) -> Time {
        self.customers.iter().map(|customer| customer.observed.known_until).min().unwrap_or(self.log.end)
    }

    /// Churns that count.
    #[must_use]
    pub fn churns(&self) -> usize {
        self.customers.iter().map(|customer| customer.eligible.len()).sum()
    }

    fn measure_chance(&self) -> Chance {
        let mut chance = Chance::default();
        let (horizon, min_lead) = (self.options.horizon_ms, self.options.min_lead_ms);
        for customer in &self.customers {
            let begin = self.from.max(customer.observed.since.plus_ms(self.options.warm_up_ms));
            for spell in &customer.life.spells {
                let from = spell.from.max(begin);
                let churn = customer.life.churns.iter().find(|churn| churn.at >= spell.from && churn.at <= spell.until);
                let until = churn.map_or(spell.until, |churn| churn.at);
                chance.all_ms += length(from, until);
                match churn {
                    Some(churn) => {
                        let in_time = length(from.max(churn.at.plus_ms(-horizon)), churn.at.plus_ms(-min_lead));
                        chance.true_ms += in_time;
                        chance.false_ms += length(from, churn.at.plus_ms(-horizon));
                        if customer.eligible.contains(churn) {
                            chance.by_churn_ms.push(in_time);
                        }
                    }
                    None => chance.false_ms += length(from, until.min(customer.observed.known_until.plus_ms(-horizon))),
                }
            }
        }
        chance
    }
}

impl Judged<'_> {
    /// Time for which it was served since an instant, milliseconds.
    #[must_use]
    pub fn served_ms(&self, from: Time) -> f64 {
        self.life.spells.iter().map(|spell| length(spell.from.max(from), spell.until)).sum()
    }
}

impl Chance {
    /// Precision of random alarms: the base rate that a rule has to beat.
    #[must_use]
    pub fn precision(&self) -> Option<f64> {
        let judged = self.true_ms + self.false_ms;
        (judged > 0.0).then(|| self.true_ms / judged)
    }

    /// The share of churns that so many random alarms are expected to warn of.
    #[must_use]
    pub fn recall(&self, alarms: u64) -> Option<f64> {
        if self.by_churn_ms.is_empty() || self.all_ms <= 0.0 {
            return None;
        }
        let warned = self.by_churn_ms.iter().map(|in_time| 1.0 - (1.0 - in_time / self.all_ms).powf(alarms as f64));
        Some(warned.sum::<f64>() / self.by_churn_ms.len() as f64)
    }
}

/// Milliseconds between two instants; none when they are the wrong way round.
pub(super) fn length(from: Time, until: Time) -> f64 {
    until.since_ms(from).max(0) as f64
}
