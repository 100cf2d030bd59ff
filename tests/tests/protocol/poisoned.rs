//! A review that panics is left out in the log as in its replay, wherever the worker crashes: also where a record asks for it of every customer.

use std::sync::Arc;

use bellwether_codec::journal::{Control, SourceState};
use bellwether_codec::state::decode_header;
use bellwether_engine::event::Event;
use bellwether_engine::poison::Poison;
use bellwether_engine::time::{DAY_MS, Time};
use bellwether_kafka::TopicPartition;
use bellwether_kafka::memory::{Cluster, Fault, Message, Plan};
use bellwether_store::Store;
use bellwether_tests::company::{START, company};
use bellwether_tests::world::{Poisoned, World, poisoned_rule_sets, store_in};
use tempfile::TempDir;

use crate::processing::{Restarting, assert_as_replayed, other_rules, process};

const DAYS: u64 = 70;

/// How often a worker has asked from where it has to fold.
fn times_opened(cluster: &Cluster) -> usize {
    cluster.messages("a").into_iter().filter(|message| *message == Message::OffsetFetch).count()
}

/// A customer with two events after some midnight, and that midnight.
fn poison_of(events: &[Event<'_>]) -> Option<(Arc<str>, Time)> {
    (0..5).map(|number| format!("c-{number}")).find_map(|customer| {
        let times: Vec<Time> = events.iter().filter(|event| event.customer == customer).map(|event| event.time).collect();
        let midnight = times.get(times.len().checked_sub(3)?)?.day().next().start();
        (times.iter().filter(|time| **time >= midnight).count() == 2).then(|| (customer.as_str().into(), midnight))
    })
}

#[test]
fn a_review_that_panics_is_left_out_as_in_the_replay_wherever_the_worker_crashes() {
    let (mut cases, mut crashes, mut folded_again) = (0, 0, 0);
    for seed in 0..20 {
        let events = company(seed, 5, DAYS);
        let Some(poison) = poison_of(&events) else { continue };
        cases += 1;
        let poisoned = Poisoned { poison: Poison { review: Some(poison), ..Poison::default() }, from_rule_set: 1 };
        let rule_sets = poisoned_rule_sets(&poisoned);
        let run = |plan: Plan, writes_behind: bool, context: &str| {
            let mut world = World::new(seed, &rule_sets);
            world.poisoned = poisoned.clone();
            if writes_behind {
                world.write_behind();
            }
            let end = Time(START.0 + (DAYS as i64 + 40) * DAY_MS);
            world.cluster.set_now_ms(end.0);
            world.journal(&events, end);
            world.cluster.set_plan(plan);
            let directory = TempDir::new().expect("a directory");
            let store = store_in(directory.path());
            process(&world, &store, &mut [Restarting::new("a")], context);
            assert_as_replayed(&world, &store, context);
            let letters = [0, 1].into_iter().flat_map(|number| world.records(&TopicPartition::new("dead-letters", number)));
            assert_eq!(letters.count(), 2, "{context}: the fault fired, and left both events out that asked for the review");
            world.cluster
        };
        let mut opened_at_once = 0;
        for writes_behind in [false, true] {
            let context = format!("seed {seed}, written behind: {writes_behind}");
            let straight = run(Plan::default(), writes_behind, &context);
            if writes_behind {
                folded_again += usize::from(times_opened(&straight) > opened_at_once);
            } else {
                opened_at_once = times_opened(&straight);
            }
            for part in 1..=4 {
                let step = straight.steps("a") * part / 4;
                let plan = Plan::default().at("a", step, Fault::Crash);
                crashes += run(plan, writes_behind, &format!("{context}, a crash at step {step}")).fired().len();
            }
        }
    }
    assert!(cases > 5 && crashes > 5 * cases, "{cases} cases, {crashes} crashes");
    assert!(folded_again > cases / 2, "where the store is behind, a worker goes back to it: {folded_again} of {cases}");
}

/// What panics of a customer under the second rule set, and how many of two events after it.
fn poisons(customer: &Arc<str>) -> [(&'static str, Poison, usize); 4] {
    let always = Some((customer.clone(), Time(0)));
    let (review, contribution, expiry) = (always.clone(), always, Some(customer.clone()));
    [
        ("the evaluation", Poison { review: review.clone(), ..Poison::default() }, 2),
        ("what it adds", Poison { contribution: contribution.clone(), ..Poison::default() }, 2),
        ("the end of episodes", Poison { expiry: expiry.clone(), ..Poison::default() }, 0),
        ("all of it", Poison { review, contribution, expiry, ..Poison::default() }, 2),
    ]
}

/// Everything that was counted as left out.
fn poisoned_in(store: &Store) -> u64 {
    let headers = store.partitions().into_iter().filter_map(|partition| store.header(partition).expect("the store reads"));
    headers.map(|header| decode_header(&header.body).expect("a header decodes").aggregates.poisoned).sum()
}

#[test]
fn a_review_of_all_that_panics_leaves_one_customer_out_as_in_the_replay_wherever_the_worker_crashes() {
    let (mut cases, mut crashes) = (0, 0);
    let source = || SourceState { source: "/auth".to_owned(), families: vec!["login".to_owned()] };
    for seed in 0..10 {
        let events = company(seed, 5, DAYS);
        let Some((customer, midnight)) = poison_of(&events) else { continue };
        let (before, after) = events.split_at(events.partition_point(|event| event.time < midnight));
        for (what, poison, letters_expected) in poisons(&customer) {
            cases += 1;
            let poisoned = Poisoned { poison, from_rule_set: 2 };
            let rule_sets = poisoned_rule_sets(&poisoned);
            let run = |plan: Plan, context: &str| {
                let mut world = World::new(seed, &rule_sets);
                world.poisoned = poisoned.clone();
                if cases % 2 == 0 {
                    world.write_behind();
                }
                let end = Time(START.0 + (DAYS as i64 + 40) * DAY_MS);
                world.cluster.set_now_ms(end.0);
                world.journal(before, midnight);
                world.publish_rules(2, &other_rules());
                world.control(&Control::SourceSilent(source()));
                world.control(&Control::SourceResumed(source()));
                world.journal(after, end);
                world.cluster.set_plan(plan);
                let directory = TempDir::new().expect("a directory");
                let store = store_in(directory.path());
                process(&world, &store, &mut [Restarting::new("a")], context);
                assert_as_replayed(&world, &store, context);
                let letters = [0, 1].into_iter().flat_map(|number| world.records(&TopicPartition::new("dead-letters", number))).count();
                assert_eq!(letters, letters_expected, "{context}: events left out");
                assert_eq!(poisoned_in(&store), 2 + letters as u64, "{context}: left out for the rules, for the source, and at the events");
                (world.cluster.steps("a"), world.cluster.fired().len())
            };
            let (steps, _) = run(Plan::default(), &format!("seed {seed}, {what} panics, straight"));
            for part in 1..=4 {
                let step = steps * part / 4;
                let context = format!("seed {seed}, {what} panics, a crash at step {step}");
                crashes += run(Plan::default().at("a", step, Fault::Crash), &context).1;
            }
        }
    }
    assert!(cases > 10 && crashes > 2 * cases, "{cases} cases, {crashes} crashes");
}
