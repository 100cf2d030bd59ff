//! What another version of the fold has left: kept from then, or made to look so.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use bellwether_codec::state::FOLD_VERSION;
use bellwether_store::{Commit, Durability, Store, StoreOptions};

/// What the program of fold version 2 has left: the last version before states kept outcomes and silences, and stores days of KPIs. Of later versions
/// nothing is kept; [`age`] makes a present store, with its days of KPIs, look as if the version before the present one had written it.
const FOLD_2: &[u8] = include_bytes!("../tests/upgrade/fold-2.tar.zst");

/// Unpacks what the program of fold version 2 has left: `data`, `signals.jsonl` with its decisions, and the events in `company`, which are of 6
/// customers over 7 months (seed 12). It had 3 partitions, batches of 150 records and 60 reviews, and was killed after 9 of its 15 signals.
///
/// # Panics
///
/// When the directory cannot be written.
pub fn unpack_fold_2(into: &Path) {
    let bytes = zstd::decode_all(FOLD_2).expect("it is compressed");
    let mut tar = Command::new("tar").arg("-x").arg("-C").arg(into).stdin(Stdio::piped()).spawn().expect("tar is there");
    tar.stdin.take().expect("it has an input").write_all(&bytes).expect("it reads");
    assert!(tar.wait().expect("it ends").success());
}

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
