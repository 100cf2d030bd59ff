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

#[test]
fn check_lists_features_of_the_files_own() {
    let scratch = Scratch::new();
    let text =
        "features:\n- { name: exports, event: usage, where: { feature: export }, count: true, window: 28d, unit: uses }\nsignals: []\n";
    let found = run(&["rules", "check", &scratch.file("rules.yaml", text)]).exits(0);
    let expected = "feature exports: count of usage in 28 days, filtered by feature (uses)";
    assert!(found.output.contains(expected), "{}", found.output);
}
