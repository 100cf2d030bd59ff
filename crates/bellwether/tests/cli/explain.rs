//! Explanations of a customer at an instant.

use std::collections::BTreeSet;

use serde_json::Value;

use super::support::{Scratch, company, run};

/// An instant in the second half of the small company's log.
const AT: &str = "2024-06-15T00:00:00Z";

#[track_caller]
fn explain(arguments: &[&str]) -> Value {
    let ran = run(&[&["explain", "--json"], arguments].concat()).exits(0);
    serde_json::from_str(&ran.output).expect("the explanation is JSON")
}

/// The rules with an open episode of a customer, as the signals up to an instant tell them.
fn open_rules(scratch: &Scratch, customer: &str) -> BTreeSet<String> {
    let signals = scratch.path("signals.jsonl");
    run(&["replay", "--events", company(), "--customer", customer, "--until", AT, "--signals", &signals]).exits(0);
    let mut open = BTreeSet::new();
    for line in String::from_utf8(scratch.read("signals.jsonl")).expect("UTF-8").lines() {
        let signal: Value = serde_json::from_str(line).expect("JSON");
        let [rule, object] = ["rule", "object"].map(|field| signal["data"][field].as_str().expect("a text").to_owned());
        match signal["type"].as_str().expect("a type").split('.').nth(2) {
            Some("raised") => open.insert((rule, object)),
            Some("cleared" | "expired" | "resolved") => open.remove(&(rule, object)),
            _ => false,
        };
    }
    open.into_iter().map(|(rule, _)| rule).collect()
}

#[test]
fn the_open_episodes_are_those_of_the_signals() {
    let scratch = Scratch::new();
    let mut seen = 0;
    for number in 0..12 {
        let customer = format!("c-{number:05}");
        if run(&["explain", &customer, "--events", company(), "--at", AT]).code != 0 {
            continue;
        }
        let explanation = explain(&[&customer, "--events", company(), "--at", AT]);
        let rules = explanation["rules"].as_array().expect("a list");
        let open = rules.iter().filter(|rule| rule["is_open"] == true).map(|rule| rule["rule"].as_str().expect("a name").to_owned());
        let open: BTreeSet<String> = open.collect();
        assert_eq!(open, open_rules(&scratch, &customer), "{customer}");
        seen += open.len();
    }
    assert!(seen > 3, "{seen} open episodes");
}

#[test]
fn a_journal_explains_as_its_events_do() {
    let scratch = Scratch::new();
    scratch.run_once(company(), &[]).exits(0);
    let from_events = explain(&["c-00001", "--events", company(), "--at", AT]);
    assert_eq!(explain(&["c-00001", "--journal", &scratch.path("data"), "--at", AT]), from_events);
    assert_eq!(from_events["at"], AT);
    assert!(from_events["features"].as_array().expect("a list").len() > 20);
    assert!(from_events["timeline"].as_array().expect("a list").len() > 20);
    let login = from_events["rules"].as_array().expect("a list").iter().find(|rule| rule["rule"] == "no-login-30d").expect("there is one");
    assert_eq!(login["comparisons"][0]["feature"], "days_since_login");
    assert_eq!(login["comparisons"][0]["threshold"], 30.0);
}

#[test]
fn an_unknown_customer_is_told() {
    run(&["explain", "nobody", "--events", company()]).exits(2).tells(&["the log does not know the customer nobody"]);
    run(&["explain", "c-00001", "--events", company(), "--at", "1999-01-01"]).exits(2);
}

#[test]
fn the_names_are_those_of_the_rule_file() {
    let scratch = Scratch::new();
    let rules = "features:\n  - { name: exports, event: usage, count: true, window: 7d }\n\
                 stages:\n  - { name: fresh, when: mrr >= 0 }\n  - { name: grown, when: logins_28d >= 1 }\n\
                 signals:\n  - { name: many, kind: attention, when: 'exports >= 1000 && stage == \"grown\" && grade != \"red\"', summary: many }\n";
    let rules = scratch.file("rules.yaml", rules);
    let explanation = explain(&["c-00001", "--events", company(), "--at", AT, "--rules", &rules]);
    assert_eq!(explanation["stage"], "grown");
    let comparisons = &explanation["rules"][0]["comparisons"];
    assert_eq!((&comparisons[0]["feature"], &comparisons[0]["label"]), (&"exports".into(), &Value::Null));
    assert_eq!((&comparisons[1]["label"], &comparisons[1]["threshold_label"]), (&"grown".into(), &"grown".into()));
    assert!(explanation["features"].as_array().expect("a list").iter().any(|feature| feature["feature"] == "exports"));
    let told = run(&["explain", "c-00001", "--events", company(), "--at", AT, "--rules", &rules]).exits(0).output;
    for text in ["when exports >= 1000 && stage == \"grown\"", "yes stage grown == grown", "no  grade absent != red"] {
        assert!(told.contains(text), "{text} is not in {told}");
    }
}
