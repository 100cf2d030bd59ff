//! kill -9 while snapshots are taken: those that are listed are whole, and the next one is taken as if nothing had been.

use std::io::{BufRead, BufReader};
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, thread};

use bellwether_live::snapshot::{Repository, Taken};
use tempfile::TempDir;

use crate::{EVERYTHING, FAR_AHEAD, JOURNAL, advance, at, open, take, wanted};

/// Where a child works; set for children only.
const CHILD_DIRECTORY: &str = "BELLWETHER_LIVE_TEST_CHILD_DIRECTORY";
/// What a child prints after each snapshot.
const TAKEN: &str = "taken";

/// Not a test but the child's work: brings a partition on and takes snapshots of it, for ever.
#[test]
fn child() {
    let Some(directory) = env::var_os(CHILD_DIRECTORY) else {
        return;
    };
    let directory = Path::new(&directory);
    let store = open(&directory.join("store"));
    let repository = Repository::create(directory.join("snapshots").to_str().unwrap()).unwrap();
    let start = store.header(crate::PARTITION).unwrap().map_or(0, |header| header.position.offset);
    for offset in start + 1.. {
        advance(&store, at(offset), 2_000);
        let taken = take(&repository, &store, &directory.join("scratch"));
        assert!(matches!(taken, Taken::New(_)));
        eprintln!("{TAKEN}");
    }
}

#[test]
fn every_snapshot_is_whole_after_kill_9_at_any_moment() {
    let directory = TempDir::new().unwrap();
    let mut known = 0;
    for round in 0..6 {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "kill::child", "--nocapture"]).env(CHILD_DIRECTORY, directory.path());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        known += lines.map_while(Result::ok).filter(|line| line == TAKEN).take(1 + round % 3).count();
        thread::sleep(Duration::from_millis(7 * round as u64));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let store = open(&directory.path().join("store"));
    let repository = Repository::open(directory.path().join("snapshots").to_str().unwrap()).unwrap();
    let listing = repository.list(JOURNAL).unwrap();
    assert!(listing.damaged.is_empty(), "{:?}", listing.damaged);
    assert!(known >= 11 && listing.snapshots.len() >= known, "{known} were taken, {} are there", listing.snapshots.len());
    let scratch = directory.path().join("other-scratch");
    listing.snapshots.iter().for_each(|manifest| repository.verify(manifest, &scratch).unwrap());
    repository.prune(JOURNAL, NonZeroUsize::MIN, FAR_AHEAD).unwrap();
    let restored = repository.restore_best(&store, wanted(EVERYTHING), &scratch).unwrap();
    assert_eq!((restored.used.as_ref(), restored.damaged.len()), (listing.snapshots.last(), 0));
}
