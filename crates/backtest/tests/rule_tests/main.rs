//! The runner of rule tests: what passes, what fails and how that reads, and which tests a rule lacks.

mod coverage;
mod shipped;

use bellwether_backtest::rule_tests::{Outcome, TestResult, run};
use bellwether_codec::rules::RuleFile;

const RULES: &str = r#"
suppressions:
  - { name: notice-given, when: cancel_requested }
signals:
  - name: silence
    kind: attention
    params: { days: 30 }
    when: days_since_login >= days
    severity: { warning: true, critical: days_since_login >= 60 }
    needs: [login]
    unless: [notice-given]
    warm_up: 0d
    summary: Nobody came
  - { name: shadowed, kind: attention, when: days_since_login >= 5, warm_up: 0d, mode: shadow, summary: x }
  - { name: pending, kind: attention, object: invitation, when: invitation_age_days >= 3, warm_up: 0d, summary: x }
  - { name: features, kind: attention, when: features_used_28d >= 3, warm_up: 0d, summary: x }
"#;

fn file(test: &str) -> RuleFile {
    RuleFile::parse("rules.yaml", &format!("{RULES}tests:\n{test}")).unwrap_or_else(|errors| panic!("{errors}"))
}

fn result(test: &str) -> TestResult {
    run(&file(test)).remove(0)
}

#[track_caller]
fn check_passes(test: &str) {
    let result = result(test);
    assert!(result.passed(), "{result}");
}

/// A silence that begins on day 10, is suppressed by nothing, and ends on day 80.
fn silence(expect: &str) -> String {
    format!(
        "- name: silence\n  rule: silence\n  until: 100d\n  events:\n  \
         - {{ at: 0d, every: 1d, times: 11, type: login, data: {{ user: 'u{{n}}' }} }}\n  \
         - {{ at: 80d, type: login }}\n  expect: {expect}\n"
    )
}

#[test]
fn a_right_expectation_passes() {
    check_passes(&silence(
        "[{ at: 40d, transition: raised, severity: warning }, { at: 70d, transition: escalated, severity: critical }, { at: 80d, transition: cleared }]",
    ));
}

#[test]
fn what_is_not_told_is_not_compared() {
    check_passes(&silence("[{ at: 40d, transition: raised }, { at: 70d, transition: escalated }, { at: 80d, transition: cleared }]"));
}

#[test]
fn a_wrong_expectation_is_found() {
    let right = ["{ at: 40d, transition: raised }", "{ at: 70d, transition: escalated }", "{ at: 80d, transition: cleared }"];
    for (index, wrong) in [
        (0, "{ at: 40d1ms, transition: raised }"),
        (0, "{ at: 40d, transition: cleared }"),
        (0, "{ at: 40d, transition: raised, severity: info }"),
        (0, "{ at: 40d, transition: raised, object: i1 }"),
        (0, "{ at: 40d, transition: raised, suppressed: notice-given }"),
        (2, "{ at: 80d, transition: cleared }, { at: 90d, transition: raised }"),
    ] {
        let mut expect = right;
        expect[index] = wrong;
        let result = result(&silence(&format!("[{}]", expect.join(", "))));
        assert!(matches!(result.outcome, Outcome::Mismatch { .. }), "{wrong}: {result}");
    }
    for missing in 0..right.len() {
        let expect: Vec<_> = right.iter().enumerate().filter(|(index, _)| *index != missing).map(|(_, one)| *one).collect();
        assert!(!result(&silence(&format!("[{}]", expect.join(", ")))).passed());
    }
    assert!(!result(&silence("[]")).passed());
}

#[test]
fn a_mismatch_reads_as_a_difference() {
    let expect = "[{ at: 40d, transition: raised }, { at: 71d, transition: escalated }, { at: 80d, transition: cleared }, { at: 90d, transition: raised, severity: info }]";
    let result = result(&silence(expect));
    assert_eq!(
        result.to_string(),
        "FAILED silence: silence (line 18)
      at 40d: raised, warning
    - at 71d: escalated (line 24)
    + at 70d: escalated, critical
      at 80d: cleared, critical
    - at 90d: raised, info (line 24)"
    );
    let Outcome::Mismatch { expected, found, .. } = result.outcome else { panic!("a mismatch") };
    assert_eq!((expected.len(), found.len()), (4, 3));
}

#[test]
fn a_near_miss_has_no_transitions() {
    check_passes("- { name: t, rule: silence, until: 29d23h59m59s999ms, events: [{ at: 0s, type: login }], expect: [] }");
    check_passes("- { name: t, rule: silence, until: 30d, events: [{ at: 0s, type: login }], expect: [{ at: 30d, transition: raised }] }");
}

#[test]
fn what_is_held_back_is_a_decision() {
    let test = |suppressed: &str| {
        format!(
            "- {{ name: t, rule: silence, until: 40d, events: [{{ at: 0s, type: subscription.started, data: {{ subscription: s, mrr_minor: 1 }} }}, \
             {{ at: 1d, type: login }}, {{ at: 2d, type: cancellation.requested }}], expect: [{{ at: 31d, transition: raised{suppressed} }}] }}"
        )
    };
    check_passes(&test(", suppressed: notice-given"));
    assert_eq!(
        result(&test("")).to_string(),
        "FAILED silence: t (line 18)\n    - at 31d: raised (line 18)\n    + at 31d: raised, warning, suppressed by notice-given"
    );
}

#[test]
fn a_rule_in_shadow_mode_is_tested_like_a_live_one() {
    for suppressed in ["", ", suppressed: shadow"] {
        check_passes(&format!(
            "- {{ name: t, rule: shadowed, until: 9d, events: [{{ at: 0s, type: login }}], expect: [{{ at: 5d, transition: raised{suppressed} }}] }}"
        ));
    }
}

#[test]
fn users_are_named_in_plain_text() {
    let test = |object: &str| {
        format!(
            "- {{ name: t, rule: pending, until: 9d, events: [{{ at: 0s, type: user.invited, data: {{ user: u7 }} }}], expect: [{{ at: 3d, transition: raised, object: {object} }}] }}"
        )
    };
    check_passes(&test("u7"));
    assert!(result(&test("u8")).to_string().ends_with("+ at 3d: raised, warning, object u7"));
}

#[test]
fn repetitions_are_numbered() {
    let test = |feature: &str| {
        format!(
            "- {{ name: t, rule: features, until: 9d, events: [{{ at: 0s, every: 1h, times: 3, type: usage, data: {{ feature: '{feature}' }} }}], expect: [{{ at: 2h, transition: raised }}] }}"
        )
    };
    check_passes(&test("f{n}"));
    assert!(!result(&test("f")).passed(), "three times the same feature is one feature");
}

#[test]
fn a_refused_event_fails_its_test() {
    let result = result("- { name: t, rule: silence, until: 9d, events: [{ at: 0s, type: ticket.opened }], expect: [] }");
    assert_eq!(result.to_string(), "FAILED silence: t (line 18)\n    event at line 18: missing_field: data.ticket is missing");
}
