//! The difference between two rule sets on one log.

use schemars::JsonSchema;
use serde::Serialize;

use super::RiskReport;

/// What the rules do that the baseline does not, and the other way round.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CompareReport {
    /// The file of the baseline.
    pub file: String,
    /// A hash of its text.
    pub hash: String,
    /// The figures of the baseline.
    pub baseline: RiskReport,
    /// Precision less that of the baseline.
    pub precision: Change,
    /// Recall less that of the baseline.
    pub recall: Change,
    /// False alarms per 1,000 customer-months less those of the baseline.
    pub false_alarms_per_1000_customer_months: Change,
    /// Median lead in days less that of the baseline.
    pub median_lead_days: Change,
    /// Churns that only the rules warned of; the list has at most 50.
    pub gained: u64,
    /// Churns that only the baseline warned of.
    pub lost: u64,
    /// Churns that both warned of, the rules earlier.
    pub earlier: u64,
    /// Median of how much earlier, in days.
    pub earlier_median_days: Option<f64>,
    /// Churns that both warned of, the rules later.
    pub later: u64,
    /// Median of how much later, in days.
    pub later_median_days: Option<f64>,
    /// The churns where the two differ, those that moved most first; at most 50 of each kind.
    pub customers: Vec<MovedCustomer>,
    /// Rules whose figures differ.
    pub rules: Vec<RuleChange>,
}

/// A difference with its paired interval.
#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
pub struct Change {
    /// The figure of the rules less that of the baseline.
    pub change: Option<f64>,
    /// Middle 95 % by bootstrap over customers, the same customers for both.
    pub interval: Option<[f64; 2]>,
}

/// A churn of which one warned otherwise than the other.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MovedCustomer {
    /// The customer.
    pub customer: String,
    /// The churn time.
    pub churned_at: String,
    /// `gained`, `lost`, `earlier` or `later`.
    pub what: String,
    /// Lead under the rules.
    pub lead_days: Option<f64>,
    /// Lead under the baseline.
    pub baseline_lead_days: Option<f64>,
}

/// A rule whose figures differ, or that only one side has.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RuleChange {
    /// Its name.
    pub rule: String,
    /// Episodes under the rules; null where they do not have it.
    pub signals: Option<u64>,
    /// Episodes under the baseline.
    pub baseline_signals: Option<u64>,
    /// Precision under the rules.
    pub precision: Option<f64>,
    /// Precision under the baseline.
    pub baseline_precision: Option<f64>,
}
