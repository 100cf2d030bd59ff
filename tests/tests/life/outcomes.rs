//! Outcomes: what came of signals, told once, and counted.

use super::play::check;

/// An at-risk rule on silence of ten days, which a login ends.
const SILENCE: &str = "signals: [{ name: silence, kind: at_risk, when: days_since_login >= 10, warm_up: 0s, summary: x }]";

fn with_settings(settings: &str, rules: &str) -> String {
    format!("settings: {{ {settings} }}\n{rules}")
}

const END: &str = r#"subscription.ended {"subscription":"s"}"#;

#[test]
fn churn_in_time_is_true_and_ends_the_episode() {
    let played = check(SILENCE, &format!("30 {END}"), 200, &["10 raised warning silence", "30 resolved warning silence, true told 20d"]);
    let counts = &played.counts;
    assert_eq!(counts.rules["silence"].groups, [[1, 0, 0], [0; 3], [0; 3]]);
    assert_eq!((counts.rules["silence"].lead_sum_seconds, counts.rules["silence"].leads), (20 * 86_400, [0, 0, 1, 0, 0, 0]));
    let churn = &counts.churn;
    assert_eq!((churn.churned, churn.caught, churn.caught_by_rule["silence"], churn.warned), (1, 1, 1, [1, 0, 0, 0]));
    assert_eq!(counts.forgotten, 0);
}

#[test]
fn churn_too_soon_is_late() {
    let played =
        check(SILENCE, &format!("23.5 {END}"), 200, &["10 raised warning silence", "23.5 resolved warning silence, late told 13.5d"]);
    let churn = played.counts.churn;
    assert_eq!((churn.churned, churn.caught, churn.warned), (0, 0, [0; 4]), "the customer was in its warm-up");
    assert_eq!(played.counts.rules["silence"].groups[0], [0, 1, 0]);
    check(SILENCE, &format!("24 {END}"), 200, &["10 raised warning silence", "24 resolved warning silence, true told 14d"]);
}

#[test]
fn the_end_of_the_horizon_is_false_and_the_episode_goes_on() {
    let expected = ["10 raised warning silence", "100 resolved warning silence, false told (outcome)", "120 cleared warning silence"];
    let played = check(
        SILENCE,
        "120 login {}",
        400,
        &[
            &expected[..],
            &["130 raised warning silence", "220 resolved warning silence, false told (outcome)", "310 expired warning silence, too_old"],
        ]
        .concat(),
    );
    assert_eq!(played.counts.rules["silence"].groups[0], [0, 0, 2]);
    // After the horizon churn is nothing that was foretold: the record says so, and it is not counted again.
    let events = format!("120 {END}");
    let expected = [expected[0], expected[1], "120 resolved warning silence, false told 110d"];
    assert_eq!(check(SILENCE, &events, 400, &expected).counts.rules["silence"].groups[0], [0, 0, 1]);
}

#[test]
fn an_episode_that_has_ended_gets_its_outcome_too() {
    let told = ["10 raised warning silence", "25 cleared warning silence"];
    let until = |expected: &'static str| [&told[..], &[expected]].concat();
    // It was open fourteen days before the churn, or it was not.
    check(SILENCE, &format!("25 login {{}}\n34 {END}"), 34, &until("34 resolved warning silence, true told 24d (outcome)"));
    let played = check(
        SILENCE,
        &format!("25 login {{}}\n26 login {{}}\n35 login {{}}\n39.5 {END}"),
        40,
        &until("39.5 resolved warning silence, false told 29.5d (outcome)"),
    );
    assert_eq!((played.counts.churn.churned, played.counts.churn.caught), (1, 0));
    let logins: String = (3..20).map(|week| format!("{} login {{}}\n", week * 9)).collect();
    check(SILENCE, &format!("25 login {{}}\n{logins}"), 150, &until("100 resolved warning silence, false told (outcome)"));
}

#[test]
fn what_churn_is_can_be_chosen() {
    let events = r#"
        12 subscription.changed {"subscription":"s","mrr_minor":1000,"period_end":"2024-03-01T00:00:00Z"}
        25 cancellation.requested {}
        40 subscription.ended {"subscription":"s"}"#;
    for (churn, end) in [
        ("notice", "25 resolved warning silence, true told 15d"),
        ("end", "40 resolved warning silence, true told 30d"),
        ("paid_end", "60 resolved warning silence, true told 50d"),
    ] {
        check(&with_settings(&format!("churn: {churn}"), SILENCE), events, 200, &["10 raised warning silence", end]);
    }
    let shorter = with_settings("horizon: 20d, min_lead: 1d", SILENCE);
    check(&shorter, events, 26, &["10 raised warning silence", "25 resolved warning silence, true told 15d"]);
}

#[test]
fn a_notice_that_is_withdrawn_is_no_churn_any_more() {
    let events = "25 cancellation.requested {}\n30 cancellation.withdrawn {}\n30 login {}";
    let expected = ["10 raised warning silence", "25 resolved warning silence, true told 15d", "40 raised warning silence"];
    let played = check(SILENCE, events, 45, &expected);
    assert_eq!(played.partition.customers().filter_map(|customer| customer.outcomes.as_ref()?.churned_at).count(), 0);
}

#[test]
fn a_notice_given_again_is_judged_by_the_first() {
    let events = |between: &str| format!("8 cancellation.requested {{}}\n{between}\n30 cancellation.requested {{}}\n60 {END}");
    let late =
        ["10 raised warning silence", "10 resolved warning silence, late told 0d (outcome)", "60 resolved warning silence, late told 0d"];
    check(SILENCE, &events(""), 200, &late);
    // Of one that was withdrawn in between, the second is another notice.
    check(SILENCE, &events("9 cancellation.withdrawn {}"), 200, &[late[0], "30 resolved warning silence, true told 20d"]);
}

#[test]
fn a_signal_of_the_notice_itself_is_late() {
    let rule = "signals: [{ name: notice, kind: at_risk, when: cancel_requested, warm_up: 0s, summary: x }]";
    let events = format!("25 cancellation.requested {{}}\n60 {END}");
    let played = check(
        rule,
        &events,
        200,
        &["25 raised warning notice", "25 resolved warning notice, late told 0d (outcome)", "60 resolved warning notice, late told 0d"],
    );
    assert_eq!(played.counts.rules["notice"].groups[0], [0, 1, 0], "told twice, counted once");
}

#[test]
fn a_customer_that_was_never_warned_is_a_churn_that_was_missed() {
    let played = check(SILENCE, &format!("{}30 {END}", (1..15).map(|n| format!("{} login {{}}\n", 2 * n)).collect::<String>()), 60, &[]);
    assert_eq!((played.counts.churn.churned, played.counts.churn.caught, played.counts.churn.warned), (1, 0, [0; 4]));
}

#[test]
fn upsell_is_true_when_revenue_rises_by_a_twentieth() {
    let rule = "signals: [{ name: more, kind: upsell, when: gated_feature_hits_14d >= 1, warm_up: 0s, summary: x }]\nsettings: { gated_features: [plans] }";
    let look = r#"5 usage {"feature":"plans"}"#;
    let change = |day: i64, mrr: i64| format!("{look}\n{day} subscription.changed {{\"subscription\":\"s\",\"mrr_minor\":{mrr}}}");
    let told = ["5 raised warning more", "19 cleared warning more"];
    check(rule, &change(30, 1_050), 200, &[&told[..], &["30 resolved warning more, true told 25d (outcome)"]].concat());
    check(
        rule,
        &change(10, 1_050),
        200,
        &["5 raised warning more", "10 resolved warning more, true told 5d (outcome)", "19 cleared warning more"],
    );
    for events in [change(30, 1_049), change(96, 2_000), look.to_owned()] {
        check(rule, &events, 200, &[&told[..], &["95 resolved warning more, false told (outcome)"]].concat());
    }
}

#[test]
fn advocacy_is_true_when_the_customer_speaks_for_us() {
    let rule = "signals: [{ name: praise, kind: advocacy, when: nps >= 9, warm_up: 0s, summary: x }]";
    let answer = r#"5 survey.answered {"kind":"nps","score":10}"#;
    let raised = "5 raised warning praise";
    for event in [r#"lead.recorded {"kind":"referral"}"#, r#"campaign.converted {"campaign":"c"}"#] {
        check(rule, &format!("{answer}\n20 {event}"), 60, &[raised, "20 resolved warning praise, true told 15d (outcome)"]);
    }
    let expected = [raised, "95 cleared warning praise", "95 resolved warning praise, false told (outcome)"];
    check(rule, &format!("{answer}\n20 lead.recorded {{\"kind\":\"seats\"}}"), 100, &expected);
}

#[test]
fn other_kinds_have_no_outcome() {
    let rule = "signals: [{ name: silence, kind: attention, when: days_since_login >= 10, warm_up: 0s, summary: x }]";
    let played = check(rule, "30 login {}", 30, &["10 raised warning silence", "30 cleared warning silence"]);
    assert!(played.counts.rules.is_empty());
}

#[test]
fn more_ended_episodes_than_the_limit_are_counted() {
    let rule =
        |name: &str| format!("- {{ name: {name}, kind: at_risk, object: ticket, when: ticket_unsolved, warm_up: 0s, summary: x }}\n");
    let rules = format!("signals:\n{}{}", rule("one"), rule("other"));
    let ticket = |n: usize| {
        let (opened, solved) = (5.0 + n as f64 * 0.02, 5.01 + n as f64 * 0.02);
        format!("{opened} ticket.opened {{\"ticket\":\"t{n}\"}}\n{solved} ticket.solved {{\"ticket\":\"t{n}\"}}\n")
    };
    let played = super::play::play(&rules, &(0..24).map(ticket).collect::<String>(), 200);
    let outcomes = played.lines.iter().filter(|line| line.ends_with("false told (outcome)")).count();
    assert_eq!((outcomes, played.counts.forgotten), (24, 24));
    assert_eq!(["one", "other"].map(|rule| played.counts.rules[rule].groups[0]), [[0, 0, 12]; 2]);
}
