//! Processing workers that crash, lose messages and come back: what they publish is the replay.

use std::collections::BTreeSet;
use std::sync::Arc;

use bellwether_codec::state::decode_customer;
use bellwether_engine::event::{Body, Event};
use bellwether_engine::time::{DAY_MS, Time};
use bellwether_kafka::memory::{Fault, Plan};
use bellwether_live::error::LiveError;
use bellwether_live::kafka::{Processor, RuleSets};
use bellwether_live::metrics::Metrics;
use bellwether_store::Store;
use bellwether_tests::company::{START, company};
use bellwether_tests::world::{
    LatestHealth, PARTITIONS, PROCESS_GROUP, States, World, journal_partition, pack, rule_sets, states_in, store_in,
};
use tempfile::TempDir;

const DAYS: u64 = 70;
const MAX_TURNS: usize = 2_000;

/// A journal of a small company, written beforehand; its clock stands at the end.
fn world(seed: u64, rule_sets: &Arc<RuleSets>) -> World {
    world_of(seed, rule_sets, 5, company(seed, 5, DAYS), Time(START.0 + (DAYS as i64 + 40) * DAY_MS))
}

/// A journal of these events of so many customers, up to an end. In the middle come other rules, and a customer is erased.
pub fn world_of(seed: u64, rule_sets: &Arc<RuleSets>, customers: u64, mut events: Vec<Event<'static>>, end: Time) -> World {
    let world = World::new(seed, rule_sets);
    world.cluster.set_now_ms(end.0);
    let middle = events.len() / 2;
    let erasure =
        Event { id: "erasure".into(), customer: format!("c-{}", seed % customers).into(), body: Body::Erased, ..events[middle].clone() };
    events.insert(middle + 1, erasure);
    let (before, after) = events.split_at(middle);
    world.journal(before, after[0].time);
    // A rule set that is not higher is ignored, and an event comes late.
    world.publish_rules(2, &other_rules());
    world.publish_rules(2, pack());
    let late: Vec<_> = before.iter().rev().nth(3).cloned().map(|event| Event { id: "late".into(), ..event }).into_iter().collect();
    world.journal(&late, after[0].time);
    world.journal(after, end);
    world
}

/// The same rules with other grades, and with a name that is gone.
pub fn other_rules() -> String {
    let (grades, other_grades) = ("grades: { amber: 40, green: 70 }", "grades: { amber: 60, green: 85 }");
    let (name, other_name) = ("no-login-30d", "no-login");
    assert!(pack().contains(grades) && pack().contains(name));
    pack().replace(grades, other_grades).replace(name, other_name)
}

/// A worker that starts again whenever it dies.
pub struct Restarting {
    name: &'static str,
    worker: Option<Processor>,
    deaths: usize,
}

impl Restarting {
    pub fn new(name: &'static str) -> Self {
        Self { name, worker: None, deaths: 0 }
    }

    /// Ends it, in good order.
    pub fn stop(&mut self) {
        self.worker = None;
    }

    pub fn turn(&mut self, world: &World, store: &Arc<Store>) -> usize {
        if self.worker.is_none() {
            self.worker = world.processor(self.name, store, 40).ok();
        }
        let Some(worker) = &mut self.worker else { return 1 };
        match worker.turn() {
            Ok(read) => read,
            Err(LiveError::Kafka(error)) if error.cause.contains("crashed by the plan") => {
                self.worker = None;
                self.deaths += 1;
                world.cluster.expire(self.name);
                1
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// Lets the workers take turns until all is processed.
pub fn process(world: &World, store: &Arc<Store>, workers: &mut [Restarting], context: &str) {
    until_processed(world, context, || workers.iter_mut().map(|worker| worker.turn(world, store)).sum());
}

/// Lets workers take turns, each of which tells how much was read, until all is processed.
pub fn until_processed(world: &World, context: &str, mut turn: impl FnMut() -> usize) {
    let mut quiet = 0;
    for _ in 0..MAX_TURNS {
        let read = turn();
        world.cluster.tick();
        quiet = if read == 0 && world.is_processed() { quiet + 1 } else { 0 };
        if quiet > 3 {
            return;
        }
    }
    let (owners, committed) = (world.cluster.owners(PROCESS_GROUP), world.cluster.committed_offsets(PROCESS_GROUP));
    panic!("{context}: the workers do not come to an end; owners {owners:?}, committed {committed:?}");
}

/// What the journal of a world comes to, whatever happens to the workers.
pub struct Expected {
    lines: Vec<String>,
    states: States,
    health: LatestHealth,
    erased: Vec<(String, Time)>,
    /// Whether a customer may have no timer though a review is due: it was left out.
    leaves_out: bool,
}

impl Expected {
    pub fn of(world: &World) -> Self {
        let (lines, states, health) = world.replayed();
        assert!(!lines.is_empty(), "the company gives signals");
        let leaves_out = world.poisoned.from_rule_set > 0;
        Self { lines, states, health, erased: world.erased(), leaves_out }
    }

    /// Each signal is published once, and the latest health of each customer.
    #[track_caller]
    pub fn assert_published(&self, world: &World, context: &str) {
        let published = world.published_but(&self.erased);
        assert_eq!(published.len(), self.lines.len(), "{context}: signals published and replayed");
        assert_eq!(published, self.lines, "{context}");
        let mut latest = world.latest_health();
        latest.retain(|_, record| record.is_some());
        assert_eq!(latest, self.health, "{context}: the latest health of each customer");
    }

    /// A store has the states of these partitions, byte for byte.
    #[track_caller]
    pub fn assert_states(&self, store: &Store, partitions: &BTreeSet<u16>, context: &str) {
        let of_these = |states: &States| -> States {
            states.iter().filter(|((number, _), _)| partitions.contains(number)).map(|(key, bytes)| (*key, bytes.clone())).collect()
        };
        let (stored, replayed) = (of_these(&states_in(store)), of_these(&self.states));
        if stored == replayed {
            partitions.iter().for_each(|number| self.assert_timers(store, *number, context));
            return;
        }
        assert_eq!(stored.len(), replayed.len(), "{context}: states");
        for (key, bytes) in &stored {
            let [stored, replayed] = [bytes, &replayed[key]].map(|bytes| decode_customer(bytes).expect("a state decodes"));
            assert_eq!(stored, replayed, "{context}: the state of {key:?}");
        }
        panic!("{context}: the bytes of the states in the store differ from those of the replay");
    }

    /// A store has a timer for each customer that is to be reviewed, and no others.
    #[track_caller]
    fn assert_timers(&self, store: &Store, number: u16, context: &str) {
        let timers: BTreeSet<(i64, u128)> = store.timers(number).collect::<Result<_, _>>().expect("the store reads");
        let of_this = self.states.iter().filter(|((partition, _), _)| *partition == number);
        let due = of_this.map(|((_, key), bytes)| (decode_customer(bytes).expect("a state decodes").next_review(), *key));
        let due: BTreeSet<(i64, u128)> = due.filter(|(due, _)| *due != Time::NEVER).map(|(due, key)| (due.0, key)).collect();
        assert!(
            timers.is_subset(&due) && (self.leaves_out || timers == due),
            "{context}: the timers of partition {number}: {timers:?}, {due:?}"
        );
    }
}

#[track_caller]
pub fn assert_as_replayed(world: &World, store: &Store, context: &str) {
    let expected = Expected::of(world);
    expected.assert_published(world, context);
    expected.assert_states(store, &(0..PARTITIONS).collect(), context);
}

pub fn run(seed: u64, plan: Plan, rule_sets: &Arc<RuleSets>, context: &str) -> (World, usize) {
    let mut world = world(seed, rule_sets);
    if seed.is_multiple_of(2) {
        world.write_behind();
    }
    world.cluster.set_plan(plan);
    let directory = TempDir::new().expect("a directory");
    let store = store_in(directory.path());
    let mut workers = [Restarting::new("a")];
    process(&world, &store, &mut workers, context);
    assert_as_replayed(&world, &store, context);
    assert!(world.tombstones() > 0, "{context}: a customer is erased");
    (world, workers[0].deaths)
}

#[test]
fn a_straight_run_is_the_replay() {
    let (world, deaths) = run(1, Plan::default(), &rule_sets(), "straight");
    assert_eq!((world.cluster.fired().len(), deaths), (0, 0));
    assert!(world.cluster.steps("a") > 100, "the run has many steps");
}

#[test]
fn a_store_is_behind_by_what_may_wait_and_by_nothing_once_there_is_nothing_to_read() {
    // One customer: its changes are few, however many records there are.
    const MANY_DAYS: u64 = 10 * DAYS;
    let mut world = world_of(3, &rule_sets(), 1, company(3, 1, MANY_DAYS), START.plus_ms(MANY_DAYS as i64 * DAY_MS));
    world.write_behind();
    let limit = world.write_behind.max_partition_changes as u64;
    let longest = (0..PARTITIONS).map(|number| world.records(&journal_partition(number)).len()).max();
    assert!(longest > Some(10 * limit as usize), "there are {longest:?} records in a partition");
    let directory = TempDir::new().expect("a directory");
    let store = store_in(directory.path());
    let behind = || {
        let stands = |number: u16| store.header(number).expect("it is read").map_or(0, |header| header.position.offset);
        let committed = world.cluster.committed_offsets(PROCESS_GROUP);
        committed.iter().map(|(at, committed)| committed.offset.saturating_sub(stands(at.partition as u16))).max().unwrap_or_default()
    };
    let mut worker = world.processor("a", &store, 40).expect("nothing is planned");
    let mut most = 0;
    for _ in 0..MAX_TURNS {
        let read = worker.turn().expect("nothing is planned");
        world.cluster.tick();
        most = most.max(behind());
        if read == 0 && world.is_processed() {
            break;
        }
    }
    assert!(world.is_processed());
    assert!(most > 0 && most < limit, "behind by {most} at most, of {limit}");
    assert_eq!(behind(), 0, "there is nothing to read");
}

#[test]
fn a_process_is_ready_when_each_worker_has_its_share_even_if_it_is_nothing() {
    let world = world(9, &rule_sets());
    let directory = TempDir::new().expect("a directory");
    let (store, metrics) = (store_in(directory.path()), Arc::new(Metrics::new()));
    let readers = &metrics.readers;
    let count = PARTITIONS as usize + 1;
    readers.opened(&store, PARTITIONS, count);
    assert!(!readers.are_ready() && readers.are_unassigned(), "nobody has asked the group yet");
    let names: Vec<String> = (0..count).map(|number| format!("worker-{number}")).collect();
    let start = |name: &String| world.processor_with(name, &store, 40, &Arc::default(), &metrics).expect("nothing is planned");
    let mut workers: Vec<Processor> = names.iter().map(start).collect();
    let (last, others) = workers.split_last_mut().expect("there are some");
    let turn = |worker: &mut Processor| {
        worker.turn().expect("it works");
        world.cluster.tick();
    };
    for _ in 0..MAX_TURNS {
        others.iter_mut().for_each(turn);
        if world.is_processed() {
            break;
        }
    }
    assert!(world.is_processed());
    let owned = |number: usize| {
        let owners = world.cluster.owners(PROCESS_GROUP);
        owners.iter().filter(|(name, _)| *name == names[number]).map(|(_, owned)| owned.len()).sum::<usize>()
    };
    assert!((0..count - 1).all(|number| owned(number) == 1), "each of the others has a partition");
    assert!(!readers.are_ready() && !readers.are_unassigned(), "the last one has not asked");
    turn(last);
    assert_eq!((owned(count - 1), readers.are_ready()), (0, true));
    // A member that is given up may come back with anything.
    assert!(world.cluster.expire(&names[0]));
    turn(&mut others[0]);
    assert!(!readers.are_ready());
    (0..20).for_each(|_| others.iter_mut().for_each(turn));
    assert!(readers.are_ready());
}

#[test]
fn faults_at_random_change_nothing() {
    let rule_sets = rule_sets();
    let mut fired = 0;
    let faults = [Fault::Crash, Fault::LoseRequest, Fault::LoseResponse];
    for seed in 0..60 {
        let context = format!("seed {seed}, one step in 25 fails");
        let (world, _) = run(seed, Plan::seeded(seed, 25, &faults), &rule_sets, &context);
        fired += world.cluster.fired().len();
    }
    assert!(fired > 200, "{fired} faults happened");
}
