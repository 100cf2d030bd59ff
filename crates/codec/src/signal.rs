//! Signals and decisions as CloudEvents structured JSON, one line each.

mod fields;

use std::io::{self, Write};

use bellwether_engine::episode::Mark;
use bellwether_engine::feature::{GRADES, QUADRANTS};
use bellwether_engine::signal::{Expiry, Output, Signal};
use bellwether_engine::time::Time;
use schemars::{Schema, SchemaGenerator};
use serde::Serialize;

use crate::pseudonym::token_text;
use crate::timestamp::format_time;
use fields::{
    Contribution, DecisionData, Envelope, EventEvidence, Evidence, Family, FeatureEvidence, HealthProfile, Outcome, Priority, SignalData,
    type_name,
};

/// CloudEvents `source` of everything that Bellwether puts out.
pub const SOURCE: &str = "/bellwether";

pub(crate) const SPEC_VERSION: &str = "1.0";
pub(crate) const CONTENT_TYPE: &str = "application/json";

/// Writes an output as one line: a signal, or a decision with its reason. The end of a day is none, and writes nothing.
pub fn write_output(output: &Output, into: &mut impl Write) -> io::Result<()> {
    match output {
        Output::Signal(signal) => serde_json::to_writer(&mut *into, &envelope(signal, data(signal)))?,
        Output::Decision(signal, reason) => serde_json::to_writer(&mut *into, &envelope(signal, decision(signal, reason)))?,
        Output::Kpis(_) => return Ok(()),
    }
    into.write_all(b"\n")
}

/// An output in CloudEvents' binary mode for Kafka: the attributes as headers, the data as the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BinaryOutput {
    /// Names and values of the headers.
    pub headers: Vec<(&'static str, String)>,
    /// The data, as JSON.
    pub value: Vec<u8>,
}

/// Renders a signal or a decision in binary mode; the data are those of [`write_output`].
#[must_use]
pub fn binary_output(output: &Output) -> Option<BinaryOutput> {
    Some(match output {
        Output::Signal(signal) => binary(envelope(signal, data(signal))),
        Output::Decision(signal, reason) => binary(envelope(signal, decision(signal, reason))),
        Output::Kpis(_) => return None,
    })
}

fn binary<D: Family + Serialize>(envelope: Envelope<'_, D>) -> BinaryOutput {
    let mut headers = vec![
        ("ce_specversion", envelope.specversion.to_owned()),
        ("ce_id", envelope.id),
        ("ce_source", envelope.source.to_owned()),
        ("ce_type", envelope.r#type),
        ("ce_subject", envelope.subject.to_owned()),
        ("ce_time", envelope.time),
        ("content-type", envelope.datacontenttype.to_owned()),
    ];
    if let Some(traceparent) = envelope.traceparent {
        // As the attribute of the event, and as tracing libraries look for it in a record.
        headers.extend(["ce_traceparent", "traceparent"].map(|name| (name, traceparent.to_owned())));
    }
    let value = serde_json::to_vec(&envelope.data).expect("every value of a signal is representable in JSON");
    BinaryOutput { headers, value }
}

/// What both modes tell about an output.
fn envelope<D: Family>(signal: &Signal, data: D) -> Envelope<'_, D> {
    Envelope {
        specversion: SPEC_VERSION,
        id: format!("{:032x}", signal.id),
        source: SOURCE,
        r#type: type_name(D::NAME, signal.transition),
        subject: &signal.customer,
        time: format_time(signal.time),
        datacontenttype: CONTENT_TYPE,
        traceparent: signal.traceparent.as_deref(),
        data,
    }
}

fn decision<'a>(signal: &'a Signal, reason: &'a str) -> DecisionData<'a> {
    DecisionData { signal: data(signal), reason }
}

/// Adds the schema of a signal in structured mode to a generator.
pub fn describe_signal(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<Envelope<'_, SignalData<'_>>>()
}

/// Adds the schema of a signal's data.
pub fn describe_signal_data(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<SignalData<'_>>()
}

/// Adds the schema of a decision in structured mode.
pub fn describe_decision(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<Envelope<'_, DecisionData<'_>>>()
}

/// Adds the schema of a decision's data.
pub fn describe_decision_data(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<DecisionData<'_>>()
}

fn data(signal: &Signal) -> SignalData<'_> {
    SignalData {
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
                supports: one.supports,
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
