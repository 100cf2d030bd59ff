//! What leaves the engine: one record per transition of an episode, sent as a signal or kept as a decision.

use std::borrow::Cow;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_128;

use crate::customer::EventReference;
use crate::episode::Mark;
use crate::event::{Currency, UserToken};
use crate::health::Contribution;
use crate::kpi::KpiDay;
use crate::outcome::Verdict;
use crate::rule::{Rule, Severity};
use crate::time::Time;

/// A change in the life of an episode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transition {
    /// It began.
    Raised,
    /// Its severity rose.
    Escalated,
    /// Its severity fell.
    Eased,
    /// A snooze is over, and it is still open.
    Reminded,
    /// Its end condition held.
    Cleared,
    /// Its rule is gone, the customer was erased, or it is too old.
    Expired,
    /// The customer churned; as a decision: its outcome is known.
    Resolved,
}

impl Transition {
    /// Every transition.
    pub const ALL: [Transition; 7] =
        [Self::Raised, Self::Escalated, Self::Eased, Self::Reminded, Self::Cleared, Self::Expired, Self::Resolved];

    /// Its name in the type of a signal: `bellwether.signal.NAME.v1`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Transition::Raised => "raised",
            Transition::Escalated => "escalated",
            Transition::Eased => "eased",
            Transition::Reminded => "reminded",
            Transition::Cleared => "cleared",
            Transition::Expired => "expired",
            Transition::Resolved => "resolved",
        }
    }
}

/// Why an episode expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// Its rule is not in the rule set any more.
    RuleRemoved,
    /// The customer was erased.
    Erased,
    /// It was open for as long as its rule allows.
    TooOld,
}

impl Expiry {
    /// Every cause.
    pub const ALL: [Expiry; 3] = [Self::RuleRemoved, Self::Erased, Self::TooOld];

    /// Its name in records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Expiry::RuleRemoved => "rule_removed",
            Expiry::Erased => "erased",
            Expiry::TooOld => "too_old",
        }
    }
}

/// A feature against its threshold when the episode changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// Name of the feature.
    pub feature: Cow<'static, str>,
    /// Its value; NaN when absent.
    pub value: f64,
    /// The comparison, such as `>=`.
    pub operator: &'static str,
    /// What it was compared with; NaN when absent.
    pub threshold: f64,
    /// Whether it speaks for the condition: the comparison holds, or does not where the rule negates it.
    pub supports: bool,
}

/// Urgency of acting on a signal: weighted shortest job first, (value + urgency + risk) / job size, each on the scale 1 to 21.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Priority {
    /// Business value, from MRR.
    pub value: u8,
    /// Time criticality, from days to renewal.
    pub urgency: u8,
    /// Risk or opportunity, from the rule's precision and the severity.
    pub risk: u8,
    /// Size of the job, from the rule.
    pub job_size: u8,
}

impl Priority {
    /// The quotient.
    #[must_use]
    pub fn score(&self) -> f64 {
        (f64::from(self.value) + f64::from(self.urgency) + f64::from(self.risk)) / f64::from(self.job_size.max(1))
    }
}

/// One transition of one episode, with its reasons.
#[derive(Clone, Debug)]
pub struct Signal {
    /// The same for the same transition in every run.
    pub id: u128,
    /// What happened to the episode.
    pub transition: Transition,
    /// The customer id.
    pub customer: Box<str>,
    /// The rule.
    pub rule: Arc<Rule>,
    /// The thing within the customer, or empty.
    pub object: Box<str>,
    /// Number of the rule set in force.
    pub rule_set: u32,
    /// Severity after the transition.
    pub severity: Severity,
    /// Counts the episodes of (customer, rule, object) from 1.
    pub episode: u32,
    /// Journal time of the evaluation.
    pub time: Time,
    /// When the episode was raised.
    pub raised_at: Time,
    /// Whether it tells of an episode that began in silence, at the end of that silence.
    pub backfilled: bool,
    /// What a person made of the episode.
    pub mark: Option<Mark>,
    /// What came of the episode, where that is known with this transition.
    pub verdict: Option<Verdict>,
    /// Why the episode expired, where it did.
    pub expiry: Option<Expiry>,
    /// Time of the latest contributing event.
    pub event_time: Option<Time>,
    /// Who looks after the customer.
    pub owner: Option<Box<str>>,
    /// Features against thresholds.
    pub evidence: Vec<Evidence>,
    /// The latest contributing events.
    pub events: Vec<EventReference>,
    /// The users concerned, where the rule is about users.
    pub users: Vec<UserToken>,
    /// Health score.
    pub health: Option<f32>,
    /// How the health score came about.
    pub health_contributions: Vec<Contribution>,
    /// Index into `feature::GRADES`.
    pub grade: Option<u8>,
    /// Index into `feature::QUADRANTS`.
    pub quadrant: Option<u8>,
    /// The profile that the score was made by, and its version.
    pub health_profile: (Box<str>, u32),
    /// MRR in minor units of `currency`.
    pub mrr_minor: i64,
    /// The customer's main currency.
    pub currency: Option<Currency>,
    /// The journey stage.
    pub stage: Box<str>,
    /// UTC days to the next renewal.
    pub days_to_renewal: Option<i32>,
    /// Priority with its parts.
    pub priority: Priority,
    /// The reason in words.
    pub summary: String,
    /// The trace of the event that decided it, where one with a trace did; the passing of time has none.
    pub traceparent: Option<Box<str>>,
}

/// What a fold puts out.
#[derive(Clone, Debug)]
pub enum Output {
    /// To be sent to subscribers.
    Signal(Box<Signal>),
    /// Not sent, with the reason: the name of a suppression, `shadow`, `quiet`, `hold-out`, `owner-cap`, `dismissed`, `snoozed`, `outcome`,
    /// `inhibited: RULE`, or `silence: NAME`.
    Decision(Box<Signal>, Arc<str>),
    /// The sums of the partition at the end of a UTC day.
    Kpis(Box<KpiDay>),
}

/// The id of a transition.
#[must_use]
pub fn signal_id(customer: &str, rule: &str, object: &str, raised_at: Time, ordinal: u16) -> u128 {
    let mut text = Vec::with_capacity(customer.len() + rule.len() + object.len() + 16);
    for part in [customer, rule, object] {
        text.extend_from_slice(part.as_bytes());
        text.push(0);
    }
    text.extend_from_slice(&raised_at.0.to_be_bytes());
    text.extend_from_slice(&ordinal.to_be_bytes());
    xxh3_128(&text)
}
