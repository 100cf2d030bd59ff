//! Signals and decisions as CloudEvents structured JSON, one line each.

use std::io::{self, Write};

use bellwether_engine::episode::Mark;
use bellwether_engine::feature::{GRADES, QUADRANTS};
use bellwether_engine::signal::{Expiry, Output, Signal};
use bellwether_engine::time::Time;
use serde::Serialize;

use crate::pseudonym::token_text;
use crate::timestamp::format_time;

/// CloudEvents `source` of everything that Bellwether puts out.
pub const SOURCE: &str = "/bellwether";

pub(crate) const SPEC_VERSION: &str = "1.0";
pub(crate) const CONTENT_TYPE: &str = "application/json";

#[derive(Serialize)]
struct Envelope<'a> {
    specversion: &'static str,
    id: String,
    source: &'static str,
    r#type: String,
    subject: &'a str,
    time: String,
    datacontenttype: &'static str,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    kind: &'static str,
    rule: &'a str,
    object: &'a str,
    rule_set: u32,
    severity: &'static str,
    episode: u32,
    raised_at: String,
    owner: Option<&'a str>,
    event_time: Option<String>,
    evidence: Evidence<'a>,
    health: Option<f64>,
    health_contributions: Vec<Contribution<'a>>,
    grade: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quadrant: Option<&'static str>,
    health_profile: HealthProfile<'a>,
    mrr_minor: i64,
    currency: Option<&'a str>,
    stage: &'a str,
    days_to_renewal: Option<i32>,
    priority: Priority,
    summary: &'a str,
    playbook: &'a str,
    /// Only where it is so: the episode began in silence, and is told at its end.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    backfilled: bool,
    /// What a person made of the episode, where somebody did: `acknowledged`, `dismissed` or `snoozed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    feedback: Option<&'static str>,
    /// Expired only: why.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    #[serde(flatten)]
    outcome: Option<Outcome>,
    /// Decisions only: why it was not sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

/// Where the outcome is known with this transition.
#[derive(Serialize)]
struct Outcome {
    outcome: &'static str,
    /// From the raise to what came of it; null where nothing came.
    lead_days: Option<f64>,
    /// Who was told of it: `told`, `held_out` (what happens without a signal), or `untold` (shadow mode, history).
    group: &'static str,
}

#[derive(Serialize)]
struct Evidence<'a> {
    features: Vec<FeatureEvidence<'a>>,
    events: Vec<EventEvidence<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    users: Vec<String>,
}

#[derive(Serialize)]
struct FeatureEvidence<'a> {
    feature: &'a str,
    value: Option<f64>,
    operator: &'static str,
    threshold: Option<f64>,
}

#[derive(Serialize)]
struct EventEvidence<'a> {
    r#type: &'static str,
    source: &'a str,
    id: &'a str,
    time: String,
}

/// Which profile the score was made by; the name is empty for customers that no other profile is for.
#[derive(Serialize)]
struct HealthProfile<'a> {
    name: &'a str,
    version: u32,
}

#[derive(Serialize)]
struct Contribution<'a> {
    component: &'a str,
    score: f64,
    share: f64,
}

#[derive(Serialize)]
struct Priority {
    score: f64,
    value: u8,
    urgency: u8,
    risk: u8,
    job_size: u8,
}

/// Writes an output as one line: a signal, or a decision with its reason. The end of a day is none, and writes nothing.
pub fn write_output(output: &Output, into: &mut impl Write) -> io::Result<()> {
    let Some(Attributes { signal, id, r#type, time, reason }) = Attributes::of(output) else { return Ok(()) };
    let envelope = Envelope {
        specversion: SPEC_VERSION,
        id,
        source: SOURCE,
        r#type,
        subject: &signal.customer,
        time,
        datacontenttype: CONTENT_TYPE,
        data: data(signal, reason),
    };
    serde_json::to_writer(&mut *into, &envelope)?;
    into.write_all(b"\n")
}

/// An output in CloudEvents' binary mode for Kafka: the attributes as headers, the data as the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BinaryOutput {
    /// Names and values of the headers.
    pub headers: [(&'static str, String); 7],
    /// The data, as JSON.
    pub value: Vec<u8>,
}

/// Renders a signal or a decision in binary mode; the data are those of [`write_output`].
#[must_use]
pub fn binary_output(output: &Output) -> Option<BinaryOutput> {
    let Attributes { signal, id, r#type, time, reason } = Attributes::of(output)?;
    let headers = [
        ("ce_specversion", SPEC_VERSION.to_owned()),
        ("ce_id", id),
        ("ce_source", SOURCE.to_owned()),
        ("ce_type", r#type),
        ("ce_subject", signal.customer.to_string()),
        ("ce_time", time),
        ("content-type", CONTENT_TYPE.to_owned()),
    ];
    let value = serde_json::to_vec(&data(signal, reason)).expect("every value of a signal is representable in JSON");
    Some(BinaryOutput { headers, value })
}

/// What both modes tell about an output.
struct Attributes<'a> {
    signal: &'a Signal,
    id: String,
    r#type: String,
    time: String,
    reason: Option<&'a str>,
}

impl<'a> Attributes<'a> {
    fn of(output: &'a Output) -> Option<Self> {
        let (signal, family, reason) = match output {
            Output::Signal(signal) => (signal, "signal", None),
            Output::Decision(signal, reason) => (signal, "decision", Some(&**reason)),
            Output::Kpis(_) => return None,
        };
        Some(Self {
            signal,
            id: format!("{:032x}", signal.id),
            r#type: format!("bellwether.{family}.{}.v1", signal.transition.name()),
            time: format_time(signal.time),
            reason,
        })
    }
}

fn data<'a>(signal: &'a Signal, reason: Option<&'a str>) -> Data<'a> {
    Data {
        kind: signal.rule.kind.name(),
        rule: &signal.rule.name,
        object: &signal.object,
        rule_set: signal.rule_set,
        severity: signal.severity.name(),
        episode: signal.episode,
        raised_at: format_time(signal.raised_at),
        owner: signal.owner.as_deref(),
        event_time: signal.event_time.map(format_time),
        evidence: evidence(signal),
        health: signal.health.map(|health| round(f64::from(health), 1)),
        health_contributions: signal
            .health_contributions
            .iter()
            .map(|part| Contribution { component: &part.name, score: round(part.score, 1), share: round(part.share, 3) })
            .collect(),
        grade: signal.grade.and_then(|grade| GRADES.get(usize::from(grade)).copied()),
        quadrant: signal.quadrant.and_then(|quadrant| QUADRANTS.get(usize::from(quadrant)).copied()),
        health_profile: HealthProfile { name: &signal.health_profile.0, version: signal.health_profile.1 },
        mrr_minor: signal.mrr_minor,
        currency: signal.currency.as_ref().and_then(|currency| std::str::from_utf8(&currency.0).ok()),
        stage: &signal.stage,
        days_to_renewal: signal.days_to_renewal,
        priority: Priority {
            score: round(signal.priority.score(), 2),
            value: signal.priority.value,
            urgency: signal.priority.urgency,
            risk: signal.priority.risk,
            job_size: signal.priority.job_size,
        },
        summary: &signal.summary,
        playbook: &signal.rule.playbook,
        backfilled: signal.backfilled,
        feedback: signal.mark.map(Mark::name),
        cause: signal.expiry.map(Expiry::name),
        outcome: signal.verdict.map(|verdict| Outcome {
            outcome: verdict.outcome.name(),
            lead_days: verdict.lead_days().map(|days| round(days, 2)),
            group: verdict.group.name(),
        }),
        reason,
    }
}

fn evidence(signal: &Signal) -> Evidence<'_> {
    let present = |value: f64| value.is_finite().then(|| round(value, 4));
    Evidence {
        features: signal
            .evidence
            .iter()
            .map(|one| FeatureEvidence {
                feature: &one.feature,
                value: present(one.value),
                operator: one.operator,
                threshold: present(one.threshold),
            })
            .collect(),
        events: signal
            .events
            .iter()
            .map(|event| EventEvidence {
                r#type: event.event_type().name(),
                source: event.source(),
                id: event.id(),
                time: format_time(event.time),
            })
            .collect(),
        users: signal.users.iter().map(|user| token_text(*user)).collect(),
    }
}

/// A number as it is told, with so many decimals.
pub(crate) fn round(value: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (value * scale).round() / scale
}

/// The time of an output, for ordering and display.
#[must_use]
pub fn output_time(output: &Output) -> Time {
    match output {
        Output::Signal(signal) | Output::Decision(signal, _) => signal.time,
        Output::Kpis(ended) => ended.day.next().start(),
    }
}
