//! The fields of a daily record of KPIs, as they are written. Sums add up over partitions and instances; what was divided does not.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::contract::{ByCurrency, CURRENCY_PATTERN, Flows, Levels, MONTH_PATTERN, NamedKpis};

/// Sums and KPIs at the end of a UTC day: of one partition, or of all of them.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "KpiRecord")]
pub(super) struct Record<'a> {
    /// The day, UTC.
    #[schemars(extend("format" = "date"))]
    pub day: String,
    /// The partition; absent where all of them are added up.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u16")]
    pub partition: Option<u16>,
    /// Number of the rule set in force.
    pub rule_set: u32,
    /// Customers ever seen, erased ones left out.
    pub customers: i64,
    /// Customers with a running subscription.
    pub active_customers: i64,
    /// Customers by journey stage; stages without customers are left out.
    pub stages: BTreeMap<&'a str, i64>,
    /// Customers by quadrant of experience and outcomes; who has not both scores is in none.
    pub quadrants: BTreeMap<&'static str, i64>,
    /// The KPIs of the customers of this record; those of money are in `currencies`.
    #[schemars(with = "NamedKpis")]
    pub kpis: BTreeMap<&'static str, Option<f64>>,
    /// What the rule set wants of KPIs, by name; of amounts of money by name and currency, such as `mrr_minor.EUR`.
    pub targets: &'a BTreeMap<String, f64>,
    /// The KPIs of money.
    pub currencies: Vec<Currency>,
    /// Customers as they are, by segment.
    pub segments: Vec<Segment<'a>>,
    /// Subscriptions as they are, by plan.
    pub plans: Vec<Plan<'a>>,
    /// What happened, by month; the months that are retained.
    pub months: Vec<Month<'a>>,
    /// How MRR and customers moved, by segment and month.
    pub movements: Vec<Movement<'a>>,
    /// What became of campaigns, by campaign and industry, since the journal was created.
    pub campaigns: Vec<Campaign<'a>>,
}

/// KPIs of one currency, of the last whole month where a month is meant; null where nothing can be divided. Amounts are minor units.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CurrencyKpis")]
pub(super) struct Currency {
    /// The currency, ISO 4217.
    #[schemars(extend("pattern" = CURRENCY_PATTERN))]
    pub currency: String,
    /// MRR now.
    pub mrr_minor: i64,
    /// MRR at the beginning of the last whole month.
    pub mrr_start_minor: i64,
    /// What the starters of that month pay at its end over what they paid at its beginning.
    pub net_retention: Option<f64>,
    /// The same without expansion.
    pub gross_retention: Option<f64>,
    /// Net retention year over year, at the end of that month.
    pub net_retention_year: Option<f64>,
    /// Gross retention year over year.
    pub gross_retention_year: Option<f64>,
    /// Churned and contracted MRR of the month over MRR at its beginning.
    pub revenue_churn: Option<f64>,
    /// The same of the last three whole months, over MRR at their beginning.
    pub revenue_churn_quarter: Option<f64>,
    /// 1 - (1 - q)^4 of the revenue churn of the quarter.
    pub revenue_churn_annualised: Option<f64>,
    /// MRR per customer who pays in this currency.
    pub arpa_minor: Option<f64>,
    /// Worth of a customer over its life (CLTV): ARPA x margin / churn of the last whole month, its life capped.
    pub cltv_minor: Option<f64>,
    /// Cost of acquisition of the month per new or reactivated customer (CAC).
    pub cac_minor: Option<f64>,
    /// Cost of retention of the month per current customer (CRC).
    pub crc_minor: Option<f64>,
}

/// The customers of a segment.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SegmentSums")]
pub(super) struct Segment<'a> {
    /// The segment; those that the rule set does not name are `other`.
    pub segment: &'a str,
    #[serde(flatten)]
    #[schemars(with = "Levels")]
    pub levels: BTreeMap<&'static str, i64>,
    /// MRR without trials, minor units.
    #[schemars(with = "ByCurrency")]
    pub mrr_minor: BTreeMap<String, i64>,
    /// Customers who pay in a currency.
    #[schemars(with = "ByCurrency")]
    pub paying: BTreeMap<String, i64>,
}

/// The subscriptions of a plan.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "PlanSums")]
pub(super) struct Plan<'a> {
    /// The plan; those that the rule set does not name are `other`.
    pub plan: &'a str,
    /// Running and billed.
    pub subscriptions: i64,
    /// Running trials.
    pub trials: i64,
    /// MRR of the billed ones, minor units.
    #[schemars(with = "ByCurrency")]
    pub mrr_minor: BTreeMap<String, i64>,
}

/// What happened in a month.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MonthSums")]
pub(super) struct Month<'a> {
    /// The month, UTC.
    #[schemars(extend("pattern" = MONTH_PATTERN))]
    pub month: String,
    #[serde(flatten)]
    #[schemars(with = "Flows")]
    pub flows: BTreeMap<&'static str, i64>,
    /// From the beginning to the final milestone.
    pub onboarding: Durations<'a>,
    /// From the beginning to the first value.
    pub first_value: Durations<'a>,
    /// From an invitation to its use.
    pub activation: Durations<'a>,
    /// Tickets opened, by channel.
    pub tickets: &'a BTreeMap<Box<str>, i64>,
    /// First responses by whole hours.
    pub first_response_hours: &'a BTreeMap<u16, i64>,
    /// Cost of acquisition, minor units.
    #[schemars(with = "ByCurrency")]
    pub acquisition_cost_minor: BTreeMap<String, i64>,
    /// Cost of retention, minor units.
    #[schemars(with = "ByCurrency")]
    pub retention_cost_minor: BTreeMap<String, i64>,
}

/// How long something took those who began it in the month.
#[derive(Serialize, JsonSchema)]
pub(super) struct Durations<'a> {
    /// Done, by the whole days that it took.
    pub done: &'a BTreeMap<u16, i64>,
    /// Given up before it was done, by the whole days until then.
    pub given_up: &'a BTreeMap<u16, i64>,
    /// Not done yet, by the date of its beginning.
    pub waiting: BTreeMap<String, i64>,
}

/// How a segment moved in a month. MRR at the beginning and end is not in it: it follows from MRR now and all later movements.
#[derive(Serialize, JsonSchema)]
pub(super) struct Movement<'a> {
    /// The segment.
    pub segment: &'a str,
    /// The month, UTC.
    #[schemars(extend("pattern" = MONTH_PATTERN))]
    pub month: String,
    /// Customers who pay for the first time.
    pub new_customers: i64,
    /// Customers who pay again.
    pub reactivated_customers: i64,
    /// Customers who paid at the end of the month before, and do not any more.
    pub churned_customers: i64,
    /// MRR that moved, by currency, ISO 4217.
    pub money: BTreeMap<String, Moved>,
}

/// MRR that moved, minor units.
#[derive(Serialize, JsonSchema)]
pub(super) struct Moved {
    /// Of customers who pay for the first time.
    pub new_minor: i64,
    /// Of customers who paid before and pay again.
    pub reactivated_minor: i64,
    /// More from those who stay.
    pub expansion_minor: i64,
    /// Less from those who stay.
    pub contraction_minor: i64,
    /// Of those who left.
    pub churned_minor: i64,
    /// What customers who paid at the end of the same month a year before pay now, minus what they paid then; may be negative.
    pub year_gained_minor: i64,
    /// How much less than then those of them pay who pay less.
    pub year_lost_minor: i64,
}

/// What became of a campaign in an industry.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CampaignSums")]
pub(super) struct Campaign<'a> {
    /// The campaign; those that the rule set does not name are `other`.
    pub campaign: &'a str,
    /// The industry; those that the rule set does not name are `other`.
    pub industry: &'a str,
    /// Messages sent.
    pub sent: i64,
    /// Messages that did not arrive.
    pub failed: i64,
    /// Messages opened.
    pub opened: i64,
    /// Links followed.
    pub clicked: i64,
    /// Conversions within the horizon after it was sent, or of a customer to whom its sending is not remembered.
    pub converted: i64,
    /// Conversions after the horizon; their money does not count.
    pub converted_late: i64,
    /// Withdrawals of consent.
    pub unsubscribed: i64,
    /// Money of the conversions within the horizon, minor units.
    #[schemars(with = "ByCurrency")]
    pub converted_minor: BTreeMap<String, i64>,
}
