//! A store made to look as if another version of the fold had written it.

use std::path::Path;

use bellwether_codec::state::FOLD_VERSION;
use bellwether_store::{Commit, Durability, Store, StoreOptions};

/// Makes the states of a store look as if an older fold had written them, which this program cannot read.
///
/// # Panics
///
/// When the store is open elsewhere, or fails.
pub fn age(state: &Path) {
    set_version(state, FOLD_VERSION - 1);
}

/// Writes a version of the fold into all headers and states, and makes the rest of them unreadable.
///
/// # Panics
///
/// When the store is open elsewhere, or fails.
pub fn set_version(state: &Path, version: u8) {
    let store = Store::open(state, &StoreOptions::default()).expect("nobody has it open");
    let unreadable = |bytes: &[u8]| [&[version], vec![0xff; bytes.len() - 1].as_slice()].concat();
    let mut commit = Commit::new();
    for partition in store.partitions() {
        let header = store.header(partition).expect("it can be read").expect("it has one");
        commit.advance(partition, header.position, header.position, &unreadable(&header.body));
        for stored in store.all_states(partition, 0) {
            let (customer, bytes) = stored.expect("it can be read");
            commit.put_state(partition, customer, &unreadable(&bytes));
        }
    }
    let days = store.input("kpi-days").expect("it can be read").filter(|bytes| !bytes.is_empty());
    if let Some(days) = days {
        commit.put_input("kpi-days", &unreadable(&days));
    }
    assert!(!commit.is_empty());
    store.commit(commit, Durability::Synced).expect("it can be written");
}
