//! How far a rebuild is of what an older fold has left.

use std::path::Path;

use bellwether_store::{Store, StoreOptions};

/// How far a rebuild is.
#[derive(Debug, PartialEq, Eq)]
pub enum Rebuild {
    /// The old states are dropped, and none of the new ones is stored.
    Begun,
    /// Some of the new states are stored.
    Amid,
    /// None is under way.
    Done,
}

/// How far the rebuild of a store is that was stopped at any moment.
pub fn rebuild(state: &Path) -> Rebuild {
    let store = Store::open(state, &StoreOptions::default()).expect("nobody has it open");
    let aim = store.input("rebuild").expect("it can be read");
    match (aim.is_some_and(|aim| !aim.is_empty()), store.partitions().is_empty()) {
        (true, true) => Rebuild::Begun,
        (true, false) => Rebuild::Amid,
        (false, _) => Rebuild::Done,
    }
}

/// The length of the signals file that counts.
pub fn committed_signals(state: &Path) -> usize {
    let store = Store::open(state, &StoreOptions::default()).expect("nobody has it open");
    let process = store.input("process").expect("it can be read").expect("it is there");
    let process: serde_json::Value = serde_json::from_slice(&process).expect("JSON");
    process["output_bytes"][0].as_u64().expect("a length") as usize
}
