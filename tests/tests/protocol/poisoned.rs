//! A review that panics is left out in the log as in its replay, wherever the worker crashes.

use std::sync::Arc;

use bellwether_engine::event::Event;
use bellwether_engine::time::{DAY_MS, Time};
use bellwether_kafka::TopicPartition;
use bellwether_kafka::memory::{Fault, Plan};
use bellwether_tests::company::{START, company};
use bellwether_tests::world::{World, poisoned_rule_sets, store_in};
use tempfile::TempDir;

use crate::processing::{Restarting, assert_as_replayed, process};

const DAYS: u64 = 70;

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
    let (mut cases, mut crashes) = (0, 0);
    for seed in 0..20 {
        let events = company(seed, 5, DAYS);
        let Some(poison) = poison_of(&events) else { continue };
        cases += 1;
        let rule_sets = poisoned_rule_sets(Some(poison.clone()));
        let run = |plan: Plan, context: &str| {
            let mut world = World::new(seed, &rule_sets);
            world.poison_review = Some(poison.clone());
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
            (world.cluster.steps("a"), world.cluster.fired().len())
        };
        let (steps, _) = run(Plan::default(), &format!("seed {seed}, straight"));
        for part in 1..=8 {
            let step = steps * part / 8;
            crashes += run(Plan::default().at("a", step, Fault::Crash), &format!("seed {seed}, a crash at step {step}")).1;
        }
    }
    assert!(cases > 5 && crashes > 5 * cases, "{cases} cases, {crashes} crashes");
}
