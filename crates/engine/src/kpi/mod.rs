//! Key performance indicators as sums that add up: what each customer contributes, and what happened in each month.
//!
//! A customer contributes by difference ([`KpiContribution`]): a change takes away what it added and adds what it adds now. What only happens
//! (tickets, answers to surveys, costs) is counted as it is folded. [`KpiSums`] holds both; [`Kpis`] divides.
//!
//! MRR at the end of a month is not kept: it is MRR now less what moved since, so that no month's beginning touches every customer.

mod campaigns;
mod contribution;
mod due;
mod durations;
mod flows;
mod history;
mod ledger;
mod month;
mod packed;
mod ratios;
mod settings;
mod sums;
mod targets;

pub use campaigns::CampaignSums;
pub use contribution::KpiContribution;
pub(crate) use contribution::{CONTRIBUTING, next_change};
pub use due::{ClosedTerm, MAX_TERM_MONTHS};
pub use durations::{Duration, Durations, MAX_DURATION_DAYS};
pub use history::{History, Statement};
pub use ledger::{Ledger, MAX_FORGOTTEN_CHANGES, MAX_LEDGER_CAMPAIGNS, Money, MonthEnds, RETAINED_MONTHS, changes, money_at};
pub use month::Month;
pub(crate) use packed::{put_money, take_money};
pub use ratios::{KPI_NAMES, Kpi, Kpis, MoneyKpis};
pub use settings::{KpiSettings, Labels, MAX_LABELS, OTHER};
pub use sums::{Flow, KpiSums, Label, Level, MoneyMoved, MonthSums, Movements, PlanSums, SegmentSums};
pub use targets::{MONEY_AMOUNTS, MONEY_SHARES, RED_CUSTOMERS, amount_target, plain_targets, target_parts};

use serde::{Deserialize, Serialize};

use crate::aggregates::Aggregates;
use crate::time::Day;

/// How a partition stood at the end of a UTC day: after the last review and record of that day, before the first of the next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KpiDay {
    /// The day.
    pub day: Day,
    /// Number of the rule set in force.
    pub rule_set: u32,
    /// What it says of KPIs.
    pub settings: KpiSettings,
    /// The names of its stages, in their order.
    pub stages: Vec<Box<str>>,
    /// The sums at its end.
    pub aggregates: Aggregates,
}

impl KpiDay {
    /// Adds the same day of another partition; the settings are those of the later rule set.
    pub fn merge(&mut self, other: &Self) {
        if other.rule_set > self.rule_set {
            self.rule_set = other.rule_set;
            self.settings = other.settings.clone();
            self.stages.clone_from(&other.stages);
        }
        self.aggregates.merge(&other.aggregates);
    }
}
