//! With everything in use, batches, crashes, shards, other customers and the future are still invisible.

use std::borrow::Cow;
use std::sync::Arc;

use bellwether_codec::rules::RuleFile;
use bellwether_codec::timestamp::format_time;
use bellwether_engine::event::{Body, Event, FeedbackStep};
use bellwether_engine::outcome_counts::OutcomeCounts;
use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::signal::Output;
use bellwether_engine::time::{DAY_MS, HOUR_MS};
use bellwether_tests::company::{Random, START, company};
use bellwether_tests::folding::{Cuts, fold, signals};

const DAYS: i64 = 240;

/// The default pack with a hold-out, a cap, a silence and a short age.
fn busy_rules() -> Arc<RuleSet> {
    let text = include_str!("../../../deploy/rules/default.yaml")
        .replace("hold_out: { share: 0 }", "hold_out: { share: 0.2, salt: t }\n  owner_cap: { per_customer_week: 1 }")
        .replace("expires: 180d", "expires: 40d")
        + "silences:\n  - { name: spring, owner: ann, from: 2024-04-01, until: 2024-04-20 }\n";
    let file = RuleFile::parse("busy.yaml", &text).unwrap_or_else(|errors| panic!("{errors}"));
    assert!(file.settings.life.owner_cap == Some(1) && file.settings.life.hold_out.share > 0.0);
    Arc::new(file.rule_set(1))
}

/// A company, and people who react to what is told of it.
fn company_with_feedback(seed: u64, customers: u64) -> Vec<Event<'static>> {
    let mut events = company(seed, customers, DAYS as u64);
    let (_, outputs) = fold(&events, &busy_rules(), 1, START.plus_ms(DAYS * DAY_MS), Cuts::None);
    let mut random = Random(seed);
    for (number, output) in outputs.iter().flatten().enumerate() {
        let Output::Signal(signal) = output else { continue };
        let step =
            [FeedbackStep::Acknowledged, FeedbackStep::Dismissed, FeedbackStep::Snoozed, FeedbackStep::Rated][random.below(4) as usize];
        let useful = Some(random.one_in(2)).filter(|_| step == FeedbackStep::Rated);
        let body = Body::Feedback { step, signal: Cow::Owned(format!("{:032x}", signal.id)), by: None, until: None, useful };
        let (id, customer) = (Cow::Owned(format!("f-{number}")), Cow::Owned(signal.customer.to_string()));
        events.push(Event {
            time: signal.time.plus_ms(HOUR_MS + number as i64),
            source: Cow::Borrowed("/crm"),
            id,
            customer,
            traceparent: None,
            body,
        });
    }
    events.sort_by(|a, b| (a.time, &a.customer, &a.id).cmp(&(b.time, &b.customer, &b.id)));
    events
}

#[test]
fn batches_shards_others_and_the_future_do_not_show() {
    let (rules, end) = (busy_rules(), START.plus_ms((DAYS + 100) * DAY_MS));
    let mut all = String::new();
    for seed in 0..6 {
        let events = company_with_feedback(seed, 8);
        let straight = signals(&events, &rules, 1, end, Cuts::None);
        assert!(straight == signals(&events, &rules, 1, end, Cuts::Random(seed)), "seed {seed}: batches");
        assert!(straight == signals(&events, &rules, 5, end, Cuts::Random(seed + 9)), "seed {seed}: shards");
        let of_one = |lines: Vec<String>| lines.into_iter().filter(|line| line.contains("\"subject\":\"c-3\"")).collect::<Vec<_>>();
        let alone: Vec<_> = events.iter().filter(|event| event.customer == "c-3").cloned().collect();
        assert!(of_one(straight.clone()) == signals(&alone, &rules, 1, end, Cuts::None), "seed {seed}: others");
        let cut = START.plus_ms(100 * DAY_MS + 12_345);
        let known: Vec<_> = events.iter().filter(|event| event.time <= cut).cloned().collect();
        let time =
            |line: &String| line.split_once("\"time\":\"").and_then(|(_, rest)| rest.split_once('"')).map(|(time, _)| time.to_owned());
        let past: Vec<_> = straight.iter().filter(|line| time(line) <= Some(format_time(cut))).cloned().collect();
        assert!(past == signals(&known, &rules, 1, cut, Cuts::None), "seed {seed}: the future");
        all += &straight.join("\n");
    }
    // All of it was at work.
    for wanted in [
        "hold-out",
        "owner-cap",
        "silence: spring",
        "dismissed",
        "too_old",
        "reminded",
        "\"outcome\":\"true\"",
        "\"outcome\":\"late\"",
        "held_out",
    ] {
        assert!(all.contains(wanted), "no `{wanted}`");
    }
}

#[test]
fn outcomes_add_up_over_partitions() {
    let (rules, end) = (busy_rules(), START.plus_ms((DAYS + 100) * DAY_MS));
    let events = company_with_feedback(1, 20);
    let sum = |partitions: u16, cuts: Cuts| {
        let mut sum = OutcomeCounts::default();
        fold(&events, &rules, partitions, end, cuts).0.iter().for_each(|partition| sum.add(&partition.header.aggregates.outcomes));
        sum
    };
    let one = sum(1, Cuts::None);
    let outcomes: u64 = one.rules.values().flat_map(|rule| rule.groups).flatten().sum();
    assert!(outcomes > 50 && one.churn.churned > 2 && one.churn.caught > 0, "{one:?}");
    assert!(one.rules.values().map(|rule| rule.useful).sum::<u64>() > 0);
    assert_eq!(one, sum(4, Cuts::None));
    assert_eq!(one, sum(12, Cuts::Random(3)));
}
