//! What an older fold has left, and how far a rebuild of it is.
//!
//! `fold-2.tar.zst` has `data`, `signals.jsonl` with its decisions, and the events in `company`: a company of 6 customers over 7 months (seed 12), on 3
//! partitions in batches of 150 records and 60 reviews, by the program of fold version 2, which was killed after 9 of its 15 signals.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use bellwether_store::{Store, StoreOptions};

/// Unpacks an archive into a directory.
pub fn unpack(archive: &[u8], into: &Path) {
    let bytes = zstd::decode_all(archive).expect("it is compressed");
    let mut tar = Command::new("tar").arg("-x").arg("-C").arg(into).stdin(Stdio::piped()).spawn().expect("tar is there");
    tar.stdin.take().expect("it has an input").write_all(&bytes).expect("it reads");
    assert!(tar.wait().expect("it ends").success());
}

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
