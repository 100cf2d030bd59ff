//! Daily records of KPIs, while partitions move between workers that fail: each partition tells each day once, and what a replay tells.

use bellwether_engine::event::Body;
use bellwether_engine::time::{DAY_MS, Time};
use bellwether_kafka::memory::{Fault, Plan};
use bellwether_tests::company::{START, company};
use bellwether_tests::world::{PARTITIONS, World, rule_sets, store_in};
use serde_json::Value;
use tempfile::TempDir;

use crate::processing::{Restarting, process};

const DAYS: u64 = 80;
/// Turns from one rebalance to the next.
const TURNS_BETWEEN_REBALANCES: usize = 5;
/// Rebalances of each run at least.
const REBALANCES: usize = 10;

/// The journal of a company from which nobody is erased: a replay leaves those out from the beginning, and what was published stays.
fn world(seed: u64) -> World {
    let world = World::new(seed, &rule_sets());
    let end = Time(START.0 + (DAYS as i64 + 40) * DAY_MS);
    world.cluster.set_now_ms(end.0);
    let events = company(seed, 12, DAYS);
    assert!(events.iter().all(|event| event.body != Body::Erased));
    world.journal(&events, end);
    world
}

/// Where two records differ.
fn differences(told: &Value, replayed: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut places = vec![(String::new(), told, replayed)];
    while let Some((place, told, replayed)) = places.pop() {
        match (told, replayed) {
            (Value::Object(one), Value::Object(other)) if one.keys().eq(other.keys()) => {
                places.extend(one.iter().map(|(name, value)| (format!("{place}/{name}"), value, &other[name])));
            }
            (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
                places.extend(one.iter().zip(other).enumerate().map(|(index, (one, other))| (format!("{place}/{index}"), one, other)));
            }
            _ if told == replayed => {}
            _ => found.push(format!("{place}: {told}, and {replayed} in the replay")),
        }
    }
    found
}

#[test]
fn each_partition_tells_each_day_once_whoever_owns_it() {
    for seed in 0..6 {
        let world = world(seed);
        world.cluster.set_plan(Plan::seeded(seed, 40, &[Fault::Crash, Fault::LoseRequest, Fault::LoseResponse]));
        let directory = TempDir::new().expect("a directory");
        let store = store_in(directory.path());
        let mut workers = [Restarting::new("a"), Restarting::new("b")];
        let mut rebalances = 0;
        for turn in 0.. {
            if world.is_processed() || turn > 2_000 {
                break;
            }
            if turn % TURNS_BETWEEN_REBALANCES == TURNS_BETWEEN_REBALANCES - 1 {
                rebalances += usize::from(world.cluster.expire(if turn % 2 == 0 { "a" } else { "b" }));
            }
            workers.iter_mut().for_each(|worker| _ = worker.turn(&world, &store));
            world.cluster.tick();
        }
        process(&world, &store, &mut workers, &format!("seed {seed}"));
        assert!(rebalances >= REBALANCES, "seed {seed}: {rebalances} rebalances");
        assert!(!world.cluster.fired().is_empty(), "seed {seed}: nothing failed");
        let (published, replayed) = (world.published_days(), world.replayed_days());
        // One for each day of each partition, to the day before the last.
        assert!(replayed.len() > usize::from(PARTITIONS) * DAYS as usize, "{} days", replayed.len());
        for (day, records) in &replayed {
            let told = published.get(day).map(Vec::as_slice).unwrap_or_default();
            assert_eq!((told.len(), records.len()), (1, 1), "seed {seed}, {day:?}");
            assert_eq!(differences(&told[0], &records[0]), Vec::<String>::new(), "seed {seed}, {day:?}");
        }
        assert_eq!(published.len(), replayed.len(), "seed {seed}: days that a replay does not tell");
    }
}
