//! Why a rule fires, or does not: each reason that an explanation may give.

use serde_json::{Value, json};

use super::evaluation::Log;
use super::support::{Scratch, run};

/// On day 58 nobody has logged in for eight days, nor had between days 40 and 50.
const AT: &str = "2024-02-28";

const RULES: &str = "suppressions:
  - { name: busy, when: logins_28d >= 1 }
signals:
  - { name: open, kind: at_risk, when: days_since_login >= 5, cooldown: 1d, summary: s }
  - { name: needing, kind: at_risk, when: days_since_login >= 5, needs: [ticket.opened], summary: s }
  - { name: young, kind: at_risk, when: days_since_login >= 5, warm_up: 100d, summary: s }
  - { name: held, kind: at_risk, when: days_since_login >= 5, cooldown: 1d, unless: [busy], summary: s }
  - { name: pending, kind: at_risk, when: days_since_login >= 5, cooldown: 1d, for: 30d, summary: s }
  - { name: ended, kind: at_risk, when: days_since_login >= 5, until: days_since_login >= 7, cooldown: 1d, summary: s }
  - { name: cooling, kind: at_risk, when: days_since_login >= 5, cooldown: 100d, summary: s }
  - { name: untrue, kind: at_risk, when: days_since_login >= 500, summary: s }
  - { name: overdue, kind: at_risk, object: invoice, when: invoice_overdue_days > 5, summary: s }
  - { name: long-overdue, kind: at_risk, object: invoice, when: invoice_overdue_days > 500, summary: s }
";

/// What is said of each rule.
fn reasons(scratch: &Scratch, customer: &str, events: &str) -> Vec<(String, String)> {
    let rules = scratch.file("rules.yaml", RULES);
    let ran = run(&["explain", "--json", customer, "--events", events, "--rules", &rules, "--at", AT]).exits(0);
    let explanation: Value = serde_json::from_str(&ran.output).expect("the explanation is JSON");
    let text = |rule: &Value, name: &str| rule[name].as_str().expect("a text").to_owned();
    explanation["rules"].as_array().expect("a list").iter().map(|rule| (text(rule, "rule"), text(rule, "why"))).collect()
}

#[test]
fn each_reason_is_told() {
    let scratch = Scratch::new();
    let mut log = Log::default();
    log.starts("c", 0).logs_in("c", 0..41).logs_in("c", 50..51).logs_in("free", 0..41).logs_in("other", 0..80);
    log.add("c", 10, "invoice.issued", json!({ "invoice": "i-1", "amount_minor": 100, "currency": "EUR", "due": "2024-01-21T00:00:00Z" }));
    let events = scratch.file("events.jsonl", log.text());
    let expected = [
        ("open", "open since 2024-02-25T00:00:00Z, warning"),
        ("needing", "inactive: the events that it needs never came"),
        ("young", "silent until the warm-up is over, 2024-04-10T00:00:00Z"),
        ("held", "held back by `busy`"),
        ("pending", "holds since 2024-02-25T00:00:00Z, and must until 2024-03-26T00:00:00Z"),
        ("ended", "closed, and its condition has held ever since"),
        ("cooling", "closed, and not raised again before 2024-05-30T00:00:00Z"),
        ("untrue", "its condition does not hold"),
        ("overdue", "open since 2024-01-29T00:00:00Z about i-1, warning"),
        ("long-overdue", "none of its objects fulfils the condition"),
    ];
    let found = reasons(&scratch, "c", &events);
    let told = |name: &str| found.iter().find(|(rule, _)| rule == name).map(|(_, why)| why.as_str());
    for (rule, why) in expected {
        assert_eq!(told(rule), Some(why), "{rule}");
    }
    let unpaid = reasons(&scratch, "free", &events);
    assert!(unpaid.iter().all(|(rule, why)| why == "inactive: the customer does not pay" || rule == "needing"), "{unpaid:?}");
}
