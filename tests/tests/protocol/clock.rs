//! Time as the ingest tells it: inputs that are not read, lag or fall silent, and clocks that are wrong, over simulated days.

use std::sync::Arc;

use bellwether_engine::event::{Body, Event};
use bellwether_engine::time::{DAY_MS, HOUR_MS, Time};
use bellwether_live::kafka::{BreakerLimits, Ingest, Processor, RuleSets};
use bellwether_store::Store;
use bellwether_tests::company::{START, company};
use bellwether_tests::machine::Machine;
use bellwether_tests::world::{INPUT, INPUT_PARTITIONS, SECOND_INPUT, World, rule_sets, states_in, store_in};
use tempfile::TempDir;

const DAYS: i64 = 85;
const STEP_MS: i64 = 2 * HOUR_MS;

/// What goes wrong while days pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    None,
    /// No ingest from one day to another; processing goes on.
    IngestDown(i64, i64),
    /// The processing workers start anew, from an empty disk, every so many days.
    ProcessingRestarts(i64),
    /// A second worker with an empty disk comes, takes over its share, and goes again, every so many days.
    AnotherComesOrGoes(i64),
}

/// A company lived through in simulated time: each event is produced when it happens.
struct Life {
    world: World,
    store: Arc<Store>,
    _directory: TempDir,
    ingest: Option<Ingest>,
    processor: Option<Processor>,
    second: Option<(Machine, Processor)>,
    /// Turns in which the second worker owned something.
    shared_turns: u32,
}

impl Life {
    fn new(seed: u64, rule_sets: &Arc<RuleSets>) -> Self {
        let directory = TempDir::new().expect("a directory");
        let store = store_in(directory.path());
        Self {
            world: World::new(seed, rule_sets),
            store,
            _directory: directory,
            ingest: None,
            processor: None,
            second: None,
            shared_turns: 0,
        }
    }

    fn live(&mut self, events: &[Event<'_>], trouble: Trouble) {
        let mut coming = events.iter().zip(0..).peekable();
        let mut now = START.0;
        while now < START.0 + DAYS * DAY_MS {
            now += STEP_MS;
            self.world.cluster.set_now_ms(now);
            while let Some((event, number)) = coming.next_if(|(event, _)| event.time.0 <= now) {
                self.world.produce_one(topic_of(event), number % INPUT_PARTITIONS, event, event.time);
            }
            self.work(trouble, (now - START.0) / DAY_MS, now);
        }
        assert!(coming.peek().is_none(), "all events were produced");
        self.second = None;
        for _ in 0..400 {
            now += 61_000;
            self.world.cluster.set_now_ms(now);
            self.work(Trouble::None, DAYS, now);
        }
        assert!(self.world.is_processed());
    }

    fn work(&mut self, trouble: Trouble, day: i64, now: i64) {
        match trouble {
            Trouble::IngestDown(from, to) if (from..to).contains(&day) => self.ingest = None,
            _ => {
                let world = &self.world;
                let ingest =
                    self.ingest.get_or_insert_with(|| world.ingest("i", 500, BreakerLimits::default()).expect("nothing is planned"));
                // A step is long: what came in it is read, and then its end is told.
                for _ in 0..4 {
                    ingest.turn().expect("nothing is planned");
                }
            }
        }
        if let Trouble::ProcessingRestarts(days) = trouble
            && (now - START.0) % (days * DAY_MS) == 0
        {
            self.processor = None;
            self._directory = TempDir::new().expect("a directory");
            self.store = store_in(self._directory.path());
        }
        if let Trouble::AnotherComesOrGoes(days) = trouble
            && (now - START.0) % (days * DAY_MS) == 0
        {
            let second = || {
                let machine = Machine::new(None);
                let processor = machine.processor(&self.world, "second");
                (machine, processor)
            };
            self.second = if self.second.is_none() { Some(second()) } else { None };
        }
        let (world, store) = (&self.world, &self.store);
        let processor = self.processor.get_or_insert_with(|| world.processor("p", store, 200).expect("nothing is planned"));
        for _ in 0..4 {
            processor.turn().expect("nothing is planned");
            if let Some((machine, second)) = &mut self.second {
                second.turn().expect("nothing is planned");
                self.shared_turns += u32::from(!machine.store.partitions().is_empty());
            }
            world.cluster.settle();
        }
    }
}

fn topic_of(event: &Event<'_>) -> &'static str {
    match event.body {
        Body::Ticket { .. } | Body::Survey { .. } => SECOND_INPUT,
        _ => INPUT,
    }
}

/// Signals up to the end of the simulated days, without those of the present that follows.
fn signals(life: &Life) -> Vec<String> {
    life.world.published()
}

#[track_caller]
fn assert_same(trouble: Trouble, seed: u64) {
    let rule_sets = rule_sets();
    let events = company(seed, 9, 40);
    let mut straight = Life::new(seed, &rule_sets);
    straight.live(&events, Trouble::None);
    let mut troubled = Life::new(seed, &rule_sets);
    troubled.live(&events, trouble);
    let (expected, found) = (signals(&straight), signals(&troubled));
    assert!(expected.len() > 20, "seed {seed}: {} signals", expected.len());
    let missing: Vec<_> = expected.iter().filter(|line| found.binary_search(line).is_err()).collect();
    let surplus: Vec<_> = found.iter().filter(|line| expected.binary_search(line).is_err()).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "seed {seed}, {trouble:?}:\nmissing {missing:#?}\nsurplus {surplus:#?}");
    let (lines, states, _) = troubled.world.replayed();
    assert_eq!(lines, found, "seed {seed}, {trouble:?}: the replay of its own journal");
    assert!(states == states_in(&troubled.store), "seed {seed}, {trouble:?}: states");
}

#[test]
fn a_weekend_without_ingest_changes_no_signal() {
    for seed in [1, 2, 3] {
        assert_same(Trouble::IngestDown(20, 23), seed);
    }
}

#[test]
fn silence_is_noticed_once_across_restarts_from_empty_disks() {
    for seed in [4, 5] {
        assert_same(Trouble::ProcessingRestarts(10), seed);
    }
    assert_sixty_silent_days_are_noticed_once(Trouble::ProcessingRestarts(7));
}

#[test]
fn silence_is_noticed_once_across_rebalances() {
    for seed in [8, 9] {
        assert_same(Trouble::AnotherComesOrGoes(6), seed);
    }
    let life = assert_sixty_silent_days_are_noticed_once(Trouble::AnotherComesOrGoes(5));
    assert!(life.shared_turns > 100, "the second worker had its share: {}", life.shared_turns);
}

/// A company lives for 20 days, and then nothing happens.
fn assert_sixty_silent_days_are_noticed_once(trouble: Trouble) -> Life {
    let rule_sets = rule_sets();
    let mut life = Life::new(6, &rule_sets);
    life.live(&company(6, 6, 20), trouble);
    let raised = |line: &&String| line.contains("\"rule\":\"no-login-30d\"") && line.contains("signal.raised");
    let mut subjects: Vec<String> = life.world.published().iter().filter(raised).map(|line| subject(line)).collect();
    let count = subjects.len();
    subjects.dedup();
    assert!(count > 0 && subjects.len() == count, "each customer's silence is raised once: {count}");
    life
}

#[test]
fn a_clock_a_year_ahead_moves_nothing_and_is_seen() {
    let rule_sets = rule_sets();
    let events = company(7, 4, 20);
    let mut life = Life::new(7, &rule_sets);
    let ahead = Time(START.0 + 365 * DAY_MS);
    let first = events.first().expect("there are events");
    // The producer's clock stamps the record a year ahead; the event itself says when it happened.
    life.world.produce_one(INPUT, 0, first, ahead);
    life.live(&events[1..], Trouble::None);
    let mut straight = Life::new(7, &rule_sets);
    straight.live(&events, Trouble::None);
    let latest = |life: &Life| life.world.published().iter().map(|line| time(line)).max();
    assert_eq!(latest(&life), latest(&straight), "nothing is dated ahead");
    assert!(latest(&life).is_some_and(|latest| latest.as_str() < "2024-04"), "{:?}", latest(&life));
}

fn attribute(line: &str, name: &str) -> String {
    let (_, rest) = line.split_once(&format!("\"{name}\":\"")).expect("it is there");
    rest.split_once('"').expect("it ends").0.to_owned()
}

fn subject(line: &str) -> String {
    attribute(line, "subject")
}

fn time(line: &str) -> String {
    attribute(line, "time")
}
