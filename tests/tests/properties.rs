//! What must not matter does not: batches, crashes, shards, other customers, the future, duplicates.

use std::collections::BTreeMap;
use std::sync::Arc;

use bellwether_codec::rules::RuleFile;
use bellwether_codec::state::encode_customer;
use bellwether_codec::timestamp::format_time;
use bellwether_engine::customer::Customer;
use bellwether_engine::event::{Body, CustomerKey, Event};
use bellwether_engine::feature::{Feature, FeatureSet};
use bellwether_engine::partition::{Header, Partition, Payload, Progress, Record};
use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::time::{DAY_MS, HOUR_MS, Time};
use bellwether_tests::company::{Random, START, company};
use bellwether_tests::eventful::{any_company, shuffled_within_days};
use bellwether_tests::folding::{Cuts, default_rules, fold, lines_of, signals, stored_and_loaded};
use proptest::prelude::*;

const DAYS: u64 = 240;

fn end() -> Time {
    START.plus_ms((DAYS as i64 + 70) * DAY_MS)
}

fn time_of(line: &str) -> &str {
    line.split_once("\"time\":\"").and_then(|(_, rest)| rest.split_once('"')).map_or("", |(time, _)| time)
}

fn subject_of(line: &str) -> &str {
    line.split_once("\"subject\":\"").and_then(|(_, rest)| rest.split_once('"')).map_or("", |(subject, _)| subject)
}

/// What is told in the end, and what is stored.
fn told_and_kept(events: &[Event<'_>], rules: &Arc<RuleSet>, until: Time, cuts: Cuts) -> (Vec<String>, BTreeMap<String, Vec<u8>>) {
    let (partitions, outputs) = fold(events, rules, 1, until, cuts);
    (outputs.into_iter().flat_map(lines_of).collect(), states_of(&partitions[0]))
}

/// The stored form of each customer.
fn states_of(partition: &Partition) -> BTreeMap<String, Vec<u8>> {
    let stored = |customer: &Customer| {
        let mut bytes = Vec::new();
        encode_customer(customer, &mut bytes).expect("within the cap");
        (customer.id.to_string(), bytes)
    };
    partition.customers().map(stored).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn batches_and_crashes_are_invisible(seed: u64, cut_seed: u64) {
        let (events, rules) = (any_company(seed, 5, DAYS), default_rules());
        let run = |cuts| told_and_kept(&events, &rules, end(), cuts);
        let straight = run(Cuts::None);
        prop_assert!(!straight.0.is_empty());
        // What is remembered to save work, such as which rules are asleep, is gone after each cut: it shows in no state either.
        prop_assert_eq!(straight, run(Cuts::Random(cut_seed)));
        let late = shuffled_within_days(&events, cut_seed);
        let run = |cuts| told_and_kept(&late, &rules, end(), cuts);
        prop_assert_eq!(run(Cuts::None), run(Cuts::Random(cut_seed)));
    }

    #[test]
    fn shards_are_invisible(seed: u64) {
        let (events, rules) = (any_company(seed, 12, DAYS), default_rules());
        let one = signals(&events, &rules, 1, end(), Cuts::None);
        prop_assert_eq!(&one, &signals(&events, &rules, 4, end(), Cuts::None));
        prop_assert_eq!(&one, &signals(&events, &rules, 7, end(), Cuts::None));
    }

    #[test]
    fn other_customers_are_invisible(seed: u64) {
        let (events, rules) = (any_company(seed, 8, DAYS), default_rules());
        let all = signals(&events, &rules, 1, end(), Cuts::None);
        let alone: Vec<_> = events.iter().filter(|event| event.customer == "c-3").cloned().collect();
        let of_customer: Vec<_> = all.into_iter().filter(|line| subject_of(line) == "c-3").collect();
        prop_assert_eq!(of_customer, signals(&alone, &rules, 1, end(), Cuts::None));
    }

    #[test]
    fn the_future_never_changes_the_past(seed: u64, day in 20..DAYS) {
        let (events, rules) = (any_company(seed, 6, DAYS), default_rules());
        let cut = START.plus_ms(day as i64 * DAY_MS + 12_345);
        let known: Vec<_> = events.iter().filter(|event| event.time <= cut).cloned().collect();
        let truncated = signals(&known, &rules, 1, cut, Cuts::None);
        let limit = bellwether_codec::timestamp::format_time(cut);
        let past: Vec<_> = signals(&events, &rules, 1, end(), Cuts::None).into_iter().filter(|line| time_of(line) <= limit.as_str()).collect();
        prop_assert_eq!(truncated, past);
    }

    #[test]
    fn duplicates_are_invisible(seed: u64, duplicate_seed: u64) {
        let (events, rules) = (any_company(seed, 5, DAYS), default_rules());
        let mut random = Random(duplicate_seed);
        let twice: Vec<_> = events.iter().flat_map(|event| std::iter::repeat_n(event.clone(), 1 + usize::from(random.one_in(4)))).collect();
        prop_assert!(twice.len() > events.len());
        prop_assert_eq!(signals(&events, &rules, 1, end(), Cuts::None), signals(&twice, &rules, 1, end(), Cuts::None));
        let (partitions, _) = fold(&twice, &rules, 1, end(), Cuts::None);
        prop_assert_eq!(partitions[0].header.aggregates.duplicates, (twice.len() - events.len()) as u64);
    }

    #[test]
    fn ids_are_unique(seed: u64) {
        let (events, rules) = (any_company(seed, 10, DAYS), default_rules());
        let lines = signals(&events, &rules, 1, end(), Cuts::None);
        let mut ids: Vec<_> = lines.iter().map(|line| &line[..70]).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        prop_assert_eq!(count, ids.len());
    }

    /// Every rule is looked at every hour, in a copy that knows nothing of what sleeps or is due: it has nothing to add to what was told. Rules
    /// that read how much of the activity is whose are left out: those features are as of the last time that a user was active on a new day.
    #[test]
    fn whoever_looks_every_hour_sees_nothing_more(seed: u64) {
        const LAGGING: FeatureSet =
            FeatureSet::of(&[Feature::IdentifiedShare, Feature::TopUserShare56d, Feature::IdentifiedEvents56d]);
        let (events, pack) = (any_company(seed, 1, DAYS), default_rules());
        let prompt = pack.rules.iter().filter(|rule| !rule.features.intersects(LAGGING));
        let rules = Arc::new(RuleSet::new(1, prompt.cloned().collect(), pack.settings.clone()));
        prop_assert!(rules.rules.len() >= 38, "{} rules", rules.rules.len());
        let mut partition = Partition::new(rules, Header::default());
        let (mut outputs, mut left, mut looks) = (Vec::new(), events.as_slice(), 0);
        let mut now = START;
        while now < end() {
            now = now.plus_ms(HOUR_MS);
            let (happened, later) = left.split_at(left.partition_point(|event| event.time <= now));
            left = later;
            for event in happened {
                let (key, identity) = (CustomerKey::of(&event.customer), event.identity());
                partition.apply(&Record { watermark: event.time, payload: Payload::Event { event, key, identity } }, &mut u64::MAX.clone(), &mut outputs);
            }
            partition.apply(&Record { watermark: now, payload: Payload::Tick }, &mut u64::MAX.clone(), &mut outputs);
            let key = CustomerKey::of("c-0");
            if partition.get(key).is_some() {
                let mut looked_at = stored_and_loaded(&partition);
                let mut more = Vec::new();
                prop_assert_eq!(looked_at.review_now(key, &mut more), Progress::Done);
                let more = lines_of(more);
                prop_assert!(more.is_empty(), "{}: {more:#?}", format_time(now));
                looks += 1;
            }
        }
        prop_assert!(looks > 4_000 && !outputs.is_empty(), "{looks} looks, {} outputs", outputs.len());
    }
}

#[test]
fn most_rules_are_not_looked_at() {
    let (partitions, _) = fold(&company(7, 20, DAYS), &default_rules(), 1, end(), Cuts::None);
    let work = partitions[0].work;
    // A third, of a company with hardly two events of a kind on a day; a steady customer is in `woken.rs`.
    assert!(work.rules_evaluated * 100 < work.rules_possible * 35, "{work:?}");
}

/// A rule that reads the usage of weeks sleeps from week to week; its baseline begins on whatever day.
#[test]
fn a_rule_wakes_when_the_baseline_begins() {
    let text = "signals:\n  - { name: even, kind: attention, warm_up: 0s, when: usage_ratio <= 2 && logins_28d >= 1, summary: even }\n";
    let rules = Arc::new(RuleFile::parse("rules.yaml", text).unwrap_or_else(|errors| panic!("{errors}")).rule_set(1));
    let begins = START.plus_ms(112 * DAY_MS);
    for customer in ["a", "b", "c", "d", "e", "f", "g"] {
        let event = |day: i64, hour: i64, body: Body<'static>| Event {
            time: START.plus_ms(day * DAY_MS + hour * HOUR_MS),
            source: "/app".into(),
            id: format!("{day}-{hour}").into(),
            customer: customer.into(),
            traceparent: None,
            body,
        };
        let usage = || Body::Usage { feature: "reports".into(), count: 3, value: None, user: None };
        let day = |day| [event(day, 1, Body::Login { user: None, ok: true }), event(day, 2, usage()), event(day, 3, usage())];
        let events: Vec<_> = (0..125).flat_map(day).collect();
        let straight = told_and_kept(&events, &rules, START.plus_ms(126 * DAY_MS), Cuts::None);
        assert_eq!(straight.0.iter().map(|line| time_of(line)).collect::<Vec<_>>(), [format_time(begins)], "{customer}");
        for seed in 0..20 {
            assert!(straight == told_and_kept(&events, &rules, START.plus_ms(126 * DAY_MS), Cuts::Random(seed)), "{customer}, seed {seed}");
        }
    }
}

#[test]
fn the_same_log_gives_the_same_bytes_in_order() {
    let (events, rules) = (company(3, 6, DAYS), default_rules());
    let run = || fold(&events, &rules, 2, end(), Cuts::None).1.into_iter().flat_map(lines_of).collect::<Vec<_>>();
    assert_eq!(run(), run());
}

#[test]
fn states_stay_small() {
    let (partitions, _) = fold(&company(5, 30, 360), &default_rules(), 1, end(), Cuts::None);
    let mut sizes: Vec<usize> = states_of(&partitions[0]).values().map(Vec::len).collect();
    sizes.sort_unstable();
    assert!(sizes.len() == 30 && sizes[29] < 8_192, "{sizes:?}");
    assert!(partitions[0].get(CustomerKey::of("c-1")).is_some());
}
