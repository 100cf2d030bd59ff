//! Only rules whose features may have changed are looked at: which ones, event by event.

use std::sync::Arc;

use bellwether_engine::rule_set::RuleSet;
use bellwether_tests::folding::default_rules;
use bellwether_tests::one_customer::{OneCustomer, STEADY_DAYS};

/// What a steady customer has seen before, so that no event below is the first of its type.
const BEFORE: &[(&str, &str)] = &[
    ("note.recorded", r#"{"note":"n0","kind":"feature_request"}"#),
    ("note.resolved", r#"{"note":"n0"}"#),
    ("survey.answered", r#"{"kind":"csat","score":5,"scale_min":1,"scale_max":5,"user":"u1"}"#),
    ("consent.changed", r#"{"marketing":true}"#),
    ("quota", r#"{"name":"api","used":10,"limit":100}"#),
    ("goal.set", r#"{"metric":"leads","target":100}"#),
    ("goal.progressed", r#"{"metric":"leads","value":1}"#),
    ("account.updated", r#"{"owner":"bob"}"#),
    ("campaign.sent", r#"{"campaign":"spring"}"#),
    ("invoice.issued", r#"{"invoice":"i0","due":"2025-01-01"}"#),
    ("invoice.paid", r#"{"invoice":"i0"}"#),
    ("touch.recorded", "{}"),
];

/// Type and data of an event, the rules of the pack that it wakes when each is alone, and how many looks that is under the whole pack.
type Case = (&'static str, &'static str, &'static [&'static str], u64);

const CASES: &[Case] = &[
    // A user who was there today: only counts that no sleeping rule waits for.
    ("login", r#"{"user":"u1"}"#, &[], 0),
    // A new user: all that counts users, and health, which does.
    (
        "login",
        r#"{"user":"u9"}"#,
        &[
            "active-users-shrink",
            "single-user-dependency",
            "low-utilisation",
            "activation-unused",
            "renewal-unhealthy",
            "health-drop",
            "dormant-users",
            "returned",
            "seat-saturation",
            "promoter",
            "anniversary",
        ],
        11,
    ),
    ("usage", r#"{"feature":"feature-1","user":"u1"}"#, &[], 0),
    // A feature that was never used before, and one that stands for a higher tier.
    ("usage", r#"{"feature":"pricing_page","user":"u1"}"#, &["core-feature-dropped", "unused-entitlement", "higher-tier-interest"], 3),
    ("note.recorded", r#"{"note":"n1","kind":"feature_request"}"#, &["request-pile"], 1),
    // A noted risk caps health.
    (
        "note.recorded",
        r#"{"note":"n1","kind":"risk"}"#,
        &["renewal-unhealthy", "health-drop", "request-pile", "returned", "promoter", "anniversary"],
        6,
    ),
    ("touch.recorded", r#"{}"#, &["silent-relationship"], 1),
    // It changes health, and raises; beside each other, rules that read whether something is at risk look again.
    (
        "survey.answered",
        r#"{"kind":"nps","score":3,"user":"u1"}"#,
        &["detractor", "low-satisfaction", "renewal-unhealthy", "health-drop", "returned", "promoter", "anniversary"],
        10,
    ),
    ("consent.changed", r#"{"marketing":false}"#, &["seat-saturation", "limit-reached", "expansion-lead"], 3),
    ("quota", r#"{"name":"api","used":90,"limit":100}"#, &["limit-reached"], 1),
    ("goal.progressed", r#"{"metric":"leads","value":7}"#, &["goal-reached"], 1),
    ("campaign.sent", r#"{"campaign":"summer"}"#, &[], 0),
    (
        "ticket.opened",
        r#"{"ticket":"t1"}"#,
        &[
            "ticket-spike",
            "urgent-ticket-aging",
            "renewal-unhealthy",
            "health-drop",
            "slow-first-response",
            "returned",
            "promoter",
            "anniversary",
        ],
        8,
    ),
    ("invoice.issued", r#"{"invoice":"i1","due":"2025-01-01"}"#, &["payment-failed", "invoice-overdue"], 2),
    ("account.updated", r#"{"owner":"ann"}"#, &[], 0),
];

/// The rules of the pack that are looked at because of an event, and how many looks it takes under the whole pack.
fn woken(event_type: &str, data: &str) -> (Vec<String>, u64) {
    let pack = default_rules();
    let looked_at = |rules: &Arc<RuleSet>| {
        let mut customer = OneCustomer::steady(rules);
        BEFORE.iter().for_each(|(event_type, data)| customer.happens(f64::from(STEADY_DAYS), event_type, data));
        customer.happens(f64::from(STEADY_DAYS) + 0.1, "login", r#"{"user":"u1"}"#);
        customer.pass(f64::from(STEADY_DAYS) + 0.4);
        let before = customer.partition.work;
        customer.happens(f64::from(STEADY_DAYS) + 0.5, event_type, data);
        let after = customer.partition.work;
        assert_eq!(after.reviews, before.reviews, "nothing but the event is counted");
        assert_eq!(after.rules_possible - before.rules_possible, rules.rules.len() as u64);
        after.rules_evaluated - before.rules_evaluated
    };
    // Each rule alone tells which they are.
    let alone = pack.rules.iter().filter(|rule| {
        let rules = Arc::new(RuleSet::new(1, vec![Arc::clone(rule)], pack.settings.clone()));
        looked_at(&rules) > 0
    });
    (alone.map(|rule| rule.name.clone()).collect(), looked_at(&pack))
}

#[test]
fn an_event_wakes_the_rules_that_may_change_by_it_and_no_other() {
    for (event_type, data, expected, looks) in CASES {
        let (names, count) = woken(event_type, data);
        assert_eq!((names.iter().map(String::as_str).collect::<Vec<_>>().as_slice(), count), (*expected, *looks), "{event_type} {data}");
    }
}

/// Twelve logins and uses a day wake next to nothing; what is left are the midnights, at which windows move on.
#[test]
fn a_steady_customer_wakes_hardly_any_rule() {
    let work = OneCustomer::steady(&default_rules()).partition.work;
    assert!(work.rules_evaluated * 100 < work.rules_possible * 8, "{work:?}");
}
