//! Time as the ingest tells it: inputs that are not read, lag or fall silent, and clocks that are wrong, over simulated days.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bellwether_engine::event::{Body, Event, SubscriptionStep};
use bellwether_engine::time::{DAY_MS, HOUR_MS};
use bellwether_live::kafka::{BreakerLimits, Ingest, Processor, RuleSets, Safekeeping};
use bellwether_live::metrics::Metrics;
use bellwether_store::Store;
use bellwether_tests::company::{START, company};
use bellwether_tests::machine::Machine;
use bellwether_tests::world::{INPUT, INPUT_PARTITIONS, SECOND_INPUT, World, rule_sets, states_in, store_in};
use tempfile::TempDir;

const DAYS: i64 = 85;
const STEP_MS: i64 = 2 * HOUR_MS;
const YEAR_MS: i64 = 365 * DAY_MS;

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
    /// The ingest starts anew every so many days.
    IngestRestarts(i64),
    /// A second ingest comes, takes over its share of the inputs, and goes again, every so many days.
    AnotherIngestComesOrGoes(i64),
    /// From one day to another producers stamp their records a year ahead. The events say when they happened.
    StampsAhead(i64, i64),
    /// From one day to another a second producer repeats all events, in the belief that it is a year later.
    EventsAhead(i64, i64),
    /// From one day to another the ingest believes that it is a year later. Then its clock is set right, while it runs.
    IngestAhead(i64, i64),
    /// The same, but it starts anew with the clock that is right.
    IngestAheadUntilRestart(i64, i64),
}

/// A company lived through in simulated time: each event is produced when it happens.
struct Life {
    world: World,
    store: Arc<Store>,
    _directory: TempDir,
    ingest: Option<Ingest>,
    processor: Option<Processor>,
    second: Option<(Machine, Processor)>,
    second_ingest: Option<Ingest>,
    /// Times that an ingest came anew.
    ingests: u32,
    /// Turns in which the second worker owned something.
    shared_turns: u32,
    /// What the first processing worker tells.
    metrics: Arc<Metrics>,
    /// Records stamped ahead, and events dated ahead, that were produced.
    ahead: u64,
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
            second_ingest: None,
            ingests: 0,
            shared_turns: 0,
            metrics: Arc::new(Metrics::new()),
            ahead: 0,
        }
    }

    fn live(&mut self, events: &[Event<'_>], trouble: Trouble) {
        let mut coming = events.iter().zip(0..).peekable();
        let mut now = START.0;
        while now < START.0 + DAYS * DAY_MS {
            now += STEP_MS;
            self.world.cluster.set_now_ms(now);
            while let Some((event, number)) = coming.next_if(|(event, _)| event.time.0 <= now) {
                self.produce(event, number % INPUT_PARTITIONS, trouble);
            }
            self.work(trouble, (now - START.0) / DAY_MS, now);
        }
        assert!(coming.peek().is_none(), "all events were produced");
        self.second = None;
        self.second_ingest = None;
        for _ in 0..400 {
            now += 61_000;
            self.world.cluster.set_now_ms(now);
            self.work(Trouble::None, DAYS, now);
        }
        assert!(self.world.is_processed());
    }

    fn produce(&mut self, event: &Event<'_>, partition: i32, trouble: Trouble) {
        let (topic, day, a_year_later) = (topic_of(event), (event.time.0 - START.0) / DAY_MS, event.time.plus_ms(YEAR_MS));
        match trouble {
            Trouble::StampsAhead(from, to) if (from..to).contains(&day) => {
                self.ahead += 1;
                return self.world.produce_one(topic, partition, event, a_year_later);
            }
            Trouble::EventsAhead(from, to) if (from..to).contains(&day) => {
                self.ahead += 1;
                let ahead = Event { time: a_year_later, id: format!("{}-ahead", event.id).into(), ..event.clone() };
                self.world.produce_one(topic, partition, &ahead, a_year_later);
            }
            _ => {}
        }
        self.world.produce_one(topic, partition, event, event.time);
    }

    fn change_ingests(&mut self, trouble: Trouble, now: i64) {
        let is_due = |days: i64| (now - START.0) % (days * DAY_MS) == 0;
        match trouble {
            Trouble::IngestRestarts(days) if is_due(days) => self.ingest = None,
            Trouble::AnotherIngestComesOrGoes(days) if is_due(days) => {
                let second = || self.world.ingest("i-second", 500, BreakerLimits::default()).expect("nothing is planned");
                self.second_ingest = if self.second_ingest.is_none() { Some(second()) } else { None };
            }
            _ => return,
        }
        self.ingests += 1;
    }

    fn work(&mut self, trouble: Trouble, day: i64, now: i64) {
        let is_ahead = match trouble {
            Trouble::IngestAhead(from, to) | Trouble::IngestAheadUntilRestart(from, to) => (from..to).contains(&day),
            _ => false,
        };
        self.change_ingests(trouble, now);
        let before_ms = self.world.ingest_clock_ahead_ms.swap(if is_ahead { YEAR_MS } else { 0 }, Ordering::Relaxed);
        match trouble {
            Trouble::IngestDown(from, to) if (from..to).contains(&day) => self.ingest = None,
            Trouble::IngestAheadUntilRestart(..) if before_ms > 0 && !is_ahead => self.ingest = None,
            _ => {
                let world = &self.world;
                let ingest =
                    self.ingest.get_or_insert_with(|| world.ingest("i", 500, BreakerLimits::default()).expect("nothing is planned"));
                // A step is long: what came in it is read, and then its end is told.
                for _ in 0..4 {
                    ingest.turn().expect("nothing is planned");
                    if let Some(second) = &mut self.second_ingest {
                        second.turn().expect("nothing is planned");
                    }
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
        let (safekeeping, metrics) = (Arc::<Safekeeping>::default(), &self.metrics);
        let start = || world.processor_with("p", store, 200, &safekeeping, metrics).expect("nothing is planned");
        let processor = self.processor.get_or_insert_with(start);
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
fn assert_same(trouble: Trouble, seed: u64) -> Life {
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
    troubled
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

#[test]
fn silence_is_noticed_once_across_restarts_and_rebalances_of_the_ingest() {
    for trouble in [Trouble::IngestRestarts(3), Trouble::AnotherIngestComesOrGoes(4)] {
        assert_same(trouble, 7);
        let life = assert_sixty_silent_days_are_noticed_once(trouble);
        assert!(life.ingests > 10, "{trouble:?}: {}", life.ingests);
    }
}

/// A company lives for 20 days, and then nothing happens.
fn assert_sixty_silent_days_are_noticed_once(trouble: Trouble) -> Life {
    let rule_sets = rule_sets();
    let events = company(6, 6, 20);
    let mut life = Life::new(6, &rule_sets);
    life.live(&events, trouble);
    let published = life.world.published();
    let is_raised = |line: &&String| attribute(line, "rule") == "no-login-30d" && line.contains("signal.raised");
    let mut raised: Vec<String> = published.iter().filter(is_raised).map(|line| attribute(line, "subject")).collect();
    raised.sort_unstable();
    assert_eq!(raised, silent_customers(&events).into_iter().collect::<Vec<_>>(), "each customer's silence is raised once");
    let (lines, states, _) = life.world.replayed();
    assert!(lines == published, "{trouble:?}: the replay of its own journal");
    assert!(states == states_in(&life.store), "{trouble:?}: states");
    life
}

/// Who has logged in, and neither left nor did so again for long.
fn silent_customers(events: &[Event<'_>]) -> BTreeSet<String> {
    let of = |wanted: fn(&Body<'_>) -> bool| events.iter().filter(move |event| wanted(&event.body)).map(|event| event.customer.to_string());
    let left: BTreeSet<String> = of(|body| matches!(body, Body::Subscription { step: SubscriptionStep::Ended, .. })).collect();
    of(|body| matches!(body, Body::Login { ok: true, .. })).filter(|customer| !left.contains(customer)).collect()
}

#[test]
fn records_stamped_a_year_ahead_change_no_signal_and_are_counted() {
    for seed in [1, 2, 3] {
        let life = assert_same(Trouble::StampsAhead(20, 23), seed);
        assert!(life.ahead > 20, "seed {seed}: {}", life.ahead);
        assert_eq!(counted(&life.world.ingest_metrics, "arrivals_ahead_total"), life.ahead, "seed {seed}");
        assert_eq!(counted(&life.world.ingest_metrics, "rejected_total"), 0, "seed {seed}");
    }
}

#[test]
fn events_dated_a_year_ahead_with_their_records_are_refused_and_counted() {
    for seed in [1, 2, 3] {
        let life = assert_same(Trouble::EventsAhead(20, 23), seed);
        assert!(life.ahead > 20, "seed {seed}: {}", life.ahead);
        assert_eq!(counted(&life.world.ingest_metrics, "arrivals_ahead_total"), life.ahead, "seed {seed}");
        assert_eq!(counted(&life.world.ingest_metrics, "rejected_total{reason=\"future_dated\""), life.ahead, "seed {seed}");
    }
}

#[test]
fn an_ingest_a_year_ahead_for_a_while_changes_no_signal_and_is_counted() {
    for trouble in [Trouble::IngestAhead(20, 23), Trouble::IngestAheadUntilRestart(20, 23)] {
        for seed in [1, 2, 3] {
            let life = assert_same(trouble, seed);
            assert!(counted(&life.metrics, "watermarks_ahead_total") > 0, "seed {seed}, {trouble:?}: its watermarks are counted");
        }
    }
}

/// The sum of all series that begin in this way.
fn counted(metrics: &Metrics, series: &str) -> u64 {
    let page = metrics.render();
    let lines = page.lines().filter(|line| line.starts_with(&format!("bellwether_{series}")));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

fn attribute(line: &str, name: &str) -> String {
    let (_, rest) = line.split_once(&format!("\"{name}\":\"")).expect("it is there");
    rest.split_once('"').expect("it ends").0.to_owned()
}
