//! What sweeps have in common: small worlds that are lived through again and again, every seed of them, on every core.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use bellwether_kafka::memory::{ClientOptions, Cluster, Fault, Message};
use bellwether_kafka::{Batch, Client};
use bellwether_store::Store;
use bellwether_tests::world::{PARTITIONS, store_in};
use tempfile::TempDir;

/// Each sweep is done for so many seeds, unless `BELLWETHER_SWEEP_SEEDS` says how many.
const SEEDS: u64 = 200;

/// How many seeds there are.
pub fn seeds() -> u64 {
    std::env::var("BELLWETHER_SWEEP_SEEDS").map_or(SEEDS, |seeds| seeds.parse().expect("BELLWETHER_SWEEP_SEEDS is a number"))
}

/// Every message of the protocol.
pub const MESSAGES: [Message; 10] = [
    Message::InitProducerId,
    Message::AddPartitionsToTxn,
    Message::Produce,
    Message::ProduceResponse,
    Message::AddOffsetsToTxn,
    Message::TxnOffsetCommit,
    Message::EndTxn,
    Message::EndTxnResponse,
    Message::WriteTxnMarker,
    Message::OffsetFetch,
];

/// How often what happened to which message.
pub type Happened<T> = BTreeMap<(Message, T), usize>;

/// Does the same for every seed, and adds up what happened. The first failure ends it.
pub fn for_all_seeds<T: Ord + Send>(of_seed: impl Fn(u64) -> Happened<T> + Sync) -> Happened<T> {
    let (next, seeds, all) = (AtomicU64::new(0), seeds(), Mutex::new(Happened::new()));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds {
                return;
            }
            match catch_unwind(AssertUnwindSafe(|| of_seed(seed))) {
                Ok(happened) => {
                    let mut all = all.lock().expect("nobody panicked");
                    happened.into_iter().for_each(|(what, count)| *all.entry(what).or_default() += count);
                }
                Err(panic) => {
                    next.store(seeds, Ordering::Relaxed);
                    println!("seed {seed} fails");
                    resume_unwind(panic);
                }
            }
        }
    };
    thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
    });
    all.into_inner().expect("nobody panicked")
}

/// Everything has happened to every message, for one in so many seeds at least. The message that comes first is sent once for each.
#[track_caller]
pub fn assert_everything_happened<T: Copy + Ord + Debug>(happened: &Happened<T>, whats: &[(T, u64)]) {
    let count = |message: Message, what: T| happened.get(&(message, what)).copied().unwrap_or_default();
    let told = |(message, count): (Message, usize)| format!("{message:?} {count}");
    for (what, one_in) in whats {
        let least = (seeds() / one_in) as usize;
        let counts: Vec<(Message, usize)> = MESSAGES.into_iter().map(|message| (message, count(message, *what))).collect();
        println!("{what:?}: {}", counts.iter().copied().map(told).collect::<Vec<_>>().join(", "));
        let rare: Vec<String> = counts.into_iter().filter(|(_, count)| *count < least).map(told).collect();
        assert!(rare.is_empty(), "{what:?} happened to these less than {least} times: {rare:?}");
    }
}

/// Lives through a part, and prints what it was if it panics.
pub fn told<T>(context: &str, live: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(live)).unwrap_or_else(|panic| {
        println!("it fails in {context}");
        resume_unwind(panic)
    })
}

/// A request or a response is lost, by turns: over the seeds, each message of a run meets both.
pub fn lost_by_turns(seed: u64, step: usize) -> Fault {
    [Fault::LoseRequest, Fault::LoseResponse][(seed as usize + step) % 2]
}

/// What happens while a worker named `a` stalls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Meanwhile {
    /// The group takes it for dead, and another worker of its process goes on.
    TakenOver,
    /// The group takes it for dead, and a worker of another process, which has its own store, goes on.
    TakenOverElsewhere,
    /// Its process is started once more on another machine, under the same name: two are one.
    Succeeded,
    /// It is alive, and a worker of another process joins: partitions are to move.
    Joined,
    /// It is alive, and somebody joins and leaves: the group has another generation, and all else is as it was.
    Bumped,
}

/// Turns of the other worker while one stalls.
const TURNS_MEANWHILE: usize = 6;

impl Meanwhile {
    /// One of these, by turns.
    pub fn by_turns(of: &[Self], seed: u64, step: usize) -> Self {
        of[(seed as usize + step) % of.len()]
    }

    /// The name of the other worker.
    pub fn other_name(self) -> &'static str {
        if self == Self::Succeeded { "a" } else { "b" }
    }

    /// Lets it happen. The open transactions of who is taken over are timed out, or they are not and end when the other waits for them.
    /// Returns whether the other has committed something meanwhile.
    pub fn happen(self, cluster: &Cluster, group: &str, topics: &[&str], times_out: bool, mut other: impl FnMut()) -> bool {
        let before = cluster.messages(self.other_name()).len();
        let mut turns = || (0..TURNS_MEANWHILE).for_each(|_| other());
        match self {
            Self::Bumped => bump(cluster, group, topics),
            Self::Joined => turns(),
            Self::TakenOver | Self::TakenOverElsewhere | Self::Succeeded => {
                cluster.expire("a");
                turns();
                if times_out {
                    cluster.time_out_transactions();
                    turns();
                }
            }
        }
        cluster.messages(self.other_name())[before..].contains(&Message::EndTxnResponse)
    }
}

/// Somebody joins a group, is told what is to be theirs, and leaves.
fn bump(cluster: &Cluster, group: &str, topics: &[&str]) {
    let options = ClientOptions {
        group: group.to_owned(),
        client_id: "guest".to_owned(),
        transactional_id: "guest".to_owned(),
        subscription: topics.iter().map(|topic| (*topic).to_owned()).collect(),
    };
    let mut guest = cluster.client(options).expect("no plan concerns the guest");
    guest.poll(&mut Batch::default(), 1, 1, std::time::Duration::ZERO).expect("it joins");
}

/// Disks with empty stores. To open one takes longer than a short life, so they are used for one life after the other.
#[derive(Default)]
pub struct Disks(Mutex<Vec<Arc<Disk>>>);

impl Disks {
    /// A disk with an empty store.
    pub fn take(&self) -> Arc<Disk> {
        self.0.lock().expect("nobody panicked").pop().unwrap_or_else(|| Arc::new(Disk::new()))
    }

    /// Gives a disk back when its life is over, and empties its store.
    pub fn put_back(&self, disk: &Arc<Disk>) {
        (0..PARTITIONS).for_each(|partition| disk.store.drop_partition(partition).expect("it can be emptied"));
        assert_eq!(disk.store.partitions(), [0; 0]);
        self.0.lock().expect("nobody panicked").push(disk.clone());
    }
}

/// A disk with a store.
pub struct Disk {
    pub store: Arc<Store>,
    _directory: TempDir,
}

impl Disk {
    /// In memory, where the system has a place for that: none is read later.
    fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let directory = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.expect("a directory");
        Self { store: store_in(directory.path()), _directory: directory }
    }
}
