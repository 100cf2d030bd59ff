//! What is decided and not sent: hold-out, silences, the owner's cap, silent sources.

use bellwether_engine::event::CustomerKey;
use bellwether_engine::partition::{Payload, Progress, Record};
use bellwether_engine::signal::Output;
use bellwether_engine::silence::Families;

use super::play::{check, day, play, short};

const SILENCE: &str = "
signals:
  - name: silence
    kind: at_risk
    when: days_since_login >= 10
    severity: { warning: true, critical: days_since_login >= 20 }
    warm_up: 0s
    summary: x
";

#[test]
fn a_held_out_customer_is_decided_about_and_counted_apart() {
    let rules = format!("{SILENCE}settings: {{ hold_out: {{ share: 1, salt: s }} }}");
    let expected = [
        "10 raised warning silence (hold-out)",
        "20 escalated critical silence (hold-out)",
        "30 resolved critical silence, true held_out 20d (hold-out)",
    ];
    let played = check(&rules, "30 subscription.ended {\"subscription\":\"s\"}", 60, &expected);
    assert_eq!(played.counts.rules["silence"].groups, [[0; 3], [1, 0, 0], [0; 3]]);
    assert_eq!((played.counts.churn.churned, played.counts.churn.caught), (1, 0), "nobody was warned");
}

#[test]
fn attention_is_never_held_out() {
    let rules = SILENCE.replace("at_risk", "attention") + "settings: { hold_out: { share: 1 } }";
    check(&rules, "", 12, &["10 raised warning silence"]);
}

#[test]
fn a_silence_holds_back_until_it_is_over() {
    let silence = |about: &str, times: &str| format!("{SILENCE}silences:\n- {{ name: quiet, {about}, {times} }}\n");
    let until = "until: 2024-01-16";
    let held = ["10 raised warning silence (silence: quiet)", "15 raised warning silence", "20 escalated critical silence"];
    for about in ["rule: silence", "owner: ann", "segment: large", "customer: c", "rule: silence, owner: ann"] {
        check(&silence(about, until), "", 21, &held);
    }
    let open = ["10 raised warning silence", "20 escalated critical silence"];
    for (about, times) in [
        ("owner: bob", until),
        ("rule: silence, owner: bob", until),
        ("owner: ann", "from: 2024-02-01, until: 2024-02-02"),
        ("owner: ann", "until: 2024-01-11"),
    ] {
        check(&silence(about, times), "", 21, &open);
    }
    let meanwhile = silence("owner: ann", "from: 2024-01-12, until: 2024-01-30");
    let expected = ["10 raised warning silence", "20 escalated critical silence (silence: quiet)", "22 cleared critical silence"];
    check(&meanwhile, "22 login {}", 23, &expected);
}

#[test]
fn an_owner_is_told_so_many_signals_of_a_customer_in_a_week() {
    let rules = "
settings: { owner_cap: { per_customer_week: 2 } }
signals:
  - { name: a, kind: attention, when: tickets_14d >= 1, warm_up: 0s, summary: x }
  - { name: b, kind: attention, when: tickets_14d >= 2, warm_up: 0s, summary: x }
  - { name: c, kind: attention, when: tickets_14d >= 3, warm_up: 0s, summary: x }
  - { name: d, kind: attention, when: tickets_14d >= 3, severity: { critical: true }, warm_up: 0s, summary: x }
";
    let tickets = (1..4).map(|n| format!("{n} ticket.opened {{\"ticket\":\"t{n}\"}}\n")).collect::<String>();
    // The week from Monday ends on day 7. What is critical is told anyway.
    let expected =
        ["1 raised warning a", "2 raised warning b", "3 raised warning c (owner-cap)", "3 raised critical d", "7 raised warning c"];
    check(rules, &tickets, 8, &expected);
    let without = rules.replace("settings: { owner_cap: { per_customer_week: 2 } }", "");
    check(&without, &tickets, 8, &["1 raised warning a", "2 raised warning b", "3 raised warning c", "3 raised critical d"]);
}

#[test]
fn an_episode_of_silent_times_lives_from_the_raise_that_was_told() {
    let rules = "
quiet_until: 2024-01-21
signals:
  - name: silence
    kind: at_risk
    when: days_since_login >= 10
    severity: { warning: true, critical: age_days >= 15 }
    expires: 100d
    warm_up: 0s
    summary: x
";
    let expected = [
        "10 raised warning silence (quiet)",
        "20 raised warning silence",
        "35 escalated critical silence",
        "110 resolved critical silence, false told (outcome)",
        "120 expired critical silence, too_old",
    ];
    check(rules, "", 300, &expected);
    let before = "12 subscription.ended {\"subscription\":\"s\"}";
    let played = check(rules, before, 300, &["10 raised warning silence (quiet)", "12 resolved warning silence, late untold 2d (quiet)"]);
    assert_eq!(played.counts.rules["silence"].groups, [[0; 3], [0; 3], [0, 1, 0]]);
}

#[test]
fn a_silent_source_freezes_the_rules_that_would_take_it_for_a_silent_customer() {
    let mut played = play(SILENCE, "", 5);
    let partition = &mut played.partition;
    partition.source_silent("/auth", Families::named(["login"]));
    let mut outputs = Vec::new();
    let tick = |day_number: i64| Record { watermark: day(day_number), payload: Payload::Tick };
    partition.apply(&tick(15), &mut u64::MAX.clone(), &mut outputs);
    outputs.retain(|output| !matches!(output, Output::Kpis(_)));
    assert!(outputs.is_empty(), "frozen");
    assert!(partition.source_resumed("/auth"));
    assert_eq!(partition.review_now(CustomerKey::of("c"), &mut outputs), Progress::Done);
    assert_eq!(outputs.iter().map(short).collect::<Vec<_>>(), ["15 raised warning silence"]);
}
