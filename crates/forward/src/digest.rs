//! The daily message of an owner: `text` as Slack shows it, and the same as a list.

use std::fmt::Write as _;

use jiff::civil::Date;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use xxhash_rust::xxh3::xxh3_128;

use crate::open::OpenSignal;
use crate::webhook::Message;

/// What a receiver of digests is sent: one message for each owner and day.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DigestMessage")]
struct Body<'a> {
    /// The digest in words, as Slack shows them.
    text: String,
    /// The same as data.
    digest: Digest<'a>,
}

/// What an owner has to do.
#[derive(Serialize, JsonSchema)]
struct Digest<'a> {
    /// The route that sends it.
    route: &'a str,
    /// The owner; null for customers without one.
    owner: Option<&'a str>,
    /// The day that it is of, in the time zone of the route.
    #[schemars(extend("format" = "date"))]
    day: String,
    /// How many are open.
    open: usize,
    /// The most urgent of them, the most urgent first; as many as the route says at most.
    signals: &'a [OpenSignal],
}

/// Adds the schema of the message to a generator.
pub(crate) fn describe(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<Body<'_>>()
}

/// The message of one owner and day. Its id is the same whenever it is made.
pub(crate) fn message(route: &str, owner: &str, day: Date, signals: &[OpenSignal], max_signals: usize) -> Message {
    let told = &signals[..signals.len().min(max_signals)];
    let digest =
        Digest { route, owner: Some(owner).filter(|owner| !owner.is_empty()), day: day.to_string(), open: signals.len(), signals: told };
    let body = serde_json::to_vec(&Body { text: text(owner, day, told, signals.len()), digest }).expect("a digest is plain data");
    Message { id: id(route, owner, day), content_type: "application/json", traceparent: None, body }
}

fn id(route: &str, owner: &str, day: Date) -> String {
    format!("digest-{:032x}", xxh3_128(format!("{route}\n{day}\n{owner}").as_bytes()))
}

fn text(owner: &str, day: Date, told: &[OpenSignal], open: usize) -> String {
    let of = if owner.is_empty() { "customers without an owner".to_owned() } else { escaped(owner) };
    let noun = if open == 1 { "signal" } else { "signals" };
    let mut text = format!("*{open} open {noun} of {of}* ({day})");
    for (number, signal) in (1..).zip(told) {
        let OpenSignal { customer, data, .. } = signal;
        let _ = write!(text, "\n{number}. *{}*: {} ({}", escaped(customer), escaped(&data.summary), data.severity);
        if let Some(days) = data.days_to_renewal.filter(|days| *days >= 0) {
            let _ = write!(text, ", renews in {days} {}", if days == 1 { "day" } else { "days" });
        }
        if let Some(day) = data.raised_at.get(..10) {
            let _ = write!(text, ", since {day}");
        }
        text.push(')');
    }
    if open > told.len() {
        let _ = write!(text, "\nand {} more", open - told.len());
    }
    text
}

/// The three characters that mean something to Slack.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Filter;
    use crate::open::OpenSignals;
    use crate::open::tests::signal;

    #[test]
    fn a_digest_is_text_and_list_and_has_one_id_a_day() {
        let mut open = OpenSignals::default();
        for (customer, score) in [("a&b", 1.0), ("c", 3.0), ("d", 2.0)] {
            open.take(&signal("raised", customer, Some("anna"), score, None));
        }
        let signals = &open.by_owner(&Filter::default())["anna"];
        let day = jiff::civil::date(2026, 4, 1);
        let digest = message("daily", "anna", day, signals, 2);
        let body: serde_json::Value = serde_json::from_slice(&digest.body).unwrap();
        let expected = "*3 open signals of anna* (2026-04-01)\n1. *c*: No login &lt;for&gt; 31 days (warning, renews in 12 days, since 2026-03-01)\n2. *d*: No login &lt;for&gt; 31 days (warning, renews in 12 days, since 2026-03-01)\nand 1 more";
        assert_eq!(body["text"], expected);
        assert_eq!((body["digest"]["open"].as_u64(), body["digest"]["signals"][0]["customer"].as_str()), (Some(3), Some("c")));
        assert_eq!(body["digest"]["signals"][0]["mrr_minor"], 120_000);
        assert_eq!(digest.id, message("daily", "anna", day, &[], 2).id);
        assert_ne!(digest.id, message("daily", "anna", day.tomorrow().unwrap(), &[], 2).id);
        assert_ne!(digest.id, message("daily", "ben", day, &[], 2).id);
    }
}
