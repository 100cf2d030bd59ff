//! Values of features that no rule of the pack and no other test reads, at the edges of their windows.

use std::sync::Arc;

use bellwether_codec::rules::RuleFile;
use bellwether_tests::folding::default_rules;
use bellwether_tests::one_customer::OneCustomer;

/// What happened (day, type, data), and the values that a feature has then (day, value; NaN where it is absent).
#[track_caller]
fn check(feature: &str, happened: &[(f64, &str, &str)], expected: &[(f64, f64)]) {
    let mut customer = OneCustomer::new(&default_rules());
    customer.happens(0.0, "account.created", "{}");
    happened.iter().for_each(|(day, event_type, data)| customer.happens(*day, event_type, data));
    for (day, value) in expected {
        let found = customer.value(feature, *day);
        let is_same = found.is_nan() && value.is_nan() || (found - value).abs() < 1e-9;
        assert!(is_same, "{feature} is {found} on day {day}, and should be {value}");
    }
}

#[test]
fn usage_28d_sums_counts_over_28_days_today_included() {
    let uses = [
        (10.0, "usage", r#"{"feature":"a","count":3}"#),
        (10.9, "usage", r#"{"feature":"b"}"#),
        (11.5, "usage", r#"{"feature":"a","count":40}"#),
        // From before those, and known later.
        (9.0, "usage", r#"{"feature":"a","count":500}"#),
        (11.6, "login", r#"{"user":"u1"}"#),
    ];
    check("usage_28d", &uses, &[(11.7, 544.0), (36.99, 544.0), (37.0, 44.0), (37.99, 44.0), (38.0, 40.0), (39.0, 0.0)]);
    check("usage_28d", &[], &[(5.0, 0.0)]);
}

#[test]
fn reopened_90d_counts_reopenings_not_tickets() {
    let tickets = [
        (10.0, "ticket.opened", r#"{"ticket":"t1"}"#),
        (11.0, "ticket.solved", r#"{"ticket":"t1"}"#),
        (12.0, "ticket.reopened", r#"{"ticket":"t1"}"#),
        (13.0, "ticket.solved", r#"{"ticket":"t1"}"#),
        (14.0, "ticket.reopened", r#"{"ticket":"t1"}"#),
        (14.5, "ticket.reopened", r#"{"ticket":"t2"}"#),
    ];
    check("reopened_90d", &tickets[..2], &[(11.0, 0.0)]);
    check("reopened_90d", &tickets, &[(14.6, 3.0), (101.99, 3.0), (102.0, 2.0), (103.99, 2.0), (104.0, 0.0)]);
}

#[test]
fn days_since_nps_runs_from_the_latest_nps_answer_alone() {
    let answers = [
        (10.0, "survey.answered", r#"{"kind":"csat","score":5,"scale_min":1,"scale_max":5,"user":"u1"}"#),
        (20.0, "survey.answered", r#"{"kind":"nps","score":9,"user":"u1"}"#),
        (18.0, "survey.answered", r#"{"kind":"nps","score":2,"user":"u2"}"#),
        (30.0, "survey.answered", r#"{"kind":"ces","score":5,"scale_min":1,"scale_max":5,"user":"u1"}"#),
    ];
    check("days_since_nps", &answers[..1], &[(12.0, f64::NAN)]);
    check("days_since_nps", &answers, &[(30.0, 10.0), (44.5, 24.5)]);
}

#[test]
fn champion_days_since_login_runs_from_the_latest_active_day_of_the_contact_in_force() {
    let contact = |user: &str| format!(r#"{{"role":"main","user":"{user}"}}"#);
    let (first, second) = (contact("u1"), contact("u2"));
    let happened = [
        (1.0, "contact.changed", first.as_str()),
        (2.0, "login", r#"{"user":"u1"}"#),
        (3.0, "login", r#"{"user":"u2"}"#),
        (5.0, "contact.changed", second.as_str()),
        (9.0, "login", r#"{"user":"u2"}"#),
        (10.0, "login", r#"{"user":"u1"}"#),
    ];
    check("champion_days_since_login", &happened[..1], &[(1.5, f64::NAN)]);
    check("champion_days_since_login", &happened[..3], &[(3.5, 1.5)]);
    // What it did before it became the contact counts as well.
    check("champion_days_since_login", &happened[..4], &[(5.5, 2.5)]);
    check("champion_days_since_login", &happened, &[(12.0, 3.0)]);
    check("champion_days_since_login", &happened[1..3], &[(4.0, f64::NAN)]);
}

#[test]
fn serious_incident_open_is_about_serious_ones_that_last() {
    let happened = [
        (5.0, "incident.started", r#"{"incident":"i1","severity":"minor"}"#),
        (6.0, "incident.started", r#"{"incident":"i2","severity":"critical"}"#),
        (7.0, "incident.started", r#"{"incident":"i3","severity":"sev1"}"#),
        (8.0, "incident.resolved", r#"{"incident":"i2"}"#),
        (9.0, "incident.resolved", r#"{"incident":"i3"}"#),
    ];
    check("serious_incident_open", &[], &[(1.0, 0.0)]);
    for (count, expected) in [(1, 0.0), (2, 1.0), (3, 1.0), (4, 1.0), (5, 0.0)] {
        check("serious_incident_open", &happened[..count], &[(9.5, expected)]);
    }
}

#[test]
fn days_since_campaign_runs_from_the_latest_that_was_sent() {
    let happened = [
        (5.0, "campaign.sent", r#"{"campaign":"spring"}"#),
        (20.0, "campaign.sent", r#"{"campaign":"summer"}"#),
        (8.0, "campaign.sent", r#"{"campaign":"late"}"#),
        (22.0, "campaign.converted", r#"{"campaign":"summer"}"#),
    ];
    check("days_since_campaign", &[], &[(4.0, f64::NAN)]);
    check("days_since_campaign", &happened[3..], &[(23.0, f64::NAN)]);
    check("days_since_campaign", &happened, &[(20.0, 0.0), (26.25, 6.25)]);
}

#[test]
fn usage_closed_weeks_counts_weeks_with_a_twentieth_of_the_usual_or_less() {
    let week = |week: u32, count: u32| (f64::from(7 * week) + 0.5, "usage", format!(r#"{{"feature":"a","count":{count}}}"#));
    // One week in the middle is closed, one has a twentieth, one just over that, and then nobody comes any more.
    let uses = |number: u32| match number {
        17 => 1,
        18 => 5,
        19 => 6,
        _ => 100,
    };
    let weeks: Vec<_> = (0..24).map(|number| week(number, uses(number))).collect();
    let weeks: Vec<_> = weeks.iter().map(|(day, kind, data)| (*day, *kind, data.as_str())).collect();
    let at = |week: u32| f64::from(7 * week) + 0.6;
    check("usage_closed_weeks", &weeks[..16], &[(at(15), f64::NAN)]);
    check("usage_closed_weeks", &weeks[..18], &[(at(17), 0.0)]);
    check("usage_closed_weeks", &weeks[..20], &[(at(19), 2.0)]);
    check("usage_closed_weeks", &weeks, &[(at(23), 2.0), (at(25), 1.0), (at(26), 2.0), (at(29), 5.0)]);
    // Whose use fades away is not closed, and of somebody who hardly comes an empty week says nothing.
    let fading = [60, 50, 40, 20, 5, 5, 5, 5];
    let fading: Vec<_> = (0..24).map(|number| week(number, if number < 16 { 100 } else { fading[number as usize - 16] })).collect();
    let seldom: Vec<_> = (0..24).map(|number| week(number, if number < 20 { 20 } else { 1 })).collect();
    for weeks in [fading, seldom] {
        let weeks: Vec<_> = weeks.iter().map(|(day, kind, data)| (*day, *kind, data.as_str())).collect();
        check("usage_closed_weeks", &weeks, &[(at(23), 0.0)]);
    }
}

#[test]
fn closed_last_year_remembers_weeks_in_which_nobody_came() {
    let week = |week: u32, count: u32| (f64::from(7 * week) + 0.5, "usage", format!(r#"{{"feature":"a","count":{count}}}"#));
    // Weeks 20 and 21 without anything, and week 22 with next to nothing.
    let weeks = |usual: u32| {
        (0..74).filter(|week| !(20..22).contains(week)).map(move |n| week(n, if n == 22 { (usual / 20).max(1) } else { usual }))
    };
    let at = |week: u32| f64::from(7 * week) + 0.6;
    let of = |usual: u32| weeks(usual).collect::<Vec<_>>();
    let check = |weeks: &[(f64, &'static str, String)], expected: &[(f64, f64)]| {
        let weeks: Vec<_> = weeks.iter().map(|(day, kind, data)| (*day, *kind, data.as_str())).collect();
        self::check("closed_last_year", &weeks, expected);
    };
    check(&of(100)[..72], &[(at(73), 1.0), (at(79), 1.0), (at(80), 0.0)]);
    check(&of(100)[..66], &[(at(67), 0.0), (at(68), 1.0)]);
    // Of somebody who hardly comes, an empty week says nothing; and who is away for nine weeks did not just close.
    check(&of(9)[..66], &[(at(68), 0.0), (at(70), 0.0)]);
    let away: Vec<_> = (0..74).filter(|week| !(20..29).contains(week)).map(|n| week(n, 100)).collect();
    check(&away[..61], &[(at(72), 0.0), (at(74), 0.0)]);
}

#[test]
fn login_stop_ratio_tells_a_stop_from_a_fading() {
    let logins = |days: &[u32]| days.iter().map(|day| (f64::from(*day), "login", r#"{"user":"u1"}"#)).collect::<Vec<_>>();
    let steady: Vec<u32> = (1..=42).collect();
    check("login_stop_ratio", &logins(&[]), &[(3.0, f64::NAN)]);
    check("login_stop_ratio", &logins(&steady[..14]), &[(20.0, f64::NAN)]);
    check("login_stop_ratio", &logins(&steady), &[(42.5, 1.0), (90.0, 1.0)]);
    let fading: Vec<u32> = (1..=28).chain([30, 35, 42]).collect();
    check("login_stop_ratio", &logins(&fading), &[(60.0, 3.0 / 14.0)]);
    // One that is known late counts in its fortnight.
    let mut late = logins(&fading);
    late.push((29.0, "login", r#"{"user":"u1"}"#));
    check("login_stop_ratio", &late, &[(60.0, 4.0 / 14.0)]);
}

/// Twelve urgent tickets that nobody solves are eight episodes: the first eight, and those alone until one of them has ended.
#[test]
fn a_rule_speaks_about_at_most_eight_things_of_a_customer_at_once() {
    let mut customer = OneCustomer::new(&default_rules());
    customer.happens(0.0, "account.created", "{}");
    customer.happens(0.0, "subscription.started", r#"{"subscription":"s","mrr_minor":100000,"currency":"EUR"}"#);
    // A week apart, so that they are no pile of tickets.
    let ticket = |number: u32| format!(r#"{{"ticket":"t{number:02}","priority":"urgent"}}"#);
    (0..12).for_each(|number| customer.happens(30.0 + 7.0 * f64::from(number), "ticket.opened", &ticket(number)));
    customer.pass(120.0);
    let about = |customer: &OneCustomer| {
        let raised = customer.raised().into_iter().filter(|(rule, ..)| rule == "urgent-ticket-aging");
        raised.map(|(_, object, _)| object).collect::<Vec<_>>()
    };
    let first_eight: Vec<String> = (0..8).map(|number| format!("t{number:02}")).collect();
    assert_eq!(about(&customer), first_eight);
    // The third is solved, its episode ends a week later, and there is room for the ninth.
    customer.happens(121.0, "ticket.solved", r#"{"ticket":"t02"}"#);
    customer.pass(127.9);
    assert_eq!(about(&customer).len(), 8);
    assert!(customer.partition.header.aggregates.limited > 0, "what is not told is counted");
    customer.pass(130.0);
    assert_eq!(about(&customer)[8..], ["t08"]);
}

/// Things about which a rule has nothing to say take no room from those about which it has.
#[test]
fn a_rule_speaks_about_the_ninth_thing_when_the_first_eight_are_none_of_its_business() {
    let mut customer = OneCustomer::new(&default_rules());
    customer.happens(0.0, "account.created", "{}");
    customer.happens(0.0, "subscription.started", r#"{"subscription":"s","mrr_minor":100000,"currency":"EUR"}"#);
    for number in 0..9 {
        let (day, priority) = (30.0 + 7.0 * f64::from(number), if number == 8 { "urgent" } else { "normal" });
        customer.happens(day, "ticket.opened", &format!(r#"{{"ticket":"t{number}","priority":"{priority}"}}"#));
        customer.happens(day, "invoice.issued", &format!(r#"{{"invoice":"i{number}","due":"2024-12-31"}}"#));
    }
    customer.happens(87.0, "payment.failed", r#"{"invoice":"i8","attempt":2}"#);
    customer.pass(100.0);
    let about = |rule: &str| {
        let raised = customer.raised().into_iter().filter(|(name, ..)| name == rule);
        raised.map(|(_, object, _)| object).collect::<Vec<_>>()
    };
    assert_eq!((about("urgent-ticket-aging"), about("payment-failed")), (vec!["t8".to_owned()], vec!["i8".to_owned()]));
    assert_eq!(customer.partition.header.aggregates.limited, 0);
}

/// Nothing ends praise: it makes room for what a rule asks for.
#[test]
fn a_noted_risk_finds_room_among_praise() {
    let mut customer = OneCustomer::new(&default_rules());
    for number in 0..16 {
        let kind = ["praise", "observation"][number % 2];
        customer.happens(1.0, "note.recorded", &format!(r#"{{"note":"n{number}","kind":"{kind}"}}"#));
    }
    customer.happens(2.0, "note.recorded", r#"{"note":"r","kind":"risk"}"#);
    assert_eq!((customer.value("risk_notes_open", 2.5), customer.partition.header.aggregates.limited), (1.0, 0));
}

/// Quotas that bear the name of their month are over when the next ones are told.
#[test]
fn quotas_by_month_make_room_for_each_other() {
    let mut customer = OneCustomer::new(&default_rules());
    customer.happens(0.0, "subscription.started", r#"{"subscription":"s","mrr_minor":100000,"currency":"EUR"}"#);
    for month in 0..12 {
        let used = if month == 2 { 99 } else { 10 };
        customer.happens(1.0 + 30.0 * f64::from(month), "quota", &format!(r#"{{"name":"api-{month}","used":{used},"limit":100}}"#));
    }
    assert_eq!((customer.value("quota_utilisation", 332.0), customer.partition.header.aggregates.limited), (0.1, 0));
    customer.happens(332.0, "quota", r#"{"name":"api-11","used":95,"limit":100}"#);
    assert_eq!(customer.value("quota_utilisation", 332.0), 0.95);
    let raised: Vec<_> = customer.raised().into_iter().filter(|(rule, ..)| rule == "limit-reached").map(|(_, object, _)| object).collect();
    assert_eq!(raised, ["api-2", "api-11"]);
}

/// A product that changes its features shows more than a table holds, in time.
#[test]
fn product_features_of_long_ago_make_room() {
    let mut customer = OneCustomer::new(&default_rules());
    let uses = |customer: &mut OneCustomer, day: f64, name: String| {
        customer.happens(day, "usage", &format!(r#"{{"feature":"{name}"}}"#));
    };
    (0..32).for_each(|number| uses(&mut customer, 1.0, format!("old-{number}")));
    uses(&mut customer, 100.0, "too-early".to_owned());
    assert!(customer.value("features_used_28d", 100.5).is_nan());
    assert_eq!(customer.partition.header.aggregates.limited, 1, "what is not tracked is counted");
    uses(&mut customer, 120.0, "new".to_owned());
    assert!(customer.value("features_used_28d", 120.5).is_nan(), "until what was not tracked has left the window");
    assert_eq!(customer.value("features_used_28d", 190.0), 0.0);
    uses(&mut customer, 190.0, "newer".to_owned());
    assert_eq!((customer.value("features_used_28d", 190.5), customer.partition.header.aggregates.limited), (1.0, 1));
}

/// A bound of the bands belongs to the band above it, and a renewal of which nobody told for 30 days is not urgent for ever.
#[test]
fn urgency_is_by_days_to_the_renewal() {
    let text = "signals: [{ name: ticket, kind: attention, object: ticket, when: ticket_unsolved, warm_up: 0s, summary: x }]";
    let rules = RuleFile::parse("rules.yaml", text).unwrap_or_else(|errors| panic!("{errors}")).rule_set(1);
    let mut customer = OneCustomer::new(&Arc::new(rules));
    // The renewal is on day 100.
    customer.happens(0.0, "subscription.started", r#"{"subscription":"s","mrr_minor":1000,"currency":"EUR","period_end":"2024-04-10"}"#);
    for day in [92.0, 93.0, 94.0, 130.0, 131.0] {
        customer.happens(day, "ticket.opened", &format!(r#"{{"ticket":"t{day}"}}"#));
    }
    assert_eq!(customer.value("days_to_renewal", 93.0), 7.0);
    let urgencies: Vec<_> = customer.signals().map(|signal| signal.priority.urgency).collect();
    assert_eq!(urgencies, [13, 13, 21, 21, 1]);
}

#[test]
fn satisfaction_and_effort_are_means_over_84_days_of_scales_mapped_to_100() {
    let answers = [
        (10.0, "survey.answered", r#"{"kind":"csat","score":5,"scale_min":1,"scale_max":5,"user":"u1"}"#),
        (20.0, "survey.answered", r#"{"kind":"csat","score":5,"scale_min":0,"scale_max":10,"user":"u2"}"#),
        (20.5, "survey.answered", r#"{"kind":"ces","score":2,"scale_min":1,"scale_max":5,"direction":"down","user":"u2"}"#),
        (21.0, "survey.answered", r#"{"kind":"ces","score":4,"scale_min":1,"scale_max":7,"user":"u3"}"#),
        (21.5, "survey.answered", r#"{"kind":"nps","score":0,"user":"u3"}"#),
    ];
    check("csat_84d", &answers, &[(10.5, 75.0), (93.99, 75.0), (94.0, 50.0), (103.99, 50.0), (104.0, f64::NAN)]);
    check("csat_84d", &answers[..1], &[(10.5, 100.0)]);
    // 2 of 1 to 5, where less is easier, is three quarters of the way; 4 of 1 to 7 is half of it.
    check("ces_84d", &answers, &[(21.5, 62.5), (104.0, 50.0), (105.0, f64::NAN)]);
    check("ces_84d", &answers[..2], &[(20.0, f64::NAN)]);
}

#[test]
fn first_response_hours_is_the_median_over_tickets_answered_within_28_days() {
    let tickets = [
        (10.0, "ticket.opened", r#"{"ticket":"t1"}"#),
        (10.25, "ticket.answered", r#"{"ticket":"t1"}"#),
        (11.0, "ticket.opened", r#"{"ticket":"t2"}"#),
        (12.0, "ticket.answered", r#"{"ticket":"t2"}"#),
        (12.5, "ticket.answered", r#"{"ticket":"t2"}"#),
        (12.5, "ticket.opened", r#"{"ticket":"t3"}"#),
        (13.0, "ticket.answered", r#"{"ticket":"t3"}"#),
        (14.0, "ticket.opened", r#"{"ticket":"t4"}"#),
    ];
    check("first_response_hours", &tickets[..2], &[(10.5, 6.0)]);
    check("first_response_hours", &tickets[..5], &[(12.6, 15.0)]);
    check("first_response_hours", &tickets, &[(14.5, 12.0), (37.99, 12.0), (38.0, 18.0), (40.0, 12.0), (41.0, f64::NAN)]);
    check("first_response_hours", &tickets[7..], &[(15.0, f64::NAN)]);
}

#[test]
fn identified_share_is_of_logins_and_uses_together() {
    let activity = [
        (10.0, "login", r#"{"user":"u1"}"#),
        (10.1, "usage", r#"{"feature":"a","user":"u1"}"#),
        (10.2, "usage", r#"{"feature":"a"}"#),
        (10.3, "login", "{}"),
        (11.0, "login", r#"{"user":"u1"}"#),
    ];
    check("identified_share", &activity, &[(11.5, 0.6)]);
    check("identified_share", &activity[2..4], &[(11.5, 0.0)]);
    check("identified_share", &[], &[(11.5, f64::NAN)]);
    // Users are told of only where half of what happened is identified.
    check("active_users_28d", &activity, &[(11.5, 1.0)]);
    check("active_users_28d", &activity[1..4], &[(11.5, f64::NAN)]);
}
