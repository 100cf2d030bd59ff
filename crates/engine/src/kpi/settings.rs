//! What the rule set says of KPIs: labels, targets, margin, horizon.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::time::DAY_MS;

/// Names of one label that are told apart at most; everything else is [`OTHER`].
pub const MAX_LABELS: usize = 32;

/// The label of everything that the rule set does not name.
pub const OTHER: &str = "other";

/// Settings of the KPIs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KpiSettings {
    /// Segments that are told apart.
    pub segments: Labels,
    /// Plans that are told apart.
    pub plans: Labels,
    /// Industries that are told apart, for campaigns.
    pub industries: Labels,
    /// Ticket channels that are told apart.
    pub channels: Labels,
    /// Campaigns that are told apart.
    pub campaigns: Labels,
    /// Share of revenue that is left after the cost of serving a customer, 0 to 1; for CLTV.
    pub gross_margin: f64,
    /// CLTV counts a customer for this many months at most, since at no churn it would be infinite.
    pub lifetime_cap_months: f64,
    /// Money from a campaign counts until so long after it was sent.
    pub campaign_horizon_ms: i64,
    /// Targets by the name of a KPI, in its unit; of an amount by that name and the currency, such as `mrr_minor.EUR`.
    pub targets: BTreeMap<String, f64>,
}

impl Default for KpiSettings {
    fn default() -> Self {
        Self {
            segments: Labels::default(),
            plans: Labels::default(),
            industries: Labels::default(),
            channels: Labels::default(),
            campaigns: Labels::default(),
            gross_margin: 0.8,
            lifetime_cap_months: 60.0,
            campaign_horizon_ms: 30 * DAY_MS,
            targets: BTreeMap::new(),
        }
    }
}

/// The values of a label that are told apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Labels(pub Vec<Box<str>>);

impl Labels {
    /// The label of a value.
    #[must_use]
    pub fn of(&self, value: Option<&str>) -> &str {
        let known = value.and_then(|value| self.0.iter().find(|known| ***known == *value));
        known.map_or(OTHER, |known| known)
    }
}
