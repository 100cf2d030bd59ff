//! An ingest worker that is stopped after, or stalls before, each single step of the protocol: every record is taken in once.

use std::sync::{Arc, Mutex};

use bellwether_engine::time::DAY_MS;
use bellwether_kafka::memory::{Fault, Message, Plan};
use bellwether_live::kafka::{BreakerLimits, RuleSets};
use bellwether_tests::company::{START, company};
use bellwether_tests::world::{INGEST_GROUP, INPUT, SECOND_INPUT, World, rule_sets};

use crate::ingest::{Restarting, outcome, until_taken_in};
use crate::sweeps::{Happened, Meanwhile, assert_everything_happened, for_all_seeds, lost_by_turns, told};

const DAYS: u64 = 16;

/// A store is nothing that ingest workers have: it does not matter in which process the other one is.
const MEANWHILE: [Meanwhile; 4] = [Meanwhile::TakenOver, Meanwhile::Succeeded, Meanwhile::Joined, Meanwhile::Bumped];

/// Inputs that are written once, and taken in again and again.
struct Written {
    world: World,
    /// Ids of the events, and how many records are none.
    expected: (Vec<String>, usize),
    /// The messages of a run without a fault; each is a step.
    messages: Vec<Message>,
}

impl Written {
    fn new(seed: u64, rule_sets: &Arc<RuleSets>) -> Self {
        let world = World::new(seed, rule_sets);
        let events = company(seed, 2, DAYS);
        world.cluster.set_now_ms(START.0 + (DAYS as i64 + 1) * DAY_MS);
        let (some, others) = events.split_at(events.len() / 2);
        world.produce(some);
        let bad = [(0, &b"{"[..]), (1, b"[]")];
        for (partition, value) in bad {
            world.cluster.append(INPUT, Some(partition), (None, Some(value)), &[], START.0).expect("the topic is there");
        }
        world.produce_to(SECOND_INPUT, 1, others);
        let mut ids: Vec<String> = events.iter().map(|event| event.id.to_string()).collect();
        ids.sort_unstable();
        let written = Self { world, expected: (ids, bad.len()), messages: Vec::new() };
        let messages = written.live(Plan::default(), "straight").cluster.messages("a");
        Self { messages, ..written }
    }

    /// Lets a worker take it in that starts again whenever it dies.
    fn live(&self, plan: Plan, context: &str) -> World {
        let world = self.world.copy();
        world.cluster.set_plan(plan);
        let mut worker = starting("a");
        until_taken_in(&world, context, || worker.turn(&world));
        assert_eq!(outcome(&world), self.expected, "{context}");
        world
    }

    /// The same with another worker that takes over, joins, or comes and goes while the first one stalls. Returns the messages at which it
    /// did, and whether the other has committed something meanwhile.
    fn live_stalled(&self, step: usize, meanwhile: Meanwhile, times_out: bool, context: &str) -> (Vec<Message>, bool) {
        let world = Arc::new(self.world.copy());
        // The other worker, whether it is at work, and whether it has gone on.
        let other = Arc::new(Mutex::new((starting(meanwhile.other_name()), false, false)));
        let (hooked, seen) = (other.clone(), world.clone());
        world.cluster.set_plan(Plan::default().pause("a", step, move |cluster| {
            let (worker, is_at_work, has_gone_on) = &mut *hooked.lock().expect("nobody panicked");
            *is_at_work = meanwhile != Meanwhile::Bumped;
            let turn = || _ = worker.turn(&seen);
            *has_gone_on = meanwhile.happen(cluster, INGEST_GROUP, &[INPUT, SECOND_INPUT], times_out, turn);
        }));
        let mut stalling = Some(starting("a"));
        until_taken_in(&world, context, || {
            let mut read = stalling.as_mut().map_or(0, |worker| worker.turn(&world));
            let (worker, is_at_work, _) = &mut *other.lock().expect("nobody panicked");
            if *is_at_work {
                // Two of one name fence each other for ever: the one that stalled ends when it notices.
                stalling = stalling.take().filter(|_| meanwhile != Meanwhile::Succeeded);
                read += worker.turn(&world);
            }
            read
        });
        assert_eq!(outcome(&world), self.expected, "{context}");
        let has_gone_on = other.lock().expect("nobody panicked").2;
        (world.cluster.fired().iter().map(|fired| fired.message).collect(), has_gone_on)
    }
}

fn starting(name: &'static str) -> Restarting {
    Restarting(name, None, BreakerLimits::default())
}

#[test]
fn a_failure_at_each_step_takes_every_record_in_once() {
    let rule_sets = rule_sets();
    let happened = for_all_seeds(|seed| {
        let written = Written::new(seed, &rule_sets);
        let mut happened = Happened::new();
        for (message, step) in written.messages.iter().zip(1..) {
            for fault in [Fault::Crash, lost_by_turns(seed, step)] {
                let context = format!("seed {seed}, step {step} of {}, {message:?}, {fault:?}", written.messages.len());
                let fired = told(&context, || written.live(Plan::default().at("a", step, fault), &context).cluster.fired());
                let [fired] = &fired[..] else { panic!("{context}: one fault, not {fired:?}") };
                assert_eq!((fired.message, fired.fault), (*message, fault), "{context}");
                *happened.entry((*message, fault)).or_default() += 1;
            }
        }
        happened
    });
    assert_everything_happened(&happened, &[(Fault::Crash, 1), (Fault::LoseRequest, 3), (Fault::LoseResponse, 3)]);
}

#[test]
fn a_worker_that_stalls_at_each_step_takes_every_record_in_once() {
    let rule_sets = rule_sets();
    let happened = for_all_seeds(|seed| {
        let written = Written::new(seed, &rule_sets);
        let mut happened = Happened::new();
        for (message, step) in written.messages.iter().zip(1..) {
            let meanwhile = Meanwhile::by_turns(&MEANWHILE, seed, step);
            // Turns of another length, so that each way of taking over meets both.
            let times_out = ((seed as usize + step) / MEANWHILE.len()).is_multiple_of(2);
            let context =
                format!("seed {seed}, step {step} of {}, {message:?}, {meanwhile:?}, timed out: {times_out}", written.messages.len());
            let (stalled_at, has_gone_on) = told(&context, || written.live_stalled(step, meanwhile, times_out, &context));
            assert_eq!(stalled_at, [*message], "{context}");
            *happened.entry((*message, (meanwhile, false))).or_default() += 1;
            *happened.entry((*message, (meanwhile, true))).or_default() += usize::from(has_gone_on);
        }
        happened
    });
    assert_everything_happened(&happened, &MEANWHILE.map(|meanwhile| ((meanwhile, false), 5)));
    // Where offsets are pending, the other goes on if they are timed out.
    assert_everything_happened(&happened, &[Meanwhile::TakenOver, Meanwhile::Succeeded].map(|meanwhile| ((meanwhile, true), 5)));
}
