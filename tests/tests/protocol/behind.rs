//! One input is behind the others for days, because its worker stands still or its breaker has stopped it: signals are those of a run without that.

use std::sync::Arc;
use std::time::Duration;

use bellwether_engine::event::{Body, Event};
use bellwether_engine::time::{DAY_MS, HOUR_MS, MINUTE_MS, Time};
use bellwether_kafka::TopicPartition;
use bellwether_live::kafka::{BreakerLimits, Ingest, RuleSets};
use bellwether_tests::company::{START, company};
use bellwether_tests::world::{
    INGEST_GROUP, INPUT, INPUT_PARTITIONS, SECOND_INPUT, World, journal_partition, rule_sets, states_in, store_in,
};
use tempfile::TempDir;

const DAYS: i64 = 75;
const STEP_MS: i64 = 2 * HOUR_MS;
/// The days of trouble.
const TROUBLE: std::ops::Range<i64> = 20..23;
/// Turns within which everything that came in a step is taken in.
const MAX_TURNS: usize = 600;
/// Turns of a step in which not everything can be.
const TURNS_IN_VAIN: usize = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    None,
    /// One of two workers does not work, and keeps its partitions.
    Lags,
    /// The breaker of the second input stops it, until somebody has mended it and started the worker anew.
    Stopped,
}

const STRICT: BreakerLimits = BreakerLimits { ratio: 1.0, window: 100, consecutive: 10 };
const FLOOD: usize = 12;

/// Lives through the company's days with two ingest workers; returns the world when everything is taken in.
fn live(seed: u64, rule_sets: &Arc<RuleSets>, events: &[Event<'_>], trouble: Trouble, drift: Duration) -> World {
    let mut world = World::new(seed, rule_sets);
    world.max_watermark_drift = drift;
    let start = |world: &World, name: &str, limits| world.ingest(name, 30, limits).expect("nothing is planned");
    let mut workers =
        ["a", "b"].map(|name| start(&world, name, if trouble == Trouble::Stopped { STRICT } else { BreakerLimits::default() }));
    let (mut coming, mut latest_in_trouble, mut was_behind) = (events.iter().peekable(), Time::MIN, false);
    for step in 0..DAYS * DAY_MS / STEP_MS {
        let now = Time(START.0 + step * STEP_MS);
        let day = step * STEP_MS / DAY_MS;
        world.cluster.set_now_ms(now.0);
        while let Some(event) = coming.next_if(|event| event.time <= now) {
            let (topic, partition) = place_of(event);
            world.produce_one(topic, partition, event, event.time);
        }
        let is_first_of = |wanted: i64| step * STEP_MS == wanted * DAY_MS;
        if trouble == Trouble::Stopped && is_first_of(TROUBLE.start) {
            for _ in 0..FLOOD {
                world.cluster.append(SECOND_INPUT, Some(0), (None, Some(b"{")), &[], now.0).expect("the topic is there");
            }
        }
        if trouble == Trouble::Stopped && is_first_of(TROUBLE.end) {
            drop(workers);
            workers = ["a", "b"].map(|name| start(&world, name, BreakerLimits::default()));
        }
        if trouble == Trouble::None || !TROUBLE.contains(&day) {
            take_in(&world, &mut workers);
            continue;
        }
        for _ in 0..TURNS_IN_VAIN {
            let at_work = if trouble == Trouble::Lags { 1 } else { 2 };
            workers[..at_work].iter_mut().for_each(|worker| _ = worker.turn().expect("nothing is planned"));
            world.cluster.settle();
        }
        was_behind |= !is_taken_in(&world);
        latest_in_trouble = latest_in_trouble.max(latest_journaled(&world));
    }
    assert!(coming.peek().is_none(), "all events were produced");
    if trouble != Trouble::None {
        let ahead_ms = latest_in_trouble.0 - (START.0 + TROUBLE.start * DAY_MS);
        assert!(was_behind && ahead_ms < DAY_MS + drift.as_millis() as i64, "the others have waited: {ahead_ms}");
    }
    world
}

/// Events of a customer and an input come in one partition. Between the inputs is half an hour, so that a small drift changes no order.
fn place_of(event: &Event<'_>) -> (&'static str, i32) {
    let topic = if is_second(event) { SECOND_INPUT } else { INPUT };
    (topic, i32::from(event.customer.as_bytes().last().copied().unwrap_or_default()) % INPUT_PARTITIONS)
}

fn is_second(event: &Event<'_>) -> bool {
    matches!(event.body, Body::Ticket { .. } | Body::Survey { .. })
}

fn events(seed: u64) -> Vec<Event<'static>> {
    let mut events = company(seed, 12, 60);
    events.iter_mut().filter(|event| is_second(event)).for_each(|event| event.time = event.time.plus_ms(30 * MINUTE_MS));
    events.sort_by(|a, b| (a.time, &a.customer, &a.id).cmp(&(b.time, &b.customer, &b.id)));
    events
}

fn is_taken_in(world: &World) -> bool {
    let committed = world.cluster.committed_offsets(INGEST_GROUP);
    let inputs =
        [INPUT, SECOND_INPUT].into_iter().flat_map(|topic| (0..INPUT_PARTITIONS).map(move |number| TopicPartition::new(topic, number)));
    inputs.into_iter().all(|at| {
        let end = world.cluster.ends(&at).expect("the topic is there").end;
        committed.get(&at).is_some_and(|committed| committed.offset >= end)
    })
}

fn take_in(world: &World, workers: &mut [Ingest; 2]) {
    for turn in 0..MAX_TURNS {
        workers.iter_mut().for_each(|worker| _ = worker.turn().expect("nothing is planned"));
        world.cluster.settle();
        if turn > 2 && is_taken_in(world) {
            return;
        }
    }
    panic!("the workers wait for each other");
}

/// The latest time of an event in the journal.
fn latest_journaled(world: &World) -> Time {
    let time = |value: &[u8]| {
        let text = String::from_utf8_lossy(value).into_owned();
        let (_, rest) = text.split_once("\"time\":\"")?;
        bellwether_codec::timestamp::parse_time(rest.split_once('"')?.0).ok()
    };
    let records = (0..bellwether_tests::world::PARTITIONS).flat_map(|number| world.records(&journal_partition(number)));
    records.filter_map(|record| time(record.value.as_deref()?)).max().unwrap_or(Time::MIN)
}

/// What is published of a world, after the end of its days was told.
fn published(world: &World, context: &str) -> Vec<String> {
    let directory = TempDir::new().expect("a directory");
    let store = store_in(directory.path());
    let mut processor = world.processor("p", &store, 200).expect("nothing is planned");
    for _ in 0..2_000 {
        processor.turn().expect("nothing is planned");
        world.cluster.settle();
        if world.is_processed() {
            break;
        }
    }
    assert!(world.is_processed(), "{context}");
    let (lines, states, _) = world.replayed();
    let published = world.published();
    assert_eq!(lines, published, "{context}: the replay of its own journal");
    assert!(states == states_in(&store), "{context}: states");
    published
}

#[track_caller]
fn assert_same(trouble: Trouble, drift: Duration) {
    let rule_sets = rule_sets();
    for seed in 1..=4 {
        let events = events(seed);
        let context = format!("seed {seed}, {trouble:?}, drift {drift:?}");
        let expected = published(&live(seed, &rule_sets, &events, Trouble::None, drift), &context);
        let world = live(seed, &rule_sets, &events, trouble, drift);
        let found = published(&world, &context);
        let missing: Vec<_> = expected.iter().filter(|line| found.binary_search(line).is_err()).collect();
        let surplus: Vec<_> = found.iter().filter(|line| expected.binary_search(line).is_err()).collect();
        assert!(expected.len() > 30, "{context}: {} signals", expected.len());
        assert!(missing.is_empty() && surplus.is_empty(), "{context}:\nmissing {missing:#?}\nsurplus {surplus:#?}");
        let refused = (0..2).map(|number| world.records(&TopicPartition::new("dead-letters", number)).len()).sum::<usize>();
        assert_eq!(refused, if trouble == Trouble::Stopped { FLOOD } else { 0 }, "{context}");
    }
}

#[test]
fn a_worker_that_is_three_days_behind_changes_no_signal() {
    assert_same(Trouble::Lags, Duration::ZERO);
    assert_same(Trouble::Lags, Duration::from_secs(60));
}

#[test]
fn a_source_that_its_breaker_has_stopped_changes_no_signal() {
    assert_same(Trouble::Stopped, Duration::ZERO);
    assert_same(Trouble::Stopped, Duration::from_secs(60));
}

#[test]
fn without_waiting_signals_would_differ() {
    let rule_sets = rule_sets();
    let differs = |seed| {
        let events = events(seed);
        let of = |trouble, drift| published(&live(seed, &rule_sets, &events, trouble, drift), "without waiting");
        of(Trouble::None, Duration::ZERO) != of(Trouble::Lags, Duration::from_secs(4 * 86_400))
    };
    assert!((1..=4).any(differs), "the tests above could not fail");
}
