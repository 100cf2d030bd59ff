//! Inhibition: what says as much as an open signal waits until that is over.

use super::play::check;

/// A pair with one cause: the second is held back by the first. They hold from day 10, the second until day 40.
fn pair(first: &str, second: &str) -> String {
    format!(
        "
signals:
  - {{ name: first, kind: at_risk, when: days_since_login >= 10, until: tickets_14d >= 1, warm_up: 0s, summary: x, {first} }}
  - name: second
    kind: at_risk
    when: days_since_login >= 10 && days_since_login < 60
    inhibited_by: [first]
    warm_up: 0s
    summary: x
    {second}
"
    )
}

/// The end of the first signal.
const ENDS_FIRST: &str = "20 ticket.opened {\"ticket\":\"t\"}";

#[test]
fn an_open_signal_holds_back_another_until_it_ends() {
    let expected =
        ["10 raised warning first", "10 raised warning second (inhibited: first)", "20 cleared warning first", "20 raised warning second"];
    check(&pair("expires: 300d", "expires: 300d"), ENDS_FIRST, 30, &expected);
}

#[test]
fn what_ends_meanwhile_is_never_told() {
    let rules = pair("expires: 300d", "expires: 300d").replace("days_since_login < 60", "days_since_login < 15");
    let expected = ["10 raised warning first", "10 raised warning second (inhibited: first)", "20 cleared warning first"];
    check(&rules, ENDS_FIRST, 30, &expected);
}

#[test]
fn what_was_told_long_ago_holds_nothing_back() {
    let rules = pair("expires: 300d", "expires: 300d");
    let expected = ["10 raised warning first", "10 raised warning second (inhibited: first)", "38 raised warning second"];
    check(&rules, "", 50, &expected);
    let rules = format!("settings: {{ inhibition: 5d }}\n{rules}");
    check(&rules, "", 30, &["10 raised warning first", "10 raised warning second (inhibited: first)", "15 raised warning second"]);
}

#[test]
fn a_more_severe_signal_is_told_at_once() {
    let severity = "severity: { warning: true, critical: days_since_login >= 12 }";
    let expected = ["10 raised warning first", "10 raised warning second (inhibited: first)", "12 raised critical second"];
    check(&pair("expires: 300d", severity), "", 30, &expected);
    // Nor does it begin to be held back.
    let severity = "severity: { critical: true }";
    check(&pair("expires: 300d", severity), "", 30, &["10 raised warning first", "10 raised critical second"]);
    // The first, having been critical, is eased: it says less than the second then.
    let eased = "severity: { warning: true, critical: tickets_prev_84d < 1 && days_since_login < 15 }";
    let expected =
        ["10 raised critical first", "10 raised critical second (inhibited: first)", "15 eased warning first", "15 raised critical second"];
    check(&pair(eased, severity), "", 30, &expected);
}

#[test]
fn what_is_not_sent_holds_nothing_back() {
    let expected = ["10 raised warning first (shadow)", "10 raised warning second"];
    check(&pair("mode: shadow", "expires: 300d"), "", 30, &expected);
}

#[test]
fn a_rule_of_another_kind_is_held_back_too() {
    let rules = pair("expires: 300d", "expires: 300d").replace("name: second\n    kind: at_risk", "name: second\n    kind: attention");
    let expected =
        ["10 raised warning first", "10 raised warning second (inhibited: first)", "20 cleared warning first", "20 raised warning second"];
    check(&rules, ENDS_FIRST, 30, &expected);
}
