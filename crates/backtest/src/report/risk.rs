//! How good alarms were.

use schemars::JsonSchema;
use serde::Serialize;

/// Figures of one rule, or of several together.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct RiskReport {
    /// Episodes raised.
    pub signals: u64,
    /// The customer churned within the horizon, at least the minimum lead later, and the episode was open until then.
    #[serde(rename = "true")]
    pub true_: u64,
    /// The customer churned sooner than the minimum lead, or had given notice already: neither true nor false.
    pub late: u64,
    /// Nothing happened within the horizon, or the episode was over too early.
    #[serde(rename = "false")]
    pub false_: u64,
    /// Those of `false` whose customer did churn within the horizon, but which had been cleared before.
    pub withdrawn: u64,
    /// The log ends before the horizon does: neither true nor false.
    pub censored: u64,
    /// true / (true + false).
    pub precision: Option<f64>,
    /// Middle 95 % by bootstrap over customers.
    pub precision_interval: Option<[f64; 2]>,
    /// Churns that count.
    pub churns: u64,
    /// Those with a true episode.
    pub churns_warned: u64,
    /// churns_warned / churns.
    pub recall: Option<f64>,
    /// Middle 95 % by bootstrap over customers.
    pub recall_interval: Option<[f64; 2]>,
    /// Days from the earliest true episode to the churn, over the churns warned.
    pub lead_days: Option<LeadDays>,
    /// Share of churns with an alarm at least so many days before that stayed open until the minimum lead.
    pub warned: Warned,
    /// Episodes per 1,000 customer-months.
    pub alerts_per_1000_customer_months: Option<f64>,
    /// False ones.
    pub false_alarms_per_1000_customer_months: Option<f64>,
    /// Episodes a week.
    pub alerts_per_week: Option<f64>,
    /// Share of the time of all customers in which an episode was open.
    pub share_of_time_in_alarm: Option<f64>,
    /// Episodes raised within 7 days of the end of the one before.
    pub flaps: u64,
    /// Precision over that of random alarms.
    pub lift: Option<f64>,
    /// Whether it is any good.
    pub verdict: Verdict,
    /// The same counts under other horizons.
    pub horizons: Vec<HorizonReport>,
}

/// Quantiles of leads in days.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct LeadDays {
    /// A tenth of the warnings came no earlier than this.
    pub p10: f64,
    /// Half of them.
    pub median: f64,
    /// Nine tenths.
    pub p90: f64,
}

/// Churns with a lead in a range.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct LeadBin {
    /// From this on, in days.
    pub from_days: f64,
    /// Up to, but without, this.
    pub to_days: f64,
    /// Churns.
    pub churns: u64,
}

/// Shares of churns by the lead of their warning.
#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
pub struct Warned {
    /// 14 days or more.
    #[serde(rename = "14")]
    pub days_14: Option<f64>,
    /// 30 days or more.
    #[serde(rename = "30")]
    pub days_30: Option<f64>,
    /// 60 days or more.
    #[serde(rename = "60")]
    pub days_60: Option<f64>,
    /// 90 days or more.
    #[serde(rename = "90")]
    pub days_90: Option<f64>,
}

/// Counts under one horizon.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct HorizonReport {
    /// The horizon.
    pub horizon_days: f64,
    /// As in the report.
    #[serde(rename = "true")]
    pub true_: u64,
    /// As in the report.
    pub late: u64,
    /// As in the report.
    #[serde(rename = "false")]
    pub false_: u64,
    /// As in the report.
    pub censored: u64,
    /// As in the report.
    pub precision: Option<f64>,
    /// As in the report.
    pub recall: Option<f64>,
}

/// What precision says against random alarms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Fewer than 20 churns.
    #[default]
    TooFewChurns,
    /// Fewer than 20 alarms that could be judged.
    TooFewAlarms,
    /// The whole interval of precision is over that of random alarms.
    BetterThanRandom,
    /// The interval holds it.
    LikeRandom,
    /// The whole interval is under it.
    WorseThanRandom,
    /// Its alarms are not judged by churn.
    NotJudged,
}

impl Verdict {
    /// The verdict as people read it; nothing where nothing was judged.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::TooFewChurns => "too few churns",
            Self::TooFewAlarms => "too few alarms",
            Self::BetterThanRandom => "better than random",
            Self::LikeRandom => "like random",
            Self::WorseThanRandom => "worse than random",
            Self::NotJudged => "",
        }
    }
}

/// Figures of one rule.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RuleReport {
    /// Its name.
    pub rule: String,
    /// Its kind.
    pub kind: String,
    /// `live` or `shadow`.
    pub mode: String,
    /// Whether it reads the cancellation page or the notice.
    pub notice_driven: bool,
    /// By what its alarms are true or false: `churn`, `expansion` (MRR up by 5 %), `conversion` (a campaign, or a reference), or `nothing`.
    pub judged_by: String,
    /// The figures.
    #[serde(flatten)]
    pub figures: RiskReport,
    /// Churns of which it alone among the rules of `overall` warned.
    pub churns_warned_alone: u64,
    /// Recall that `overall` would lose without it.
    pub marginal_recall: Option<f64>,
    /// Other rules of `overall` that warned of the same churns, most in common first; at most five.
    pub overlap: Vec<Overlap>,
}

/// Churns of which two rules warned.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Overlap {
    /// The other rule.
    pub rule: String,
    /// Churns of which both warned.
    pub churns: u64,
}

/// Figures of one month.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MonthReport {
    /// The month.
    pub month: String,
    /// Episodes raised in it.
    pub signals: u64,
    /// True ones of them.
    #[serde(rename = "true")]
    pub true_: u64,
    /// False ones of them.
    #[serde(rename = "false")]
    pub false_: u64,
    /// Precision of them.
    pub precision: Option<f64>,
    /// Whether the log reaches beyond the horizon of all of them. Otherwise those that came true are known and others are not, and precision
    /// is too high.
    pub is_complete: bool,
    /// Churns in it that count.
    pub churns: u64,
    /// Those warned of.
    pub churns_warned: u64,
    /// Recall of them.
    pub recall: Option<f64>,
}

/// Alerts of one owner.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct OwnerReport {
    /// Who.
    pub owner: String,
    /// Episodes raised about its customers.
    pub signals: u64,
    /// A week.
    pub alerts_per_week: Option<f64>,
}

/// What is to be beaten.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Baselines {
    /// As many alarms as `overall`, at random instants of random customers: expected values.
    pub random: HorizonReport,
    /// An alarm when nobody has logged in for 30 days.
    pub no_login_30d: Option<RiskReport>,
    /// An alarm 60 days before each renewal.
    pub renewal_date: Option<RiskReport>,
}

/// A rule under several values of one of its params.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SweepReport {
    /// The rule.
    pub rule: String,
    /// The param.
    pub param: String,
    /// Its value in the rule file.
    pub current: f64,
    /// One point for each value.
    pub points: Vec<SweepPoint>,
}

/// A rule under one value.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SweepPoint {
    /// The value.
    pub value: f64,
    /// The rule alone.
    pub figures: RiskReport,
    /// All rules of `overall`, with this value in the swept rule.
    pub overall: RiskReport,
}
