//! Open episodes are counted by the fold: the same as what was told of them and has not ended, and what stands in the states.

use std::collections::BTreeMap;
use std::sync::Arc;

use bellwether_codec::rules::RuleFile;
use bellwether_engine::event::{Body, CustomerKey, Event};
use bellwether_engine::open_episodes::OpenEpisodes;
use bellwether_engine::partition::{Partition, Payload, Progress, Record};
use bellwether_engine::rule::Severity;
use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::signal::{Output, Signal, Transition};
use bellwether_engine::time::{DAY_MS, Time};
use bellwether_tests::company::{START, company};
use bellwether_tests::folding::{Cuts, fold, stored_and_loaded};

const DAYS: i64 = 240;

/// Rule, whether it is held out, and severity.
type Counts = BTreeMap<(u32, bool, Severity), u64>;

fn rules(text: &str, number: u32) -> Arc<RuleSet> {
    Arc::new(RuleFile::parse("rules.yaml", text).unwrap_or_else(|errors| panic!("{errors}")).rule_set(number))
}

/// The default pack, without its own tests, with a hold-out, a cap and a short age.
fn busy_rules() -> String {
    let pack = include_str!("../../deploy/rules/default.yaml").split("\ntests:").next().expect("there is a first part");
    pack.replace("hold_out: { share: 0 }", "hold_out: { share: 0.3, salt: t }\n  owner_cap: { per_customer_week: 2 }")
        .replace("expires: 180d", "expires: 40d")
}

fn counted(episodes: &OpenEpisodes) -> Counts {
    let mut counts = Counts::new();
    for (rule, open) in episodes.rules() {
        for (held_out, by_severity) in [(false, open.told), (true, open.held_out)] {
            let found = Severity::ALL.into_iter().zip(by_severity).filter(|(_, count)| *count > 0);
            counts.extend(found.map(|(severity, count)| ((rule, held_out, severity), count)));
        }
    }
    counts
}

/// What is told of as open, and has not ended.
fn told(outputs: &[Output]) -> Counts {
    let mut open = BTreeMap::new();
    for output in outputs {
        let (signal, reason): (&Signal, &str) = match output {
            Output::Signal(signal) => (signal, ""),
            Output::Decision(signal, reason) => (signal, reason),
            Output::Kpis(_) => continue,
        };
        let episode = (signal.customer.clone(), signal.rule.hash, signal.object.clone());
        match signal.transition {
            // What is held back is not open.
            Transition::Raised if ["", "hold-out", "shadow", "quiet"].contains(&reason) => {
                open.insert(episode, (reason == "hold-out", signal.severity));
            }
            Transition::Escalated | Transition::Eased => open.get_mut(&episode).expect("it is open").1 = signal.severity,
            Transition::Cleared | Transition::Expired | Transition::Resolved if reason != "outcome" => {
                open.remove(&episode).expect("it was open");
            }
            _ => {}
        }
    }
    let mut counts = Counts::new();
    open.iter().for_each(|((_, rule, _), (held_out, severity))| *counts.entry((*rule, *held_out, *severity)).or_default() += 1);
    counts
}

/// What the states say.
fn standing(partition: &Partition) -> Counts {
    let mut episodes = OpenEpisodes::default();
    partition.customers().flat_map(|customer| &customer.episodes).for_each(|episode| episodes.add(episode));
    counted(&episodes)
}

/// All three say the same, of more than nothing. Returns it.
#[track_caller]
fn agreed(partition: &Partition, outputs: &[Output]) -> Counts {
    let counts = counted(&partition.header.aggregates.outcomes.open);
    assert_eq!(counts, told(outputs));
    assert_eq!(counts, standing(partition));
    counts
}

#[test]
fn they_are_those_that_were_told_and_have_not_ended() {
    let rules = rules(&busy_rules(), 1);
    for seed in 1..6 {
        let events = company(seed, 40, DAYS as u64);
        let until = START.plus_ms(DAYS * DAY_MS);
        for cuts in [Cuts::None, Cuts::Random(seed)] {
            let (mut partitions, outputs) = fold(&events, &rules, 1, until, cuts);
            let counts = agreed(&partitions.remove(0), &outputs[0]);
            assert!(counts.keys().any(|(_, held_out, _)| *held_out), "seed {seed}: nobody is held out: {counts:?}");
            assert!(counts.keys().any(|(_, held_out, severity)| !held_out && *severity == Severity::Critical), "seed {seed}: {counts:?}");
        }
        let (partitions, outputs) = fold(&events, &rules, 3, until, Cuts::None);
        partitions.iter().zip(&outputs).for_each(|(partition, outputs)| _ = agreed(partition, outputs));
    }
}

#[test]
fn a_rule_that_is_removed_and_a_customer_who_is_erased_take_theirs_with_them() {
    let (events, until) = (company(3, 40, DAYS as u64), START.plus_ms(DAYS * DAY_MS));
    let before = rules(&busy_rules(), 1);
    let (mut partitions, mut outputs) = fold(&events, &before, 1, until, Cuts::None);
    let (mut partition, mut outputs) = (partitions.remove(0), outputs.remove(0));
    let all = agreed(&partition, &outputs);

    // Another set, in which a rule with open episodes has another name: it is another rule.
    let gone = before.rules.iter().find(|rule| all.keys().any(|(hash, ..)| *hash == rule.hash)).expect("one has open episodes");
    let after = rules(&busy_rules().replace(&*gone.name, "another"), 2);
    partition.set_rules(after, Some(before.clone()));
    let customers: Vec<CustomerKey> = partition.customers().map(|customer| CustomerKey::of(&customer.id)).collect();
    customers.iter().for_each(|key| assert_eq!(partition.review_now(*key, &mut outputs), Progress::Done));
    let without = agreed(&partition, &outputs);
    assert!(!without.keys().any(|(hash, ..)| *hash == gone.hash), "{} is still counted", gone.name);

    partition = stored_and_loaded(&partition);
    let names: Vec<Box<str>> = partition.customers().map(|customer| customer.id.clone()).collect();
    for (number, name) in names.iter().enumerate() {
        erase(&mut partition, name, number, until, &mut outputs);
        agreed(&partition, &outputs);
    }
    assert_eq!(counted(&partition.header.aggregates.outcomes.open), Counts::new());
}

fn erase(partition: &mut Partition, customer: &str, number: usize, until: Time, outputs: &mut Vec<Output>) {
    let event = Event {
        time: until,
        source: "/erasing".into(),
        id: number.to_string().into(),
        customer: customer.into(),
        traceparent: None,
        body: Body::Erased,
    };
    let (key, identity) = (CustomerKey::of(customer), event.identity());
    let record = Record { watermark: until, payload: Payload::Event { event: &event, key, identity } };
    assert_eq!(partition.apply(&record, &mut u64::MAX.clone(), outputs), Progress::Done);
}
