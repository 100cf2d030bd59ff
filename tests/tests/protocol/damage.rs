//! Damaged states and a full disk: what is lost comes back, and nobody outside sees it.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use bellwether_engine::time::{DAY_MS, Time};
use bellwether_live::kafka::Processor;
use bellwether_live::metrics::Metrics;
use bellwether_store::{Commit, Durability, Store, StoreError};
use bellwether_tests::company::{START, company};
use bellwether_tests::machine::Machine;
use bellwether_tests::world::{PARTITIONS, World, journal_partition, rule_sets, states_in, store_in};
use tempfile::TempDir;

const DAYS: u64 = 70;
const MAX_TURNS: usize = 20_000;

/// A partition that is nobody's, to fill the disk with.
const NOBODYS: u16 = 1_000;

fn world(seed: u64) -> World {
    let world = World::new(seed, &rule_sets());
    let end = Time(START.0 + (DAYS as i64 + 40) * DAY_MS);
    world.cluster.set_now_ms(end.0);
    world.journal(&company(seed, 5, DAYS), end);
    world
}

fn process(world: &World, worker: &mut Processor, context: &str) {
    for _ in 0..MAX_TURNS {
        if worker.turn().unwrap_or_else(|error| panic!("{context}: {error}")) == 0 {
            if world.is_processed() {
                // What is decided is not yet seen everywhere: the last marks may be on their way.
                world.cluster.settle();
                return;
            }
            sleep(Duration::from_millis(1));
        }
    }
    panic!("{context}: it does not come to an end");
}

/// The partition with the most customers.
fn busiest(store: &Store) -> u16 {
    (0..PARTITIONS).max_by_key(|number| store.all_states(*number, 0).count()).expect("there are partitions")
}

/// The partition with the most records before it, so that its states are needed again.
fn farthest_behind(world: &World, store: &Store) -> u16 {
    let left = |number: &u16| {
        let stands = store.header(*number).unwrap().map_or(0, |header| header.position.offset);
        world.records(&journal_partition(*number)).iter().filter(|record| record.offset >= stands).count()
    };
    let has_states = |number: &u16| store.all_states(*number, 0).next().is_some();
    (0..PARTITIONS).filter(has_states).max_by_key(left).expect("a partition has states")
}

/// Writes nonsense over every state of a partition, which stays where it is.
fn spoil(store: &Store, partition: u16) {
    let header = store.header(partition).unwrap().expect("it was folded");
    let mut commit = Commit::new();
    commit.advance(partition, header.position, header.position, &header.body);
    for state in store.all_states(partition, 0) {
        commit.put_state(partition, state.unwrap().0, b"nonsense");
    }
    store.commit(commit, Durability::Buffered).unwrap();
}

#[test]
fn a_damaged_partition_is_made_anew() {
    for (seed, with_snapshots) in (30..38).zip([true, false].into_iter().cycle()) {
        let context = format!("seed {seed}, snapshots: {with_snapshots}");
        let world = world(seed);
        let snapshots = TempDir::new().expect("a directory");
        let mut machine = Machine::new(with_snapshots.then_some(snapshots.path()));
        let mut worker = machine.processor(&world, "a");
        for turn in 0..5 {
            worker.turn().unwrap();
            machine.copy(turn * 10);
        }
        assert!(!world.is_processed(), "{context}: something is left to do");
        drop(worker);
        spoil(&machine.store, farthest_behind(&world, &machine.store));
        let mut worker = machine.processor(&world, "b");
        process(&world, &mut worker, &context);
        assert_eq!(machine.events("partition_dropped"), 1, "{context}");
        assert_eq!(machine.events("restored"), u64::from(with_snapshots), "{context}");
        // What is decided is not yet seen everywhere: the last marks may be on their way.
        world.cluster.settle();
        let (lines, states, _) = world.replayed();
        assert_eq!(world.published(), lines, "{context}");
        assert!(states_in(&machine.store) == states, "{context}");
    }
}

#[test]
fn damage_that_comes_again_and_again_is_told() {
    let world = world(40);
    let machine = Machine::new(None);
    let mut worker = machine.processor(&world, "a");
    (0..8).for_each(|_| _ = worker.turn().unwrap());
    let partition = busiest(&machine.store);
    let mut told = None;
    for _ in 0..MAX_TURNS {
        if machine.store.header(partition).unwrap().is_some() {
            spoil(&machine.store, partition);
        }
        if let Err(error) = worker.turn() {
            told = Some(error.to_string());
            break;
        }
    }
    let told = told.expect("it ends");
    assert!(told.contains(&format!("partition {partition} is damaged again")) && told.contains("2 times"), "{told}");
    assert_eq!(machine.events("partition_dropped"), 2);
}

/// Set in the child that may mount: the same test, in mount and user namespaces of its own, so that nobody needs to be root.
const CHILD: &str = "BELLWETHER_TEST_CHILD_MOUNTS";

/// Whether this is the child that may mount; if not, runs the test of this name in one.
fn may_mount(test: &str) -> bool {
    if std::env::var_os(CHILD).is_some() {
        return true;
    }
    let mut child = Command::new("unshare");
    child.args(["--map-root-user", "--mount"]).arg(std::env::current_exe().unwrap());
    let output = child.args(["--exact", &format!("damage::{test}")]).env(CHILD, "1").output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("1 passed"), "{told}{}", String::from_utf8_lossy(&output.stderr));
    false
}

/// A small file system in memory; it goes away with the value.
struct SmallDisk(TempDir);

impl SmallDisk {
    fn mount(size: &str) -> Self {
        let directory = TempDir::new().unwrap();
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]);
        assert!(command.arg(directory.path()).status().unwrap().success(), "cannot mount");
        Self(directory)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

/// Fills the disk to the last byte, and what the store has of it in advance too.
fn fill(ballast: &Path, store: &Store) {
    let mut file = File::create(ballast).unwrap();
    let mut bytes = vec![1; 1 << 20];
    while !bytes.is_empty() {
        if file.write_all(&bytes).is_err() {
            bytes.truncate(bytes.len() / 2);
        }
    }
    let noise: Vec<u8> = (0..200_000_u64).map(|index| (index.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u8).collect();
    for customer in 0.. {
        let mut commit = Commit::new();
        commit.put_state(NOBODYS, customer, &noise);
        match store.commit(commit, Durability::Buffered) {
            Ok(()) => {}
            Err(StoreError::DiskFull { .. }) => return,
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn a_full_disk_is_waited_for_and_nothing_is_lost() {
    if !may_mount("a_full_disk_is_waited_for_and_nothing_is_lost") {
        return;
    }
    let disk = SmallDisk::mount("128m");
    let ballast = disk.0.path().join("ballast");
    let world = world(50);
    let store: Arc<Store> = store_in(&disk.0.path().join("state"));
    let metrics = Arc::new(Metrics::new());
    metrics.readers.opened(&store, PARTITIONS, 1);
    let mut worker = world.processor_with("a", &store, 40, &Arc::default(), &metrics).expect("nothing is planned");
    (0..6).for_each(|_| _ = worker.turn().unwrap());
    assert!(!world.is_processed());
    fill(&ballast, &store);
    let counted = || {
        let text = metrics.render();
        text.lines().find_map(|line| line.strip_prefix("bellwether_state_events_total{event=\"disk_full\"} ")?.parse::<u32>().ok())
    };
    assert_eq!(counted(), None);
    let before: Vec<_> = (0..PARTITIONS).map(|number| store.header(number).unwrap()).collect();
    for _ in 0..50 {
        worker.turn().expect("it waits");
    }
    let after: Vec<_> = (0..PARTITIONS).map(|number| store.header(number).unwrap()).collect();
    assert!(before == after && !world.is_processed(), "nothing could be written");
    assert!(counted().is_some_and(|counted| counted > 10), "each look counts, not the first alone: {:?}", counted());
    assert!(!metrics.readers.are_ready() && metrics.readers.are_unassigned(), "who pauses has no partitions");
    std::fs::remove_file(&ballast).unwrap();
    let deadline = Instant::now() + Duration::from_secs(120);
    while !world.is_processed() {
        worker.turn().expect("it waits, and then goes on");
        assert!(Instant::now() < deadline, "it does not go on two minutes after there was room");
        sleep(Duration::from_millis(5));
    }
    assert!(metrics.readers.are_ready(), "it has all partitions again, where everything is published");
    let (lines, states, _) = world.replayed();
    assert_eq!(world.published(), lines);
    assert!(states_in(&store) == states);
}
