//! kill -9 while a partition is replaced or dropped: it is the old one, the new one or none, and never a mixture.

use std::path::Path;
use std::time::Duration;
use std::{env, fs, thread};

use bellwether_store::{PartitionFile, Store};
use tempfile::TempDir;

use crate::crash::{CHILD_DIRECTORY, COMMITTED, Child};
use crate::open;
use crate::partition_files::fill;

/// Number of customers of each file, which is its byte and its position too.
const FILES: [u8; 2] = [100, 200];

/// Not a test but the child's work: replaces the partition for ever, each time by the other file, and drops it now and then.
#[test]
fn child() {
    let Some(directory) = env::var_os(CHILD_DIRECTORY) else {
        return;
    };
    let directory = Path::new(&directory);
    let store = open(&directory.join("store")).unwrap();
    for round in 0.. {
        let number = FILES[round % 2];
        let copy = directory.join("copy.sst");
        fs::copy(directory.join(format!("{number}.sst")), &copy).unwrap();
        store.import(PartitionFile::check(&copy, 3).unwrap()).unwrap();
        if round % 5 == 4 {
            store.drop_partition(3).unwrap();
        }
        eprintln!("{COMMITTED}{}", round + 1);
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
    drop(open(&path).unwrap());
    let (mut replaced, mut kinds) = (0, std::collections::BTreeSet::new());
    for round in 0..12 {
        let mut child = Child::start_as("crash_import::child", directory.path());
        replaced += child.wait_for_commits(1 + round % 7);
        thread::sleep(Duration::from_micros(1_700 * round as u64));
        child.kill();
        let store = open(&path).unwrap();
        kinds.insert(check_whole(&store));
        assert_eq!(store.partitions().is_empty(), store.header(3).unwrap().is_none());
    }
    assert!(replaced >= 12 && kinds.len() > 1, "the children did replace it: {replaced} times, {kinds:?}");
}
