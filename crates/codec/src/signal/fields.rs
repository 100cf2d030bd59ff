//! The fields of signals and decisions, as they are written.

use bellwether_engine::feature::{GRADES, QUADRANTS};
use bellwether_engine::signal::Transition;
use schemars::JsonSchema;
use serde::Serialize;

use super::{CONTENT_TYPE, SOURCE, SPEC_VERSION};
use crate::contract::{
    CURRENCY_PATTERN, ID_PATTERN, TRACEPARENT_PATTERN, USER_PATTERN, expiries, groups, kinds, marks, or_null, outcomes, severities,
};

/// Which of the two a record is.
pub(super) trait Family {
    /// Its part of a CloudEvents type.
    const NAME: &'static str;
}

impl Family for SignalData<'_> {
    const NAME: &'static str = "signal";
}

impl Family for DecisionData<'_> {
    const NAME: &'static str = "decision";
}

pub(super) fn type_name(family: &str, transition: Transition) -> String {
    format!("bellwether.{family}.{}.v1", transition.name())
}

/// A CloudEvent of version 1.0 in structured mode.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "{D}CloudEvent")]
pub(super) struct Envelope<'a, D: Family> {
    /// The version of CloudEvents.
    #[schemars(extend("const" = SPEC_VERSION))]
    pub specversion: &'static str,
    /// A hash of customer, rule, object, the time it was raised and the ordinal of the transition: what comes twice has the same.
    #[schemars(extend("pattern" = ID_PATTERN))]
    pub id: String,
    /// Who says it.
    #[schemars(extend("const" = SOURCE))]
    pub source: &'static str,
    /// What happened to the episode.
    #[schemars(extend("enum" = Transition::ALL.map(|transition| type_name(D::NAME, transition))))]
    pub r#type: String,
    /// The customer id.
    pub subject: &'a str,
    /// Journal time at which it happened.
    #[schemars(extend("format" = "date-time"))]
    pub time: String,
    /// The form of `data`.
    #[schemars(extend("const" = CONTENT_TYPE))]
    pub datacontenttype: &'static str,
    /// Only where an event that belongs to a trace brought it about: that of the event, W3C Trace Context.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("pattern" = TRACEPARENT_PATTERN))]
    pub traceparent: Option<&'a str>,
    /// What is said.
    pub data: D,
}

/// A transition of an episode that was not sent, or its outcome where that ends nothing.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DecisionData")]
pub(super) struct DecisionData<'a> {
    #[serde(flatten)]
    pub signal: SignalData<'a>,
    /// Why it was not sent.
    pub reason: &'a str,
}

/// A transition of an episode: how the customer was then, and why.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SignalData")]
pub(super) struct SignalData<'a> {
    /// Kind of the rule.
    #[schemars(extend("enum" = kinds()))]
    pub kind: &'static str,
    /// Name of the rule.
    pub rule: &'a str,
    /// The thing within the customer that it is about, such as a ticket; or empty.
    pub object: &'a str,
    /// Number of the rule set in force.
    pub rule_set: u32,
    /// How urgent it is.
    #[schemars(extend("enum" = severities()))]
    pub severity: &'static str,
    /// Counts the episodes of (customer, rule, object) from 1.
    #[schemars(range(min = 1))]
    pub episode: u32,
    /// When the episode was raised.
    #[schemars(extend("format" = "date-time"))]
    pub raised_at: String,
    /// Who looks after the customer, where that is known.
    pub owner: Option<&'a str>,
    /// Time of the event that brought it about; null where the passing of time did.
    #[schemars(extend("format" = "date-time"))]
    pub event_time: Option<String>,
    /// What it is based on.
    pub evidence: Evidence<'a>,
    /// The health score, 0 to 100; null where nothing is known that it could be made from.
    #[schemars(range(min = 0, max = 100))]
    pub health: Option<f64>,
    /// How the score came about.
    pub health_contributions: Vec<Contribution<'a>>,
    /// The grade of the score; null with it.
    #[schemars(extend("enum" = or_null(GRADES)))]
    pub grade: Option<&'static str>,
    /// Experience and outcome, where both are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("enum" = QUADRANTS))]
    pub quadrant: Option<&'static str>,
    /// Which profile the score was made by.
    pub health_profile: HealthProfile<'a>,
    /// Monthly recurring revenue in minor units of `currency`.
    pub mrr_minor: i64,
    /// The customer's main currency, ISO 4217; null where no subscription names one.
    #[schemars(extend("pattern" = CURRENCY_PATTERN))]
    pub currency: Option<&'a str>,
    /// The journey stage.
    pub stage: &'a str,
    /// Days to the next renewal, where that is known; negative where it is over.
    pub days_to_renewal: Option<i32>,
    /// What to look at first.
    pub priority: Priority,
    /// In words: the reason, or at its end how long it was so.
    pub summary: &'a str,
    /// What to do about it, as the rule names it; or empty.
    pub playbook: &'a str,
    /// Only where it is so: the episode began in silence, and is told at its end.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub backfilled: bool,
    /// What a person made of the episode, where somebody did: `acknowledged`, `dismissed` or `snoozed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("enum" = marks()))]
    pub feedback: Option<&'static str>,
    /// Expired only: why.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("enum" = expiries()))]
    pub cause: Option<&'static str>,
    #[serde(flatten)]
    pub outcome: Option<Outcome>,
}

/// Where the outcome is known with this transition.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "EpisodeOutcome")]
pub(super) struct Outcome {
    /// Whether it was right: in time, too late to act upon, or not.
    #[schemars(extend("enum" = outcomes()))]
    pub outcome: &'static str,
    /// From the raise to what came of it; null where nothing came.
    pub lead_days: Option<f64>,
    /// Who was told of it: `told`, `held_out` (what happens without a signal), or `untold` (shadow mode, history).
    #[schemars(extend("enum" = groups()))]
    pub group: &'static str,
}

/// What a transition is based on.
#[derive(Serialize, JsonSchema)]
pub(super) struct Evidence<'a> {
    /// Features against thresholds.
    pub features: Vec<FeatureEvidence<'a>>,
    /// The latest events that contributed.
    pub events: Vec<EventEvidence<'a>>,
    /// Pseudonyms of the users whom it concerns, where there are any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(regex(pattern = USER_PATTERN)))]
    pub users: Vec<String>,
}

/// A feature against its threshold.
#[derive(Serialize, JsonSchema)]
pub(super) struct FeatureEvidence<'a> {
    /// The feature.
    pub feature: &'a str,
    /// Its value; null where it is absent.
    pub value: Option<f64>,
    /// The comparison; `== 1` and `== 0` of a feature that is true or false.
    #[schemars(extend("enum" = ["<", "<=", ">", ">=", "==", "!="]))]
    pub operator: &'static str,
    /// What it was compared with; null where that is absent, and for `has(feature)`.
    pub threshold: Option<f64>,
    /// Whether it speaks for the condition of the rule: the comparison holds, or does not where the rule negates it.
    pub supports: bool,
}

/// An event that contributed.
#[derive(Serialize, JsonSchema)]
pub(super) struct EventEvidence<'a> {
    /// Its type.
    pub r#type: &'static str,
    /// Its source.
    pub source: &'a str,
    /// Its id in that source.
    pub id: &'a str,
    /// Its time.
    #[schemars(extend("format" = "date-time"))]
    pub time: String,
}

/// Which profile the score was made by; the name is empty for customers that no other profile is for.
#[derive(Serialize, JsonSchema)]
pub(super) struct HealthProfile<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its version.
    pub version: u32,
}

/// A component's part in a health score.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SignalHealthContribution")]
pub(super) struct Contribution<'a> {
    /// The component, or a veto.
    pub component: &'a str,
    /// Its own score, 0 to 100; for a veto the cap.
    pub score: f64,
    /// Its share of the weight, 0 to 1; 0 for a veto.
    pub share: f64,
}

/// Weighted shortest job first: (value + urgency + risk) / job size. The parts are of 1, 2, 3, 5, 8, 13, 21.
#[derive(Serialize, JsonSchema)]
pub(super) struct Priority {
    /// The higher, the sooner.
    pub score: f64,
    /// What the customer is worth.
    pub value: u8,
    /// How little time there is.
    pub urgency: u8,
    /// How likely it is right.
    pub risk: u8,
    /// How much work it is.
    pub job_size: u8,
}
