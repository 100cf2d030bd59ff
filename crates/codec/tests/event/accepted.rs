//! Every event type, with all of its fields and with only the required ones, as CloudEvents and as plain JSON.

use std::collections::BTreeSet;

use bellwether_codec::event::Decoder;
use bellwether_engine::event_type::EventType;
use bellwether_engine::time::Time;

use crate::{check, lines};

/// Type, data, and the body expected, in which `U7` stands for the token of `u7`.
const CASES: &[(&str, &str, &str)] = &[
    ("login", r#"{"user":"u7","method":"sso","ok":false}"#, "Login { user: Some(UserToken(U7)), ok: false }"),
    ("login", "{}", "Login { user: None, ok: true }"),
    ("login", "", "Login { user: None, ok: true }"),
    ("login", "null", "Login { user: None, ok: true }"),
    (
        "ticket.opened",
        r#"{"ticket":"t1","channel":"mail","priority":"urgent","topic":"billing","subject":"my invoice"}"#,
        r#"Ticket { step: Opened, ticket: "t1", channel: Some("mail"), priority: Some(Urgent), topic: Some("billing") }"#,
    ),
    ("ticket.answered", r#"{"ticket":"t1"}"#, r#"Ticket { step: Answered, ticket: "t1", channel: None, priority: None, topic: None }"#),
    (
        "ticket.solved",
        r#"{"ticket":"t1","priority":"low"}"#,
        r#"Ticket { step: Solved, ticket: "t1", channel: None, priority: Some(Low), topic: None }"#,
    ),
    (
        "ticket.reopened",
        r#"{"ticket":"t1","priority":"normal"}"#,
        r#"Ticket { step: Reopened, ticket: "t1", channel: None, priority: Some(Normal), topic: None }"#,
    ),
    (
        "subscription.started",
        r#"{"subscription":"s1","plan":"pro","mrr_minor":160000,"currency":"USD","seats":100,"period_end":"2026-04-01","trial":true}"#,
        r#"Subscription { step: Started, subscription: "s1", plan: Some("pro"), mrr_minor: Some(160000), currency: Some(Currency([85, 83, 68])), seats: Some(100), period_end: Some(Time(1775001600000)), trial: Some(true), reason: None }"#,
    ),
    (
        "subscription.changed",
        r#"{"subscription":"s1","mrr_minor":0,"seats":0}"#,
        r#"Subscription { step: Changed, subscription: "s1", plan: None, mrr_minor: Some(0), currency: None, seats: Some(0), period_end: None, trial: None, reason: None }"#,
    ),
    (
        "subscription.renewed",
        r#"{"subscription":"s1","period_end":"2026-04-01T02:00:00+02:00"}"#,
        r#"Subscription { step: Renewed, subscription: "s1", plan: None, mrr_minor: None, currency: None, seats: None, period_end: Some(Time(1775001600000)), trial: None, reason: None }"#,
    ),
    (
        "subscription.ended",
        r#"{"subscription":"s1","reason":"involuntary"}"#,
        r#"Subscription { step: Ended, subscription: "s1", plan: None, mrr_minor: None, currency: None, seats: None, period_end: None, trial: None, reason: Some(Involuntary) }"#,
    ),
    (
        "invoice.issued",
        r#"{"invoice":"i1","amount_minor":9900,"currency":"eur","due":"2026-03-15"}"#,
        r#"Invoice { step: Issued, invoice: "i1", amount_minor: Some(9900), currency: Some(Currency([69, 85, 82])), due: Some(Time(1773532800000)), attempt: None }"#,
    ),
    (
        "invoice.paid",
        r#"{"invoice":"i1"}"#,
        r#"Invoice { step: Paid, invoice: "i1", amount_minor: None, currency: None, due: None, attempt: None }"#,
    ),
    (
        "payment.failed",
        r#"{"invoice":"i1","attempt":2}"#,
        r#"Invoice { step: PaymentFailed, invoice: "i1", amount_minor: None, currency: None, due: None, attempt: Some(2) }"#,
    ),
    (
        "payment.recovered",
        r#"{"invoice":"i1"}"#,
        r#"Invoice { step: PaymentRecovered, invoice: "i1", amount_minor: None, currency: None, due: None, attempt: None }"#,
    ),
    ("cancellation.viewed", r#"{"user":"u7"}"#, "Cancellation { step: Viewed, user: Some(UserToken(U7)), reason: None, effective: None }"),
    (
        "cancellation.reasoned",
        r#"{"reason":"too_expensive"}"#,
        r#"Cancellation { step: Reasoned, user: None, reason: Some("too_expensive"), effective: None }"#,
    ),
    (
        "cancellation.requested",
        r#"{"effective":"2026-04-01"}"#,
        "Cancellation { step: Requested, user: None, reason: None, effective: Some(Time(1775001600000)) }",
    ),
    ("cancellation.acknowledged", "{}", "Cancellation { step: Acknowledged, user: None, reason: None, effective: None }"),
    ("cancellation.withdrawn", "{}", "Cancellation { step: Withdrawn, user: None, reason: None, effective: None }"),
    (
        "usage",
        r#"{"feature":"export","count":3,"value":12.5,"user":"u7"}"#,
        r#"Usage { feature: "export", count: 3, value: Some(12.5), user: Some(UserToken(U7)) }"#,
    ),
    ("usage", r#"{"feature":"export"}"#, r#"Usage { feature: "export", count: 1, value: None, user: None }"#),
    ("quota", r#"{"name":"storage","used":0,"limit":2.5}"#, r#"Quota { name: "storage", used: 0.0, limit: 2.5 }"#),
    (
        "survey.answered",
        r#"{"kind":"nps","score":9}"#,
        "Survey { kind: Nps, score: 9.0, scale_min: 0.0, scale_max: 10.0, higher_is_better: true, user: None, role: None, ticket: None }",
    ),
    (
        "survey.answered",
        r#"{"kind":"ces","score":1,"scale_max":7,"direction":"down","user":"u7","role":"admin","ticket":"t1"}"#,
        r#"Survey { kind: Ces, score: 1.0, scale_min: 1.0, scale_max: 7.0, higher_is_better: false, user: Some(UserToken(U7)), role: Some("admin"), ticket: Some("t1") }"#,
    ),
    (
        "survey.answered",
        r#"{"kind":"csat","score":4.5,"direction":"up"}"#,
        "Survey { kind: Csat, score: 4.5, scale_min: 1.0, scale_max: 5.0, higher_is_better: true, user: None, role: None, ticket: None }",
    ),
    (
        "survey.answered",
        r#"{"kind":"goal","score":-1,"scale_min":-2,"scale_max":2}"#,
        "Survey { kind: Goal, score: -1.0, scale_min: -2.0, scale_max: 2.0, higher_is_better: true, user: None, role: None, ticket: None }",
    ),
    (
        "account.created",
        r#"{"segment":"smb","industry":"retail","country":"DE","owner":"kim"}"#,
        r#"Account { created: true, segment: Some("smb"), industry: Some("retail"), country: Some("DE"), owner: Some("kim") }"#,
    ),
    ("account.updated", "{}", "Account { created: false, segment: None, industry: None, country: None, owner: None }"),
    (
        "user.invited",
        r#"{"user":"u7","expires":"2026-03-08T08:15:00Z"}"#,
        "User { step: Invited, user: UserToken(U7), expires: Some(Time(1772957700000)) }",
    ),
    ("user.activated", r#"{"user":"u7"}"#, "User { step: Activated, user: UserToken(U7), expires: None }"),
    ("user.removed", r#"{"user":"u7"}"#, "User { step: Removed, user: UserToken(U7), expires: None }"),
    ("milestone.reached", r#"{"name":"first import"}"#, r#"Milestone { name: "first import", is_final: false }"#),
    ("milestone.reached", r#"{"name":"live","final":true}"#, r#"Milestone { name: "live", is_final: true }"#),
    (
        "contact.changed",
        r#"{"role":"champion","user":null,"previous_user":"u7"}"#,
        r#"Contact { role: "champion", user: None, previous_user: Some(UserToken(U7)) }"#,
    ),
    ("consent.changed", r#"{"marketing":false}"#, "Consent { marketing: false, user: None }"),
    ("consent.changed", r#"{"marketing":true,"user":"u7"}"#, "Consent { marketing: true, user: Some(UserToken(U7)) }"),
    (
        "note.recorded",
        r#"{"note":"n1","kind":"feature_request","text":"wants dark mode"}"#,
        r#"Note { resolved: false, note: "n1", kind: Some(FeatureRequest) }"#,
    ),
    ("note.recorded", r#"{"note":"n1","kind":"observation"}"#, r#"Note { resolved: false, note: "n1", kind: Some(Observation) }"#),
    ("note.recorded", r#"{"note":"n1","kind":"risk"}"#, r#"Note { resolved: false, note: "n1", kind: Some(Risk) }"#),
    ("note.resolved", r#"{"note":"n1","kind":"praise"}"#, r#"Note { resolved: true, note: "n1", kind: Some(Praise) }"#),
    ("touch.recorded", r#"{"channel":"phone"}"#, r#"Touch { channel: Some("phone") }"#),
    ("incident.started", r#"{"incident":"x1","severity":"Critical"}"#, r#"Incident { resolved: false, incident: "x1", serious: true }"#),
    ("incident.started", r#"{"incident":"x1","severity":1}"#, r#"Incident { resolved: false, incident: "x1", serious: true }"#),
    ("incident.started", r#"{"incident":"x1","severity":"sev3"}"#, r#"Incident { resolved: false, incident: "x1", serious: false }"#),
    ("incident.resolved", r#"{"incident":"x1"}"#, r#"Incident { resolved: true, incident: "x1", serious: false }"#),
    (
        "goal.set",
        r#"{"metric":"hours saved","target":40,"due":"2026-06-30"}"#,
        r#"Goal { set: true, metric: "hours saved", target: Some(40.0), value: None, due: Some(Time(1782777600000)) }"#,
    ),
    (
        "goal.progressed",
        r#"{"metric":"hours saved","value":-1.5}"#,
        r#"Goal { set: false, metric: "hours saved", target: None, value: Some(-1.5), due: None }"#,
    ),
    ("lead.recorded", r#"{"kind":"seats"}"#, r#"Lead { kind: Some("seats") }"#),
    (
        "campaign.sent",
        r#"{"campaign":"k1","user":"u7"}"#,
        r#"Campaign { step: Sent, campaign: "k1", user: Some(UserToken(U7)), amount_minor: None, currency: None }"#,
    ),
    (
        "campaign.failed",
        r#"{"campaign":"k1"}"#,
        r#"Campaign { step: Failed, campaign: "k1", user: None, amount_minor: None, currency: None }"#,
    ),
    (
        "campaign.opened",
        r#"{"campaign":"k1"}"#,
        r#"Campaign { step: Opened, campaign: "k1", user: None, amount_minor: None, currency: None }"#,
    ),
    (
        "campaign.clicked",
        r#"{"campaign":"k1"}"#,
        r#"Campaign { step: Clicked, campaign: "k1", user: None, amount_minor: None, currency: None }"#,
    ),
    (
        "campaign.converted",
        r#"{"campaign":"k1","amount_minor":5000,"currency":"GBP"}"#,
        r#"Campaign { step: Converted, campaign: "k1", user: None, amount_minor: Some(5000), currency: Some(Currency([71, 66, 80])) }"#,
    ),
    (
        "campaign.unsubscribed",
        r#"{"campaign":"k1"}"#,
        r#"Campaign { step: Unsubscribed, campaign: "k1", user: None, amount_minor: None, currency: None }"#,
    ),
    (
        "signal.acknowledged",
        r#"{"signal":"g1","by":"kim"}"#,
        r#"Feedback { step: Acknowledged, signal: "g1", by: Some("kim"), until: None, useful: None }"#,
    ),
    ("signal.dismissed", r#"{"signal":"g1"}"#, r#"Feedback { step: Dismissed, signal: "g1", by: None, until: None, useful: None }"#),
    (
        "signal.snoozed",
        r#"{"signal":"g1","until":"2026-04-01"}"#,
        r#"Feedback { step: Snoozed, signal: "g1", by: None, until: Some(Time(1775001600000)), useful: None }"#,
    ),
    (
        "signal.rated",
        r#"{"signal":"g1","useful":true}"#,
        r#"Feedback { step: Rated, signal: "g1", by: None, until: None, useful: Some(true) }"#,
    ),
    (
        "cost.recorded",
        r#"{"kind":"acquisition","amount_minor":100,"currency":"EUR","period":"2026-02"}"#,
        r#"Cost { acquisition: true, amount_minor: 100, currency: Currency([69, 85, 82]), period: "2026-02" }"#,
    ),
    (
        "cost.recorded",
        r#"{"kind":"retention","amount_minor":0,"currency":"EUR","period":"2026-02"}"#,
        r#"Cost { acquisition: false, amount_minor: 0, currency: Currency([69, 85, 82]), period: "2026-02" }"#,
    ),
    ("customer.erased", "", "Erased"),
];

#[test]
fn every_type_decodes_in_both_forms() {
    let user =
        Decoder::default().decode_text(&lines("user.removed", r#"{"user":"u7"}"#)[0]).map(|event| format!("{:?}", event.body)).unwrap();
    let token = user.split(['(', ')']).nth(1).unwrap();
    for (kind, data, expected) in CASES {
        for line in lines(kind, data) {
            check(&line, &expected.replace("U7", token));
        }
    }
}

#[test]
fn no_type_is_forgotten() {
    let tested: BTreeSet<&str> = CASES.iter().map(|(kind, _, _)| *kind).collect();
    let known: BTreeSet<&str> = EventType::ALL.iter().map(|(_, name, _)| *name).collect();
    assert_eq!(tested, known);
}

#[test]
fn the_attributes() {
    let line = r#"{"specversion":"1.0","id":"9f2","source":"/auth","type":"login","subject":"c-1042","time":"2026-03-01T08:15:00.25+01:00","data":{"user":"u7"}}"#;
    let event = Decoder::default().decode_text(line).unwrap();
    assert_eq!((&*event.id, &*event.source, &*event.customer), ("9f2", "/auth", "c-1042"));
    assert_eq!(event.time, Time(1_772_349_300_250));
    assert_eq!(event.event_type(), EventType::Login);
}
