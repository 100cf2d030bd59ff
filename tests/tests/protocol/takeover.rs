//! A processing worker that stalls before each single step of the protocol, while others take over, join, or come and go.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use bellwether_kafka::TopicPartition;
use bellwether_kafka::memory::{Message, Plan};
use bellwether_tests::world::{PARTITIONS, PROCESS_GROUP, World, rule_sets};

use crate::processing::{Restarting, until_processed};
use crate::sweep::Written;
use crate::sweeps::{Disk, Disks, Happened, Meanwhile, assert_everything_happened, for_all_seeds, told};

const MEANWHILE: [Meanwhile; 5] =
    [Meanwhile::TakenOver, Meanwhile::TakenOverElsewhere, Meanwhile::Succeeded, Meanwhile::Joined, Meanwhile::Bumped];

/// The worker that is there when the other stalls.
struct Other {
    world: Arc<World>,
    disk: Arc<Disk>,
    worker: Restarting,
    is_at_work: bool,
    /// Whether it has committed something while the other stalled.
    has_gone_on: bool,
}

impl Other {
    fn new(world: &Arc<World>, disk: &Arc<Disk>, disks: &Disks, meanwhile: Meanwhile) -> Self {
        let (world, disk) = match meanwhile {
            Meanwhile::TakenOver => (world.clone(), disk.clone()),
            _ => (Arc::new(world.of_another_process()), disks.take()),
        };
        Self { world, disk, worker: Restarting::new(meanwhile.other_name()), is_at_work: false, has_gone_on: false }
    }

    fn turn(&mut self) -> usize {
        self.worker.turn(&self.world, &self.disk.store)
    }
}

/// How a life was in which a worker stalled.
struct Lived {
    stalled_at: Vec<Message>,
    has_other_gone_on: bool,
    /// What the worker has sent.
    messages: Vec<Message>,
}

/// Whether every partition has an owner whose store has come as far as what is committed.
fn is_settled(world: &World, disk: &Disk, other: &Other, meanwhile: Meanwhile) -> bool {
    let committed = world.cluster.committed_offsets(PROCESS_GROUP);
    let mut settled = BTreeSet::new();
    for (name, partitions) in world.cluster.owners(PROCESS_GROUP) {
        let store = if name == meanwhile.other_name() { &other.disk.store } else { &disk.store };
        let stands = |number: u16| store.header(number).expect("it is read").map_or(0, |header| header.position.offset);
        let is_there = |at: &&TopicPartition| committed.get(*at).is_some_and(|there| stands(at.partition as u16) >= there.offset);
        settled.extend(partitions.iter().filter(is_there).map(|at| at.partition));
    }
    settled.len() == usize::from(PARTITIONS)
}

fn live(written: &Written, step: usize, meanwhile: Meanwhile, times_out: bool, context: &str) -> Lived {
    let (world, disk) = (Arc::new(written.world.copy()), written.disks.take());
    let other = Arc::new(Mutex::new(Other::new(&world, &disk, &written.disks, meanwhile)));
    let hooked = other.clone();
    world.cluster.set_plan(Plan::default().pause("a", step, move |cluster| {
        let mut other = hooked.lock().expect("nobody panicked");
        other.is_at_work = meanwhile != Meanwhile::Bumped;
        other.has_gone_on = meanwhile.happen(cluster, PROCESS_GROUP, &["journal"], times_out, || _ = other.turn());
    }));
    let mut stalling = Restarting::new("a");
    let mut is_replaced = false;
    until_processed(&world, context, || {
        let mut read = if is_replaced { 0 } else { stalling.turn(&world, &disk.store) };
        let mut other = other.lock().expect("nobody panicked");
        if other.is_at_work {
            // Two of one name fence each other for ever: the one that stalled ends when it notices.
            if meanwhile == Meanwhile::Succeeded && !is_replaced {
                stalling.stop();
                is_replaced = true;
            }
            read += other.turn();
        }
        // A rebalance that began with the last record may go on when all is processed.
        let is_settled = is_settled(&world, &disk, &other, meanwhile);
        read + usize::from(!is_settled)
    });
    written.expected.assert_published(&world, context);
    let other = other.lock().expect("nobody panicked");
    for (name, partitions) in world.cluster.owners(PROCESS_GROUP) {
        let numbers: BTreeSet<u16> = partitions.iter().map(|at| at.partition as u16).collect();
        let is_others = name == meanwhile.other_name();
        written.expected.assert_states(if is_others { &other.disk.store } else { &disk.store }, &numbers, context);
    }
    written.disks.put_back(&disk);
    if meanwhile != Meanwhile::TakenOver {
        written.disks.put_back(&other.disk);
    }
    Lived {
        stalled_at: world.cluster.fired().iter().map(|fired| fired.message).collect(),
        has_other_gone_on: other.has_gone_on,
        messages: world.cluster.messages("a"),
    }
}

#[test]
fn a_worker_that_stalls_at_each_step_changes_nothing() {
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
            let lived = told(&context, || live(&written, step, meanwhile, times_out, &context));
            assert_eq!(lived.stalled_at, [*message], "{context}");
            *happened.entry((*message, (meanwhile, false))).or_default() += 1;
            if lived.has_other_gone_on {
                *happened.entry((*message, (meanwhile, true))).or_default() += 1;
            }
            // A commit under an old generation is refused, and done once more.
            if meanwhile == Meanwhile::Bumped && *message == Message::TxnOffsetCommit {
                assert_ne!(lived.messages, written.messages, "{context}");
            }
        }
        happened
    });
    assert_everything_happened(&happened, &MEANWHILE.map(|meanwhile| ((meanwhile, false), 6)));
    // Where offsets are pending, the other goes on if they are timed out.
    let gone_on = [Meanwhile::TakenOver, Meanwhile::TakenOverElsewhere, Meanwhile::Succeeded];
    assert_everything_happened(&happened, &gone_on.map(|meanwhile| ((meanwhile, true), 6)));
}
