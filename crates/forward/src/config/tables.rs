//! The fields of the section `forward`.

use bellwether_codec::yaml::{Absent, Field, Form, Section};

const fn field(name: &'static str, form: Form, absent: Absent, doc: &'static str) -> Field {
    Field { name, form, absent, doc }
}

const NAMES: Form = Form::List(&Form::Text);

/// The section.
pub const FORWARD: Section = Section {
    what: "the forwarding",
    doc: "What `bellwether forward` does: signals to webhooks, at least once, each as CloudEvents JSON.",
    fields: &[
        field(
            "signals",
            Form::Text,
            Absent::Means("the topic of signals where there is a section `kafka`, else signals.jsonl in the data directory"),
            "The signals file that is followed.",
        ),
        field("time_zone", Form::Text, Absent::Default("UTC"), "The IANA time zone of the digests' days and times, such as Europe/Berlin."),
        field(
            "routes",
            Form::List(&Form::Section(&ROUTE)),
            Absent::Required,
            "Where signals go; at least one. A signal goes to every route that it matches.",
        ),
    ],
};

pub(super) const ROUTE: Section = Section {
    what: "a route",
    doc: "A receiver and what it is sent. Each route has a position of its own, so that one receiver that is down holds up no other.",
    fields: &[
        field(
            "name",
            Form::Text,
            Absent::Required,
            "Its name, of a-z, 0-9 and `-`. The position is kept under it: a new name begins anew.",
        ),
        field(
            "url",
            Form::Secret,
            Absent::Required,
            "The address that is posted to. It may be a secret, as Slack's are, and is never shown; take it from a variable: `${SLACK_URL}`.",
        ),
        field(
            "secret",
            Form::Secret,
            Absent::Means("see `secret_file`"),
            "The signing key of Standard Webhooks: `whsec_` and 24 to 64 bytes in Base64. Two with a space between them sign twice, for a change of keys.",
        ),
        field("secret_file", Form::Text, Absent::Means("messages are not signed"), "The file that holds this key."),
        field(
            "headers",
            Form::Named(&Form::Property),
            Absent::Means("none"),
            "Further headers, such as `authorization`; take secrets from variables.",
        ),
        field("owners", NAMES, Absent::Means("everybody's, and nobody's"), "Only signals of customers of these owners."),
        field(
            "kinds",
            Form::List(&Form::Choice(&["at_risk", "upsell", "advocacy", "return", "attention", "data_quality"])),
            Absent::Means("all"),
            "Only signals of these kinds.",
        ),
        field(
            "severities",
            Form::List(&Form::Choice(&["info", "warning", "critical"])),
            Absent::Means("all"),
            "Only signals of these severities.",
        ),
        field("rules", NAMES, Absent::Means("all"), "Only signals of these rules."),
        field(
            "transitions",
            Form::List(&Form::Choice(&["raised", "escalated", "eased", "reminded", "cleared", "expired", "resolved"])),
            Absent::Means("all"),
            "Only these steps in the life of a signal. Not for digests, which tell what is open.",
        ),
        field(
            "start",
            Form::Choice(&["beginning", "end"]),
            Absent::Default("beginning"),
            "Where a new route begins: with all signals there are, or with the next one. Not for digests.",
        ),
        field("attempts", Form::Whole(1, 100), Absent::Default("12"), "Attempts before a message becomes a dead letter."),
        field(
            "first_wait",
            Form::Duration,
            Absent::Default("1s"),
            "The wait before the second attempt; it doubles from attempt to attempt, and a random part of it is left out.",
        ),
        field(
            "longest_wait",
            Form::Duration,
            Absent::Default("10m"),
            "No wait is longer, unless the receiver asks for it by Retry-After; that counts up to an hour.",
        ),
        field(
            "timeout",
            Form::Duration,
            Absent::Default("15s"),
            "How long one attempt may take, also one that is on its way when the process is told to stop.",
        ),
        field("in_flight", Form::Whole(1, 64), Absent::Default("8"), "Requests at once. Signals of one customer go one after another."),
        field("queue", Form::Whole(1, 10_000), Absent::Default("1000"), "Signals read and not settled yet, at most; then reading waits."),
        field(
            "digest",
            Form::Section(&DIGEST),
            Absent::Means("each signal by itself"),
            "Instead of single signals, one message a day and owner about what is open.",
        ),
    ],
};

pub(super) const DIGEST: Section = Section {
    what: "the digest",
    doc: "One message for each owner with open signals, once a day: `text` as Slack takes it, and the same as a list in `digest`, ranked by priority.",
    fields: &[
        field("at", Form::Text, Absent::Default("08:00"), "The time of day, HH:MM. After a standstill it is made up for on the same day."),
        field(
            "max_signals",
            Form::Whole(1, 1_000),
            Absent::Default("50"),
            "Signals in one message; of the others only the number is told.",
        ),
    ],
};
