//! Single customers, to look at.

use schemars::JsonSchema;
use serde::Serialize;

/// What happened to a customer.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Story {
    /// The customer id.
    pub customer: String,
    /// Since when it is one.
    pub since: String,
    /// Its segment.
    pub segment: Option<String>,
    /// What it paid last: when it left, or when it was alarmed about. Minor units.
    pub mrr_minor: i64,
    /// The churn time; null where it did not churn within the horizon.
    pub churned_at: Option<String>,
    /// When its service ended.
    pub gone_at: Option<String>,
    /// At-risk episodes around that time, the latest 20.
    pub episodes: Vec<EpisodeStory>,
    /// Health at the beginning of months, the latest 12 around that time.
    pub health: Vec<HealthPoint>,
}

/// One episode.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct EpisodeStory {
    /// The rule.
    pub rule: String,
    /// When it was raised.
    pub raised_at: String,
    /// When it was over; null while it was open.
    pub closed_at: Option<String>,
    /// Its worst severity.
    pub severity: String,
    /// `true`, `late`, `false`, `withdrawn` or `censored`.
    pub outcome: String,
}

/// Health at a date.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct HealthPoint {
    /// The month.
    pub month: String,
    /// The score, if there was one.
    pub health: Option<f64>,
}
