//! How well the health score ranks customers by risk.

use schemars::JsonSchema;
use serde::Serialize;

/// The health score at the first instant of each month, against churn within the horizon.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct HealthReport {
    /// Customers at monthly dates, with a score and a known outcome.
    pub observations: u64,
    /// Those that churned within the horizon.
    pub positives: u64,
    /// Customers at monthly dates that had no score.
    pub without_score: u64,
    /// Customers at monthly dates whose outcome lies behind the end of the log.
    pub censored: u64,
    /// positives / observations: the PR-AUC of chance.
    pub prevalence: Option<f64>,
    /// Area under the ROC curve, with low health as the sign of risk.
    pub auc: Option<f64>,
    /// Middle 95 % by bootstrap over customers.
    pub auc_interval: Option<[f64; 2]>,
    /// Average precision.
    pub pr_auc: Option<f64>,
    /// Middle 95 % by bootstrap over customers.
    pub pr_auc_interval: Option<[f64; 2]>,
    /// Churn among the tenth with the lowest health, over the prevalence.
    pub lift: Option<f64>,
    /// Mean squared error of the probability that `calibration` makes of the score, on the months from `test_from` on.
    pub brier: Option<f64>,
    /// How the probability is made; null when there are too few churns on either side of the split.
    pub calibration: Option<Calibration>,
    /// Whether there are enough churns for a verdict, each counted once.
    pub is_enough: bool,
    /// Tenths of the observations by ascending health.
    pub gains: Vec<Gain>,
    /// Points of the precision-recall curve, by ascending health.
    pub curve: Vec<Ranking>,
    /// The point at which the grade turns from red to amber.
    pub current: Option<Ranking>,
    /// By market segment, as it is at the end of the log.
    pub by_segment: Vec<Slice>,
    /// By date.
    pub by_month: Vec<Slice>,
}

/// From score to probability: 1 / (1 + exp(-(intercept + slope * health))), fitted by maximum likelihood on earlier months.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Calibration {
    /// In words.
    pub method: String,
    /// Intercept.
    pub intercept: f64,
    /// Slope for each point of health.
    pub slope: f64,
    /// Observations of which the churn window ends before `test_from`.
    pub trained_on: u64,
    /// The first month that is tested.
    pub test_from: String,
    /// Observations that are tested.
    pub tested_on: u64,
    /// Churns among them.
    pub tested_positives: u64,
    /// The Brier score of the constant prevalence of the earlier months: what is to be beaten.
    pub brier_of_prevalence: f64,
    /// Tenths of the tested observations by probability.
    pub reliability: Vec<ReliabilityBin>,
}

/// Some observations of similar probability.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct ReliabilityBin {
    /// How many.
    pub observations: u64,
    /// Mean probability.
    pub predicted: f64,
    /// Share that churned.
    pub observed: f64,
}

/// A tenth of the observations.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct Gain {
    /// Counted from 1, the lowest health first.
    pub decile: u8,
    /// Churn in it over the prevalence.
    pub lift: f64,
    /// Share of all churns in it and those before.
    pub cumulative_recall: f64,
}

/// Looking at all customers with this health or less.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct Ranking {
    /// The health.
    pub health: f64,
    /// Share of them that churn.
    pub precision: f64,
    /// Share of the churns that they are.
    pub recall: f64,
}

/// Some of the observations.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Slice {
    /// A segment, or a month.
    pub name: String,
    /// Observations.
    pub observations: u64,
    /// Those that churned within the horizon; a customer that is looked at in several months before it leaves counts in each.
    pub positives: u64,
    /// Area under the ROC curve.
    pub auc: Option<f64>,
    /// Average precision.
    pub pr_auc: Option<f64>,
    /// Churn among its tenth with the lowest health, over its prevalence.
    pub lift: Option<f64>,
    /// The Brier score of those of its observations that `calibration` is tested on.
    pub brier: Option<f64>,
    /// Whether there are enough churns for a verdict, each counted once.
    pub is_enough: bool,
}
