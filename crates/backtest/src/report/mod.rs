//! The report of a backtest, as it is written to JSON. Shares and rates are numbers from 0 to 1; a figure that there is none of is null.

mod compare;
mod health;
mod log;
mod risk;
mod stories;

use bellwether_codec::contract::{Contract, of};
use schemars::JsonSchema;
use serde::Serialize;

pub use compare::{Change, CompareReport, MovedCustomer, RuleChange};
pub use health::{Calibration, Gain, HealthReport, Ranking, ReliabilityBin, Slice};
pub use log::{LogReport, RulesReport};
pub use risk::{
    Baselines, HorizonReport, LeadBin, LeadDays, MonthReport, Overlap, OwnerReport, RiskReport, RuleReport, SweepPoint, SweepReport,
    Verdict, Warned,
};
pub use stories::{EpisodeStory, HealthPoint, Story};

/// The version of this contract. Within it, fields are only added.
pub const SCHEMA: &str = "bellwether.backtest.v1";

/// All that a backtest found.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Report {
    /// The version of this contract: `bellwether.backtest.v1`.
    pub schema: String,
    /// Whether the backtest was stopped before the end of the log: then the figures are of a part of it.
    pub partial: bool,
    /// What was evaluated.
    pub log: LogReport,
    /// Under which rules.
    pub rules: RulesReport,
    /// The live at-risk rules together, without those that only repeat a notice.
    pub overall: RiskReport,
    /// The at-risk rules that read the cancellation page or the notice: certain, and late.
    pub notice_driven: RiskReport,
    /// Each rule.
    pub by_rule: Vec<RuleReport>,
    /// Each calendar month, UTC, for the rules of `overall`.
    pub by_month: Vec<MonthReport>,
    /// Churns that `overall` warned of, by lead, in weeks up to the horizon.
    pub lead_histogram: Vec<LeadBin>,
    /// The owners with the most alerts of `overall`.
    pub by_owner: Vec<OwnerReport>,
    /// How well the health score ranks customers by risk.
    pub health: HealthReport,
    /// What is to be beaten.
    pub baselines: Baselines,
    /// Churns without a warning in time, the most valuable first.
    pub worst_misses: Vec<Story>,
    /// Customers with false alarms, the most valuable first.
    pub worst_false_alarms: Vec<Story>,
    /// The same under other values of a param.
    pub sweep: Option<SweepReport>,
    /// The difference from other rules.
    pub compare: Option<CompareReport>,
}

/// The report as a contract.
pub const CONTRACT: Contract = Contract { name: "backtest", title: "The report of a backtest", describe: of::<Report> };
