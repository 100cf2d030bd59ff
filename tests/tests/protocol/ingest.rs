//! Ingest workers under the same faults: every record of the inputs is in the journal or the dead letters once.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bellwether_engine::time::{DAY_MS, HOUR_MS, Time};
use bellwether_kafka::TopicPartition;
use bellwether_kafka::memory::{Fault, Plan, TimestampType};
use bellwether_live::error::LiveError;
use bellwether_live::kafka::{BreakerLimits, Ingest, JournalError};
use bellwether_live::pipeline;
use bellwether_tests::company::{START, company};
use bellwether_tests::world::{INGEST_GROUP, INPUT, INPUT_PARTITIONS, PARTITIONS, SECOND_INPUT, World, journal_partition, rule_sets};

const MAX_TURNS: usize = 2_000;

struct Restarting(&'static str, Option<Ingest>, BreakerLimits);

impl Restarting {
    fn turn(&mut self, world: &World) -> usize {
        if self.1.is_none() {
            self.1 = world.ingest(self.0, 25, self.2).ok();
        }
        let Some(worker) = &mut self.1 else { return 1 };
        match worker.turn() {
            Ok(read) => read,
            Err(LiveError::Kafka(error)) if error.cause.contains("crashed by the plan") => {
                self.1 = None;
                world.cluster.expire(self.0);
                1
            }
            Err(error) => panic!("{error}"),
        }
    }
}

fn is_taken_in(world: &World) -> bool {
    let committed = world.cluster.committed_offsets(INGEST_GROUP);
    (0..INPUT_PARTITIONS).all(|number| {
        let at = TopicPartition::new(INPUT, number);
        let end = world.cluster.ends(&at).expect("the topic is there").end;
        committed.get(&at).is_some_and(|committed| committed.offset >= end)
    })
}

fn take_in(world: &World, workers: &mut [Restarting], context: &str) {
    let mut quiet = 0;
    for _ in 0..MAX_TURNS {
        let read: usize = workers.iter_mut().map(|worker| worker.turn(world)).sum();
        world.cluster.tick();
        quiet = if read == 0 && is_taken_in(world) { quiet + 1 } else { 0 };
        if quiet > 3 {
            return;
        }
    }
    panic!("{context}: the workers do not come to an end");
}

/// Ids of the events in the journal, and how many records are in the dead letters.
fn outcome(world: &World) -> (Vec<String>, usize) {
    let id = |value: &[u8]| {
        let text = String::from_utf8_lossy(value).into_owned();
        let (_, rest) = text.split_once("\"id\":\"")?;
        Some(rest.split_once('"')?.0.to_owned())
    };
    let records = (0..PARTITIONS).flat_map(|number| world.records(&journal_partition(number)));
    let mut ids: Vec<String> = records.filter_map(|record| id(record.value.as_deref()?)).collect();
    ids.sort_unstable();
    let dead = [0, 1].map(|number| world.records(&TopicPartition::new("dead-letters", number)).len());
    (ids, dead.iter().sum())
}

#[test]
fn every_record_is_taken_in_once() {
    let rule_sets = rule_sets();
    let mut fired = 0;
    for seed in 0..60 {
        let mut world = World::new(seed, &rule_sets);
        world.max_watermark_drift = [Duration::MAX, Duration::from_secs(6 * 3_600), Duration::ZERO][seed as usize % 3];
        let events = company(seed, 4, 40);
        world.cluster.set_now_ms(START.0 + 41 * DAY_MS);
        world.produce(&events);
        let bad = [&b"{"[..], b"\xff", b"[]"];
        for value in bad {
            world.cluster.append(INPUT, Some(0), (Some(b"key"), Some(value)), &[("kept", b"yes")], START.0).expect("the topic is there");
        }
        world.cluster.set_plan(Plan::seeded(seed, 20, &[Fault::Crash, Fault::LoseRequest, Fault::LoseResponse]));
        let context = format!("seed {seed}");
        let breaker = BreakerLimits::default();
        take_in(&world, &mut [Restarting("a", None, breaker), Restarting("b", None, breaker)], &context);
        let (ids, dead) = outcome(&world);
        let mut expected: Vec<String> = events.iter().map(|event| event.id.to_string()).collect();
        expected.sort_unstable();
        assert_eq!((ids.len(), dead), (expected.len(), bad.len()), "{context}");
        assert_eq!(ids, expected, "{context}");
        fired += world.cluster.fired().len();
    }
    assert!(fired > 200, "{fired} faults happened");
}

#[test]
fn a_failure_at_each_step_takes_every_record_in_once() {
    let rule_sets = rule_sets();
    let faults = [Fault::Crash, Fault::LoseRequest, Fault::LoseResponse];
    let run = |plan: Plan, context: &str| {
        let world = World::new(6, &rule_sets);
        let events = company(6, 3, 12);
        world.cluster.set_now_ms(START.0 + 13 * DAY_MS);
        world.produce(&events);
        world.cluster.append(INPUT, Some(0), (None, Some(b"{")), &[], START.0).expect("the topic is there");
        world.cluster.set_plan(plan);
        take_in(&world, &mut [Restarting("a", None, BreakerLimits::default())], context);
        let (ids, dead) = outcome(&world);
        let mut expected: Vec<String> = events.iter().map(|event| event.id.to_string()).collect();
        expected.sort_unstable();
        assert_eq!((ids, dead), (expected, 1), "{context}");
        world.cluster
    };
    let steps = run(Plan::default(), "straight").steps("a");
    assert!(steps > 20, "{steps} steps");
    let mut fired = 0;
    for step in 1..=steps {
        for fault in faults {
            let context = format!("step {step} of {steps}, {fault:?}");
            fired += run(Plan::default().at("a", step, fault), &context).fired().len();
        }
    }
    assert_eq!(fired, faults.len() * steps, "each step fails in each way");
}

#[test]
fn a_dead_letter_tells_all() {
    let world = World::new(1, &rule_sets());
    world.cluster.append(INPUT, Some(1), (Some(b"key"), Some(b"{")), &[("kept", b"yes")], START.0).expect("the topic is there");
    world.cluster.set_now_ms(START.0);
    take_in(&world, &mut [Restarting("a", None, BreakerLimits::default())], "one bad record");
    let records = [0, 1].map(|number| world.records(&TopicPartition::new("dead-letters", number))).concat();
    let [letter] = &records[..] else { panic!("one letter, not {}", records.len()) };
    let headers: Vec<String> = letter
        .headers
        .iter()
        .map(|(name, value)| format!("{name}={}", String::from_utf8_lossy(value.as_deref().unwrap_or_default())))
        .filter(|header| !header.starts_with("__streams.errors.message"))
        .collect();
    let expected = [
        "kept=yes",
        "__streams.errors.exception=invalid_json",
        "__streams.errors.topic=events",
        "__streams.errors.partition=1",
        "__streams.errors.offset=0",
        "__streams.errors.timestamp=1704067200000",
    ];
    assert_eq!(headers, expected);
    assert_eq!((letter.key.as_deref(), letter.value.as_deref()), (Some(&b"key"[..]), Some(&b"{"[..])));
}

#[test]
fn a_flood_stops_its_source_and_loses_nothing() {
    let world = World::new(3, &rule_sets());
    world.cluster.set_now_ms(START.0 + DAY_MS);
    for number in 0..40 {
        let value: &[u8] = if number < 5 { br#"{"id":"1","source":"/a","type":"login","subject":"c"}"# } else { b"{" };
        world.cluster.append(INPUT, Some(0), (None, Some(value)), &[], START.0).expect("the topic is there");
    }
    let limits = BreakerLimits { ratio: 1.0, window: 100, consecutive: 10 };
    let mut worker = Restarting("a", None, limits);
    for _ in 0..20 {
        worker.turn(&world);
    }
    let offset = |world: &World| world.cluster.committed_offsets(INGEST_GROUP)[&TopicPartition::new(INPUT, 0)].offset;
    assert_eq!((outcome(&world).1, offset(&world)), (9, 14), "nine of the flood are dead letters, the tenth stopped the source");
    let mut mended = Restarting("a", None, BreakerLimits::default());
    drop(worker);
    take_in(&world, &mut [Restarting("a", mended.1.take(), mended.2)], "after the restart");
    assert_eq!((outcome(&world).1, offset(&world)), (35, 40));
}

/// Who has the inputs does nothing, so that nothing of them was ever committed: there is no watermark at all.
#[test]
fn the_age_of_the_watermark_grows_where_time_has_not_begun() {
    let world = World::new(4, &rule_sets());
    world.cluster.set_now_ms(START.0 + DAY_MS);
    let metrics = &world.ingest_metrics;
    metrics.pipeline.begin(pipeline::Worker::Ingest);
    let mut hanging = Restarting("a", None, BreakerLimits::default());
    hanging.turn(&world);
    let mut other = Restarting("b", None, BreakerLimits::default());
    (0..20).for_each(|_| _ = other.turn(&world));
    assert!(world.cluster.committed_offsets(INGEST_GROUP).is_empty(), "nothing is taken in");
    let in_an_hour = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as i64 + HOUR_MS;
    let text = metrics.render_at(Time(in_an_hour));
    let age = text.lines().find_map(|line| line.strip_prefix("bellwether_watermark_age_seconds ")?.parse::<f64>().ok());
    assert!(age.is_some_and(|age| age >= 3_600.0), "{text}");
}

/// What an aborted transaction held is read again, and counts once.
#[test]
fn a_transaction_that_fails_makes_no_flood_of_a_few() {
    let (rule_sets, mut fired) = (rule_sets(), 0);
    for seed in 0..20 {
        let world = World::new(seed, &rule_sets);
        world.cluster.set_now_ms(START.0 + DAY_MS);
        for _ in 0..5 {
            world.cluster.append(INPUT, Some(0), (None, Some(b"{")), &[], START.0).expect("the topic is there");
        }
        world.cluster.set_plan(Plan::seeded(seed, 4, &[Fault::LoseRequest, Fault::LoseResponse]));
        let limits = BreakerLimits { ratio: 1.0, window: 100, consecutive: 6 };
        take_in(&world, &mut [Restarting("a", None, limits)], &format!("seed {seed}"));
        assert_eq!(outcome(&world).1, 5, "seed {seed}");
        fired += world.cluster.fired().len();
    }
    assert!(fired > 60, "{fired} faults happened");
}

#[test]
fn inputs_are_not_taken_in_again_because_their_offsets_are_forgotten() {
    let rule_sets = rule_sets();
    let world = World::new(8, &rule_sets);
    world.cluster.set_now_ms(START.0 + 13 * DAY_MS);
    world.produce(&company(8, 3, 12));
    take_in(&world, &mut [Restarting("a", None, BreakerLimits::default())], "at first");
    let before = outcome(&world);
    // The group's offsets of a topic go with it.
    for topic in [INPUT, SECOND_INPUT] {
        world.cluster.delete_topic(topic).expect("it is there");
        world.cluster.create_topic(topic, INPUT_PARTITIONS as usize, TimestampType::CreateTime).expect("it is gone");
    }
    assert!(world.cluster.committed_offsets(INGEST_GROUP).is_empty());
    world.produce(&company(9, 3, 12));
    let mut worker = world.ingest("b", 25, BreakerLimits::default()).expect("it starts");
    let ended = (0..20).find_map(|_| worker.turn().err()).expect("it does not go on");
    assert!(matches!(&ended, LiveError::Journal(JournalError::NothingTakenIn { .. })), "{ended}");
    assert_eq!(outcome(&world), before);
}

#[test]
fn events_that_arrive_over_a_day_late_are_counted_by_their_source() {
    let world = World::new(5, &rule_sets());
    let events = company(5, 3, 10);
    let [first, second, ..] = &events[..] else { panic!("there are events") };
    for (topic, event, delay_ms) in [
        (INPUT, first, 0),
        (INPUT, second, DAY_MS),
        (SECOND_INPUT, &events[2], DAY_MS + 1),
        (SECOND_INPUT, &events[3], 30 * DAY_MS),
        (SECOND_INPUT, &events[4], 5),
    ] {
        world.produce_one(topic, 0, event, event.time.plus_ms(delay_ms));
    }
    world.cluster.set_now_ms(START.0 + 60 * DAY_MS);
    take_in(&world, &mut [Restarting("a", None, BreakerLimits::default())], "late events");
    let page = world.ingest_metrics.render();
    let told = |name: &str, source: &str| {
        let line = page.lines().find(|line| line.starts_with(&format!("bellwether_{name}_total{{source=\"{source}\"}}")));
        line.and_then(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).unwrap_or_else(|| panic!("{name} of {source} is not in\n{page}"))
    };
    let counts = [INPUT, SECOND_INPUT].map(|source| (told("source_events", source), told("late_events", source)));
    assert_eq!(counts, [(2, 0), (3, 2)], "exactly a day is not late");
}

#[test]
fn time_stands_still_while_an_input_is_not_read_and_goes_on_with_silence() {
    let world = World::new(4, &rule_sets());
    let mut workers = [Restarting("a", None, BreakerLimits::default())];
    world.produce(&company(4, 3, 10));
    let last_watermark = |world: &World| {
        let records = (0..PARTITIONS).flat_map(|number| world.records(&journal_partition(number)));
        let watermark = |record: &bellwether_kafka::memory::Record| {
            let header = record.headers.iter().find(|(name, _)| name == "watermark").and_then(|(_, value)| value.clone())?;
            String::from_utf8(header).ok()?.parse().ok().map(Time)
        };
        records.filter_map(|record| watermark(&record)).max()
    };
    world.cluster.set_now_ms(START.0 + 60 * DAY_MS);
    for _ in 0..3 {
        workers[0].turn(&world);
    }
    let while_reading = last_watermark(&world);
    assert!(while_reading < Some(Time(START.0 + 11 * DAY_MS)), "no present while the past is read: {while_reading:?}");
    take_in(&world, &mut workers, "all is read");
    world.cluster.set_now_ms(START.0 + 61 * DAY_MS);
    take_in(&world, &mut workers, "silence");
    let passed = last_watermark(&world);
    assert!(passed >= Some(Time(START.0 + 60 * DAY_MS)), "silence is journaled: {passed:?}");
}
