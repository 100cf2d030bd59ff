//! Tests of the store through its public methods, in one program, because linking RocksDB takes its time.

mod commits;
mod crash;
mod crash_import;
mod damage;
mod disk_full;
mod golden;
mod locks;
mod model;
mod partition_files;
mod scans;

use std::path::Path;

use bellwether_store::{Position, Store, StoreError, StoreOptions};
use tempfile::TempDir;

/// A new store in a directory that goes away with the test.
fn new_store() -> (TempDir, Store) {
    let directory = TempDir::new().unwrap();
    let store = open(directory.path()).unwrap();
    (directory, store)
}

fn open(path: &Path) -> Result<Store, StoreError> {
    Store::open(path, &StoreOptions { memory_bytes: 32 << 20 })
}

/// The position at the start of a record.
fn at(offset: u64) -> Position {
    Position { offset, ..Position::default() }
}

/// One customer's state, copied.
fn state(store: &Store, partition: u16, customer: u128) -> Option<Vec<u8>> {
    store.states(partition, &[customer]).unwrap().remove(0).map(|state| state.to_vec())
}
