//! Rule files: every mistake at once, their tests, and what they say on a log.

use super::support::{Scratch, company, login, run};

/// A rule file with an unknown feature, a type error, an unknown field and an unknown kind.
const MISTAKEN: &str = "\
signals:
  - name: one
    kind: at_risk
    when: days_since_logn >= 30
    severity: { warning: true }
    summary: One
  - name: two
    kind: at_risk
    when: mrr && 3
    severity: { warning: true }
    sumary: Two
  - name: three
    kind: at_rsk
    when: mrr > 0
    severity: { warning: true }
    summary: Three
";

/// A rule with a test that fails, and without the others.
const UNTESTED: &str = "\
signals:
  - name: quiet
    kind: attention
    when: days_since_login >= 7
    warm_up: 0s
    severity: { warning: true }
    summary: Quiet
tests:
  - name: a week later
    rule: quiet
    events:
      - { at: 0s, type: login, data: { user: u1 } }
    until: 10d
    expect:
      - { at: 8d, transition: raised }
";

#[test]
fn every_mistake_is_told_with_its_place() {
    let scratch = Scratch::new();
    let rules = scratch.file("rules.yaml", MISTAKEN);
    let (events, data) = (scratch.file("events.jsonl", login(1, 1)), scratch.path("data"));
    for arguments in [
        vec!["rules", "check", &rules],
        vec!["rules", "test", &rules],
        vec!["rules", "list", &rules],
        vec!["run", "--once", "--metrics", "off", "--events", &events, "--data", &data, "--rules", &rules],
        vec!["replay", "--events", &events, "--signals", "-", "--rules", &rules],
    ] {
        let ran = run(&arguments).exits(2);
        ran.tells(&["rules.yaml:4:11", "days_since_login", "rules.yaml:9:", "rules.yaml:11:", "summary", "rules.yaml:13:", "at_risk"]);
    }
    assert!(!scratch.has("data"), "nothing is made with wrong rules");
    run(&["rules", "check", &scratch.path("none.yaml")]).exits(2).tells(&["none.yaml", "No such file"]);
}

#[test]
fn the_built_in_pack_passes_its_tests() {
    let output = run(&["rules", "test"]).exits(0).output;
    let last = output.lines().last().unwrap();
    assert!(last.ends_with(" passed, 0 failed") && !last.starts_with('0'), "{output}");
}

#[test]
fn failed_and_missing_tests_are_findings() {
    let scratch = Scratch::new();
    let rules = scratch.file("rules.yaml", UNTESTED);
    let output = run(&["rules", "test", &rules]).exits(1).output;
    for text in ["FAILED quiet: a week later", "- at 8d: raised", "+ at 7d: raised", "no near miss"] {
        assert!(output.contains(text), "no `{text}` in:\n{output}");
    }
    assert_eq!(output.lines().last(), Some("0 passed, 1 failed"));
}

#[test]
fn the_list_shows_rules_and_what_they_said() {
    let output = run(&["rules", "list"]).exits(0).output;
    assert!(output.contains("at_risk") && output.contains("severities"), "{output}");
    let output = run(&["rules", "list", "--events", company()]).exits(0).output;
    assert!(output.contains("per 1,000 customer-months"), "{output}");
    let scratch = Scratch::new();
    let events = scratch.file("events.jsonl", login(1, 1));
    let output = run(&["rules", "list", "--events", &events]).exits(0).output;
    assert!(output.contains("inactive: no source"), "{output}");
}

/// Two rules that say the same, one of them in the shadow, and one that needs notes.
const LISTED: &str = "\
signals:
  - { name: quiet, kind: attention, when: days_since_login >= 7, warm_up: 0s, severity: { warning: true }, summary: Quiet }
  - { name: shadowed, kind: attention, mode: shadow, when: days_since_login >= 7, warm_up: 0s, severity: { warning: true }, summary: Quiet }
  - { name: noted, kind: attention, when: risk_notes_open >= 1, needs: [note.recorded], severity: { warning: true }, summary: Noted }
";

/// Customer a is one for the 487 days of the log, which are 16 mean months, and is quiet three times; customer b for 121.75, and is quiet once,
/// until it has left. What is in the shadow is decided at each raise and each end.
#[test]
fn the_list_counts_raised_signals_per_thousand_customer_months() {
    let scratch = Scratch::new();
    let event = |id: u32, customer: &str, event_type: &str, time: &str, data: &str| {
        format!(
            r#"{{"specversion":"1.0","id":"{id}","source":"/t","type":"{event_type}","subject":"{customer}","time":"{time}","data":{data}}}"#
        )
    };
    let subscription = r#"{"subscription":"s","mrr_minor":100,"currency":"EUR"}"#;
    let lines = [
        event(1, "a", "subscription.started", "2024-01-01T00:00:00Z", subscription),
        event(2, "a", "login", "2024-01-01T00:00:00Z", "{}"),
        event(3, "b", "subscription.started", "2024-01-01T00:00:00Z", subscription),
        event(4, "b", "login", "2024-01-01T00:00:00Z", "{}"),
        event(5, "a", "login", "2024-04-10T00:00:00Z", "{}"),
        event(6, "b", "subscription.ended", "2024-05-01T18:00:00Z", r#"{"subscription":"s"}"#),
        event(7, "a", "login", "2024-07-19T00:00:00Z", "{}"),
        event(8, "a", "login", "2025-05-02T00:00:00Z", "{}"),
    ];
    let (rules, events) = (scratch.file("rules.yaml", LISTED), scratch.file("events.jsonl", lines.join("\n")));
    let listed = run(&["rules", "list", &rules, "--events", &events]).exits(0).tells(&["2 customers, 20.0 customer-months"]);
    let rows: Vec<Vec<&str>> = listed.output.lines().map(|line| line.split_whitespace().collect()).collect();
    let expected = [
        "rule kind raised per 1,000 customer-months not sent note",
        "quiet attention 4 200.00 0",
        "shadowed attention 0 0.00 8 shadow: not sent",
        "noted attention 0 0.00 0 inactive: no source",
    ];
    assert_eq!(rows, expected.map(|row| row.split_whitespace().collect::<Vec<_>>()));
}

#[test]
fn check_lists_features_of_the_files_own() {
    let scratch = Scratch::new();
    let text =
        "features:\n- { name: exports, event: usage, where: { feature: export }, count: true, window: 28d, unit: uses }\nsignals: []\n";
    let found = run(&["rules", "check", &scratch.file("rules.yaml", text)]).exits(0);
    let expected = "feature exports: count of usage in 28 days, filtered by feature (uses)";
    assert!(found.output.contains(expected), "{}", found.output);
}
