//! A processing worker that is stopped after each single step of the protocol: what is published, and the bytes of the states, are the replay.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use bellwether_engine::event::{Body, CancellationStep, Event};
use bellwether_engine::time::{DAY_MS, HOUR_MS};
use bellwether_kafka::memory::{Fault, Fired, Message, Plan, Record};
use bellwether_kafka::{CommittedOffset, TopicPartition};
use bellwether_live::kafka::RuleSets;
use bellwether_live::options::BatchLimits;
use bellwether_store::Store;
use bellwether_tests::company::{START, company};
use bellwether_tests::world::{PARTITIONS, PROCESS_GROUP, World, journal_partition, rule_sets};

use crate::processing::{Expected, Restarting, process, world_of};
use crate::sweeps::{Disk, Disks, Happened, assert_everything_happened, for_all_seeds, lost_by_turns, told};

/// More steps than a run has.
const MAX_STEPS: usize = 1_000;

/// Days on which something happens, and others after them.
const DAYS: u64 = 9;
const SILENT_DAYS: i64 = 6;
const CUSTOMERS: u64 = 2;

/// With one seed in so many a transaction has room for so few reviews that some end between two of them.
const SEEDS_OF_FEW_REVIEWS: u64 = 25;
const FEW_REVIEWS: u64 = 2;

/// With one seed in so many each commit is written to the store at once; with the others changes wait there for later commits.
const SEEDS_WRITTEN_AT_ONCE: u64 = 4;

/// A company so small that little is to be done for each step, and where there is something to signal all the same.
fn events(seed: u64) -> Vec<Event<'static>> {
    let mut events = company(seed, CUSTOMERS, DAYS);
    let of_customer = |customer: u64| events.iter().find(|event| *event.customer == *format!("c-{customer}")).expect("it has events");
    let viewed = |customer: u64, day: i64| Event {
        id: format!("viewed-{customer}-{day}").into(),
        time: START.plus_ms(day * DAY_MS + 20 * HOUR_MS + customer as i64),
        body: Body::Cancellation { step: CancellationStep::Viewed, user: None, reason: None, effective: None },
        ..of_customer(customer).clone()
    };
    let viewed: Vec<_> = (0..CUSTOMERS).flat_map(|customer| [viewed(customer, 2), viewed(customer, 7)]).collect();
    events.extend(viewed);
    events.sort_by(|one, other| (one.time, &one.customer, &one.id).cmp(&(other.time, &other.customer, &other.id)));
    events
}

/// A small world: its journal is written once, replayed once, and processed again and again.
pub struct Written {
    pub world: World,
    pub expected: Expected,
    /// The messages of a run without a fault; each is a step.
    pub messages: Vec<Message>,
    /// Of the lives that are lived in it.
    pub disks: Disks,
}

impl Written {
    pub fn new(seed: u64, rule_sets: &Arc<RuleSets>) -> Self {
        let end = START.plus_ms((DAYS as i64 + SILENT_DAYS) * DAY_MS);
        let mut world = world_of(seed, rule_sets, CUSTOMERS, events(seed), end);
        let has_few_reviews = seed.is_multiple_of(SEEDS_OF_FEW_REVIEWS);
        world.batch_limits = BatchLimits { records: 60, reviews: if has_few_reviews { FEW_REVIEWS } else { 60 } };
        let writes_behind = !seed.is_multiple_of(SEEDS_WRITTEN_AT_ONCE);
        if writes_behind {
            world.write_behind();
        }
        let written = Self { expected: Expected::of(&world), world, messages: Vec::new(), disks: Disks::default() };
        let cuts = written.cuts();
        assert!(cuts.len() > PARTITIONS as usize, "a change of rules in each partition, and a late record: {cuts:?}");
        // What is committed is looked at before each step.
        let seen: Arc<Mutex<BTreeMap<(TopicPartition, u64), usize>>> = Arc::default();
        let within_reviews: Arc<AtomicBool> = Arc::default();
        let (disk, behind) = (written.disks.take(), Arc::new(Mutex::new(Behind::default())));
        let look = |plan: Plan, step: usize| {
            let (seen, cuts, within_reviews) = (seen.clone(), cuts.clone(), within_reviews.clone());
            let (disk, behind) = (disk.clone(), behind.clone());
            plan.pause("a", step, move |cluster| {
                let committed = cluster.committed_offsets(PROCESS_GROUP);
                behind.lock().expect("nobody panicked").look(&committed, &disk.store);
                let is_there = |(at, offset): &&(TopicPartition, u64)| committed.get(at).is_some_and(|found| found.offset == *offset);
                if committed.values().any(|found| found.metadata.contains("\"review\"")) {
                    within_reviews.store(true, Ordering::Relaxed);
                }
                let mut seen = seen.lock().expect("nobody panicked");
                cuts.iter().filter(is_there).for_each(|cut| _ = seen.entry(cut.clone()).or_insert(step));
            })
        };
        let straight = written.live_on(&disk, (1..=MAX_STEPS).fold(Plan::default(), look), "straight");
        let most = behind.lock().expect("nobody panicked").most_commits;
        assert!(if writes_behind { most > 1 } else { most <= 1 }, "the store is behind by {most} commits at most");
        assert!(!seen.lock().expect("nobody panicked").is_empty(), "a transaction ends before one of {cuts:?}");
        assert!(!has_few_reviews || within_reviews.load(Ordering::Relaxed), "a transaction ends between two reviews");
        let messages = straight.cluster.messages("a");
        assert!(messages.len() < MAX_STEPS, "each step was looked at");
        Self { messages, ..written }
    }

    /// Lets a worker process it that starts again whenever it dies.
    fn live(&self, plan: Plan, context: &str) -> World {
        self.live_on(&self.disks.take(), plan, context)
    }

    fn live_on(&self, disk: &Arc<Disk>, plan: Plan, context: &str) -> World {
        let world = self.world.copy();
        world.cluster.set_plan(plan);
        process(&world, &disk.store, &mut [Restarting::new("a")], context);
        self.expected.assert_published(&world, context);
        self.expected.assert_states(&disk.store, &(0..PARTITIONS).collect(), context);
        assert!(world.tombstones() > 0, "{context}: a customer is erased");
        self.disks.put_back(disk);
        world
    }

    /// Where the other rules stand in each partition, and where the late record stands.
    fn cuts(&self) -> Vec<(TopicPartition, u64)> {
        let mut cuts = Vec::new();
        for at in (0..PARTITIONS).map(journal_partition) {
            let is_one = |record: &&Record| {
                let text = String::from_utf8_lossy(record.value.as_deref().unwrap_or_default());
                let is_rules = record.headers.iter().any(|(name, value)| name == "control" && value.as_deref() == Some(b"rules.published"));
                is_rules && text.contains("\"number\":2") || text.contains("\"id\":\"late\"")
            };
            cuts.extend(self.world.records(&at).iter().filter(is_one).map(|record| (at.clone(), record.offset)));
        }
        cuts
    }
}

/// How many commits a store is behind, as seen from time to time.
#[derive(Default)]
struct Behind {
    commits: BTreeMap<TopicPartition, BTreeSet<u64>>,
    most_commits: usize,
}

impl Behind {
    fn look(&mut self, committed: &BTreeMap<TopicPartition, CommittedOffset>, store: &Store) {
        for (at, committed) in committed {
            let commits = self.commits.entry(at.clone()).or_default();
            commits.insert(committed.offset);
            let stands = store.header(at.partition as u16).expect("it is read").map_or(0, |header| header.position.offset);
            self.most_commits = self.most_commits.max(commits.range(stands + 1..).count());
        }
    }
}

#[test]
fn a_failure_at_each_step_changes_nothing() {
    let rule_sets = rule_sets();
    let happened = for_all_seeds(|seed| {
        let written = Written::new(seed, &rule_sets);
        let mut happened = Happened::new();
        for (message, step) in written.messages.iter().zip(1..) {
            for fault in [Fault::Crash, lost_by_turns(seed, step)] {
                let context = format!("seed {seed}, step {step} of {}, {message:?}, {fault:?}", written.messages.len());
                let lived = told(&context, || written.live(Plan::default().at("a", step, fault), &context));
                let expected = Fired { client_id: "a".to_owned(), step, message: *message, fault };
                assert_eq!(lived.cluster.fired(), [expected], "{context}");
                *happened.entry((*message, fault)).or_default() += 1;
            }
        }
        happened
    });
    assert_everything_happened(&happened, &[(Fault::Crash, 1), (Fault::LoseRequest, 3), (Fault::LoseResponse, 3)]);
}
