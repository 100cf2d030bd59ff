//! kill -9 while a partition is replaced or dropped: it is the old one, the new one or none, and never a mixture.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{env, fs, thread};

use bellwether_store::{PartitionFile, Store};
use tempfile::TempDir;

use crate::crash::{CHILD_DIRECTORY, COMMITTED, Child};
use crate::open;
use crate::partition_files::fill;

/// Number of customers of each file, which is its byte and its position too.
const FILES: [u8; 2] = [100, 200];

/// Where this file is, a child drops the partition too.
const DROPS: &str = "drops";

/// How many files a child has ready, so that it does nothing but replace the partition for a while.
const READY: usize = 12;

/// Not a test but the child's work: replaces the partition for ever, each time by the other file, and if so wanted drops it between.
#[test]
fn child() {
    let Some(directory) = env::var_os(CHILD_DIRECTORY) else {
        return;
    };
    let directory = Path::new(&directory);
    let (store, drops) = (open(&directory.join("store")).unwrap(), directory.join(DROPS).exists());
    loop {
        let copy = |index: usize| {
            let copy = directory.join(format!("copy-{index}.sst"));
            fs::copy(directory.join(format!("{}.sst", FILES[index % 2])), &copy).unwrap();
            PartitionFile::check(&copy, 3).unwrap()
        };
        let ready: Vec<_> = (0..READY).map(copy).collect();
        eprintln!("{COMMITTED}0");
        for file in ready {
            store.import(file).unwrap();
            if drops {
                store.drop_partition(3).unwrap();
            }
        }
    }
}

fn write_files(directory: &Path) {
    for number in FILES {
        let store = open(&directory.join(format!("from-{number}"))).unwrap();
        fill(&store, 3, u64::from(number), 0..u128::from(number), number);
        store.export(3, directory.join(format!("{number}.sst"))).unwrap().unwrap();
    }
}

/// What the partition is: one of the files, whole, or nothing (0).
fn check_whole(store: &Store) -> u8 {
    let Some(header) = store.header(3).unwrap() else {
        assert_eq!(store.all_states(3, 0).count() + store.timers(3).count(), 0);
        return 0;
    };
    let number = header.body[0];
    assert_eq!(header.position.offset, u64::from(number));
    let customers = u128::from(number);
    assert!(store.all_states(3, 0).map(Result::unwrap).eq((0..customers).map(|customer| (customer, vec![number; 200]))));
    assert!(store.timers(3).map(Result::unwrap).eq((0..customers).map(|customer| (i64::from(number), customer))));
    number
}

#[test]
fn a_partition_is_whole_after_kill_9_at_any_moment_of_an_import() {
    let directory = TempDir::new().unwrap();
    write_files(directory.path());
    let path = directory.path().join("store");
    fill(&open(&path).unwrap(), 3, 100, 0..100, 100);
    let mut kinds = BTreeSet::new();
    for round in 0..16 {
        let drops = round >= 12;
        if drops {
            fs::write(directory.path().join(DROPS), "").unwrap();
        }
        let mut child = Child::start_as("crash_import::child", directory.path());
        child.wait_for_commits(1);
        thread::sleep(Duration::from_micros(2_300 * round));
        child.kill();
        let store = open(&path).unwrap();
        let kind = check_whole(&store);
        assert!(drops || kind != 0, "round {round}: a partition that was only ever replaced is there");
        kinds.insert(kind);
        assert_eq!(store.partitions().is_empty(), store.header(3).unwrap().is_none());
    }
    assert!(kinds.len() > 1, "the children did replace it: {kinds:?}");
}

#[test]
fn a_reader_sees_the_old_partition_or_the_new_one_while_it_is_replaced() {
    let directory = TempDir::new().unwrap();
    write_files(directory.path());
    let store = open(&directory.path().join("store")).unwrap();
    fill(&store, 3, 100, 0..100, 100);
    let ended = AtomicBool::new(false);
    let seen = thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut seen = BTreeSet::new();
            while !ended.load(Ordering::Relaxed) {
                seen.insert(store.header(3).unwrap().map_or(0, |header| header.position.offset));
            }
            seen
        });
        for number in FILES.iter().cycle().take(20) {
            let copy = directory.path().join("copy.sst");
            fs::copy(directory.path().join(format!("{number}.sst")), &copy).unwrap();
            store.import(PartitionFile::check(&copy, 3).unwrap()).unwrap();
        }
        ended.store(true, Ordering::Relaxed);
        reader.join().unwrap()
    });
    assert_eq!(seen, BTreeSet::from(FILES.map(u64::from)));
}
