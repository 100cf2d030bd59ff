//! What people make of signals.

use bellwether_codec::health_record::HealthRecord;

use super::play::{check, play};

/// Silence that is critical after twenty days, and eases when seats are bought.
const RULES: &str = "
settings: { snooze: 3d }
signals:
  - name: silence
    kind: at_risk
    when: days_since_login >= 10
    severity: { info: seats >= 50, warning: seats < 50, critical: days_since_login >= 20 && seats < 50 }
    warm_up: 0s
    summary: x";

const SEATS: &str = r#"subscription.changed {"subscription":"s","mrr_minor":1000,"seats":60}"#;

#[test]
fn an_acknowledged_signal_is_told_as_such_until_it_gets_worse() {
    let events = "12 signal.acknowledged {\"signal\":\"$1\",\"by\":\"ann\"}\n25 login {}";
    let expected = ["10 raised warning silence", "20 escalated critical silence, acknowledged", "25 cleared critical silence"];
    check(RULES, events, 26, &expected);
    let played = play(RULES, "12 signal.acknowledged {\"signal\":\"$1\"}", 13);
    let customer = played.partition.customers().next().expect("there is one");
    let record = HealthRecord::of(customer, played.partition.rules());
    assert_eq!(record.open_episodes[0].feedback.as_deref(), Some("acknowledged"));
}

#[test]
fn a_dismissed_signal_is_quiet_until_it_gets_worse() {
    let eases = format!("12 signal.dismissed {{\"signal\":\"$1\"}}\n15 {SEATS}\n25 login {{}}");
    let expected = ["10 raised warning silence", "15 eased info silence, dismissed (dismissed)", "25 cleared info silence, dismissed"];
    check(RULES, &eases, 26, &expected);
    let worsens = format!("12 signal.dismissed {{\"signal\":\"$1\"}}\n21 {SEATS}");
    let expected = ["10 raised warning silence", "20 escalated critical silence, dismissed", "21 eased info silence"];
    check(RULES, &worsens, 26, &expected);
}

#[test]
fn a_snooze_is_told_once_when_it_is_over() {
    let until = "12 signal.snoozed {\"signal\":\"$1\",\"until\":\"2024-01-17T06:00:00Z\"}";
    check(RULES, until, 19, &["10 raised warning silence", "16.25 reminded warning silence"]);
    check(RULES, "12 signal.snoozed {\"signal\":\"$1\"}", 19, &["10 raised warning silence", "15 reminded warning silence"]);
    let ended = format!("{until}\n14 login {{}}");
    check(RULES, &ended, 19, &["10 raised warning silence", "14 cleared warning silence, snoozed"]);
    let quiet = format!("{until}\n15 {SEATS}");
    let expected = ["10 raised warning silence", "15 eased info silence, snoozed (snoozed)", "16.25 reminded info silence"];
    check(RULES, &quiet, 19, &expected);
    let again = format!("{until}\n17 signal.snoozed {{\"signal\":\"$2\"}}");
    check(RULES, &again, 19, &["10 raised warning silence", "16.25 reminded warning silence"]);
}

#[test]
fn the_last_word_counts_whatever_comes_first() {
    let events = "14 signal.acknowledged {\"signal\":\"$1\"}\n12 signal.dismissed {\"signal\":\"$1\"}";
    check(RULES, events, 21, &["10 raised warning silence", "20 escalated critical silence, acknowledged"]);
}

#[test]
fn ratings_are_counted_also_after_the_end() {
    let rated = |useful: bool| format!("30 signal.rated {{\"signal\":\"$1\",\"useful\":{useful}}}\n");
    let events = format!("12 signal.acknowledged {{\"signal\":\"$1\",\"useful\":true}}\n25 login {{}}\n{}{}", rated(true), rated(false));
    let counts = play(RULES, &events, 31).counts;
    assert_eq!((counts.rules["silence"].useful, counts.rules["silence"].not_useful, counts.unknown_feedback), (2, 1, 0));
}

#[test]
fn feedback_about_unknown_signals_is_counted_and_changes_nothing() {
    let events =
        "12 signal.dismissed {\"signal\":\"no id\"}\n13 signal.rated {\"signal\":\"00000000000000000000000000000001\",\"useful\":true}";
    let played = check(RULES, events, 15, &["10 raised warning silence"]);
    assert_eq!((played.counts.unknown_feedback, played.counts.rules.len()), (2, 0));
}

#[test]
fn severity_rises_with_the_age_of_the_episode_and_towards_the_renewal() {
    let rules = "
signals:
  - name: reason
    kind: at_risk
    when: cancel_sessions_28d >= 1
    until: age_days >= 20
    severity: { warning: true, critical: age_days >= 5 || days_to_renewal <= 3 }
    warm_up: 0s
    summary: Open for {age_days} days";
    check(rules, "3 cancellation.viewed {}", 30, &["3 raised warning reason", "8 escalated critical reason", "23 cleared critical reason"]);
    let renewal = r#"
        1 subscription.changed {"subscription":"s","mrr_minor":1000,"period_end":"2024-01-09T00:00:00Z"}
        3 cancellation.viewed {}"#;
    check(rules, renewal, 6, &["3 raised warning reason", "5 escalated critical reason"]);
}

#[test]
fn old_episodes_expire_and_that_is_no_return() {
    let rules = "
signals:
  - { name: silence, kind: at_risk, when: days_since_login >= 10, expires: 30d, warm_up: 0s, summary: x }
  - { name: back, kind: return, when: days_since_at_risk >= 14, warm_up: 0s, summary: x }";
    let told = ["10 raised warning silence", "40 expired warning silence, too_old", "100 resolved warning silence, false told (outcome)"];
    check(rules, "", 120, &told);
    let returned = ["10 raised warning silence", "12 cleared warning silence", "22 raised warning silence", "25 cleared warning silence"];
    let logins: String = (5..25).map(|n| format!("{} login {{}}\n", 5 * n)).collect();
    let lines = play(rules, &format!("12 login {{}}\n{logins}"), 60).lines;
    assert_eq!(lines[..4], returned);
    assert_eq!(lines[4], "39 raised warning back");
}
