//! What was evaluated, and under which rules.

use schemars::JsonSchema;
use serde::Serialize;

/// The log, and how it was looked at.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LogReport {
    /// A hash over customer, id and time of every event: the same for the same events in any format and order.
    pub hash: String,
    /// The first instant that is evaluated.
    pub from: String,
    /// The end of the log; what comes later is unknown.
    pub to: String,
    /// Events folded.
    pub events: u64,
    /// Lines that were refused.
    pub refused: u64,
    /// Facts left out because a customer had more of them than the limits allow.
    pub left_out: u64,
    /// Customers seen.
    pub customers: u64,
    /// Customers that ever paid.
    pub paying_customers: u64,
    /// Time for which customers were served, in months of 30.4375 days.
    pub customer_months: f64,
    /// Churns in the period.
    pub churns: u64,
    /// Those of customers past the warm-up, which are what recall is about.
    pub eligible_churns: u64,
    /// Customers named in the file of outcomes that the log does not know; null without such a file.
    pub unknown_outcomes: Option<u64>,
    /// Churns in the file of outcomes, of customers that the log knows, that are not counted: after the end of the log, without paid service on the log
    /// before them, or in the notice period of an earlier one; null without such a file.
    pub unused_outcomes: Option<u64>,
    /// The chance that a customer at a random instant churns within the horizon, and not before the minimum lead: precision of random alarms.
    pub prevalence: Option<f64>,
    /// Within how many days of an alarm the churn must come.
    pub horizon_days: f64,
    /// How many days before the churn a warning must come at the latest.
    pub min_lead_days: f64,
    /// What the churn time is: `notice`, `end` or `paid-end`; `outcomes` when a file says it.
    pub churn_at: String,
    /// Episodes of the rules of `overall` whose outcome lies behind the end of the log.
    pub censored: u64,
    /// Under fewer churns than this no verdict is given.
    pub min_churns: u64,
}

/// The rules.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RulesReport {
    /// Their file.
    pub file: String,
    /// A hash of its text.
    pub hash: String,
    /// How many there are.
    pub rules: u64,
    /// Days before which rules keep silent about a new customer.
    pub warm_up_days: f64,
}
