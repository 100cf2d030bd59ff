//! Snapshots of a stopped instance: taken, listed, verified, restored, and refused where that would do harm.

use std::fs;
use std::path::{Path, PathBuf};

use bellwether_store::{Commit, Durability, Position, Store, StoreOptions};
use serde_json::Value;

use super::support::{Ran, Scratch, company, login, run};

fn snapshot(scratch: &Scratch, verb: &str, more: &[&str]) -> Ran {
    let (data, place) = (scratch.path("data"), scratch.path("snapshots"));
    let fixed = match verb {
        "take" => vec!["snapshot", "take", "--data", &data, "--to", &place],
        "restore" => vec!["snapshot", "restore", "--data", &data, "--from", &place],
        verb => vec!["snapshot", verb, "--from", &place],
    };
    run(&[&fixed[..], more].concat())
}

fn store(scratch: &Scratch) -> Store {
    Store::open(Path::new(&scratch.path("data")).join("state"), &StoreOptions::default()).unwrap()
}

fn listed(scratch: &Scratch) -> Value {
    serde_json::from_str(&snapshot(scratch, "list", &["--json"]).exits(0).output).unwrap()
}

/// The tables of the snapshots, in the order of the list.
fn tables(scratch: &Scratch) -> Vec<PathBuf> {
    let listed = listed(scratch);
    let names = listed["snapshots"].as_array().unwrap().iter().map(|snapshot| snapshot["name"].as_str().unwrap().to_owned());
    names.map(|name| PathBuf::from(scratch.path("snapshots")).join(format!("{name}.sst"))).collect()
}

fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_lost_partition_comes_back_and_the_run_goes_on_as_if_nothing_had_been() {
    let [scratch, undisturbed] = [Scratch::new(), Scratch::new()];
    let later = scratch.file("later.jsonl", login(1, 1).replace("2026-", "2027-"));
    for scratch in [&scratch, &undisturbed] {
        scratch.run_once(company(), &[]).exits(0);
    }
    snapshot(&scratch, "take", &[]).exits(0).tells(&["partition 0: taken at offset", "partition 3: taken at offset"]);
    snapshot(&scratch, "take", &[]).exits(0).tells(&["partition 0: there is one at offset"]);
    let table = snapshot(&scratch, "list", &[]).exits(0).output;
    assert!(table.lines().count() == 5 && table.contains("journal time"), "{table}");
    snapshot(&scratch, "verify", &[]).exits(0).tells(&["4 snapshots are whole, 0 are damaged"]);

    let lost = store(&scratch);
    let before: Vec<_> = lost.all_states(2, 0).map(Result::unwrap).collect();
    lost.drop_partition(2).unwrap();
    drop(lost);
    snapshot(&scratch, "restore", &["--partition", "2"]).exits(0).tells(&["partition 2: restored from offset"]);
    let restored = store(&scratch);
    assert!(!before.is_empty() && restored.all_states(2, 0).map(Result::unwrap).eq(before));
    drop(restored);
    assert!(!scratch.has("data/snapshot-scratch"));
    snapshot(&scratch, "restore", &[]).exits(0).tells(&["partition 0: restored", "partition 3: restored"]);

    for scratch in [&scratch, &undisturbed] {
        scratch.run_once(&later, &[]).exits(0);
    }
    assert!(scratch.read("signals.jsonl") == undisturbed.read("signals.jsonl"), "the signals are the same");
    assert!(scratch.read("signals.jsonl.decisions") == undisturbed.read("signals.jsonl.decisions"));
}

#[test]
fn an_embedded_directory_is_not_set_back() {
    let scratch = Scratch::new();
    scratch.run_once(&scratch.file("first.jsonl", login(1, 1)), &["--partitions", "1"]).exits(0);
    snapshot(&scratch, "take", &[]).exits(0);
    scratch.run_once(&scratch.file("second.jsonl", login(2, 2)), &[]).exits(0);
    let before = store(&scratch).header(0).unwrap();
    for more in [&[][..], &["--force"]] {
        let told = ["partition 0: its journal ends at offset", "newest snapshot is of offset", "nothing was", "from the same events"];
        snapshot(&scratch, "restore", more).exits(2).tells(&told);
    }
    assert_eq!(store(&scratch).header(0).unwrap(), before);
    snapshot(&scratch, "restore", &["--partition", "1"]).exits(2).tells(&["no partition 1", "has 1"]);
    snapshot(&scratch, "restore", &["--journal", "other"]).exits(2).tells(&["not other", "--journal"]);
}

#[test]
fn damage_is_a_finding_and_is_never_restored() {
    let scratch = Scratch::new();
    scratch.run_once(company(), &["--partitions", "2"]).exits(0);
    snapshot(&scratch, "take", &[]).exits(0);
    let tables = tables(&scratch);
    flip(&tables[1]);
    snapshot(&scratch, "verify", &[]).exits(1).tells(&["is damaged", "checksum", "1 snapshots are whole, 1 are damaged"]);
    snapshot(&scratch, "verify", &["--partition", "0"]).exits(0);
    let before = store(&scratch).header(1).unwrap();
    snapshot(&scratch, "restore", &["--partition", "1"]).exits(3).tells(&["is damaged", "none of its snapshots"]);
    assert_eq!(store(&scratch).header(1).unwrap(), before);
    fs::remove_file(&tables[1]).unwrap();
    snapshot(&scratch, "verify", &[]).exits(1).tells(&["its table is missing"]);
    let listed = listed(&scratch);
    assert_eq!((listed["snapshots"].as_array().unwrap().len(), listed["damaged"].as_array().unwrap().len()), (1, 1));
    snapshot(&scratch, "restore", &["--partition", "1"]).exits(2).tells(&["has no snapshot"]);
}

/// Brings partition 7 of a store without a journal of its own to an offset.
fn advance(scratch: &Scratch, offset: u64) {
    let store = store(scratch);
    let start = store.header(7).unwrap().map(|header| header.position).unwrap_or_default();
    let mut header = Vec::new();
    bellwether_codec::state::encode_header(&Default::default(), &mut header).unwrap();
    let mut commit = Commit::new();
    commit.advance(7, start, Position { offset, ..Position::default() }, &header);
    commit.put_state(7, 1, &offset.to_be_bytes());
    store.commit(commit, Durability::Synced).unwrap();
}

#[test]
fn an_instance_whose_journal_is_elsewhere_names_it_and_goes_back_only_by_force() {
    let scratch = Scratch::new();
    advance(&scratch, 5);
    snapshot(&scratch, "take", &[]).exits(2).tells(&["--journal"]);
    let journal = ["--journal", "events-1"];
    snapshot(&scratch, "take", &journal).exits(0).tells(&["partition 7: taken at offset 5"]);
    advance(&scratch, 9);
    let told = ["stands at offset 9", "of offset 5", "--force"];
    snapshot(&scratch, "restore", &journal).exits(2).tells(&told);
    snapshot(&scratch, "restore", &[&journal[..], &["--force"]].concat()).exits(0).tells(&["partition 7: restored from offset 5"]);
    assert_eq!(store(&scratch).header(7).unwrap().unwrap().position.offset, 5);

    fs::remove_dir_all(scratch.path("data")).unwrap();
    snapshot(&scratch, "restore", &[]).exits(2).tells(&["no data directory"]);
    snapshot(&scratch, "restore", &["--journal", "unknown"]).exits(2).tells(&["no snapshots of the journal unknown"]);
    snapshot(&scratch, "restore", &journal).exits(0);
    assert_eq!(store(&scratch).partitions(), [7]);
}

#[test]
fn only_the_newest_are_kept_if_so_wanted() {
    let scratch = Scratch::new();
    for offset in [5, 6, 7] {
        advance(&scratch, offset);
        snapshot(&scratch, "take", &["--journal", "events-1"]).exits(0);
    }
    snapshot(&scratch, "take", &["--journal", "events-1", "--keep", "2"]).exits(0).tells(&["1 older snapshots removed"]);
    let listed = listed(&scratch);
    let offsets: Vec<_> = listed["snapshots"].as_array().unwrap().iter().map(|snapshot| &snapshot["position"]["offset"]).collect();
    assert_eq!(offsets, [6, 7]);
    snapshot(&scratch, "take", &["--journal", "events-1", "--keep", "0"]).exits(2);
}

#[test]
fn wrong_places_are_told() {
    let scratch = Scratch::new();
    for verb in ["list", "verify", "restore"] {
        snapshot(&scratch, verb, &[]).exits(2).tells(&["no place for snapshots", "snapshots"]);
    }
    snapshot(&scratch, "take", &[]).exits(2).tells(&["no data directory"]);
    assert!(!scratch.has("snapshots") && !scratch.has("data"));
    run(&["snapshot", "list", "--from", "s3://bucket/snapshots"]).exits(2).tells(&["`s3` is not supported"]);
    fs::create_dir(scratch.path("snapshots")).unwrap();
    snapshot(&scratch, "verify", &[]).exits(1).tells(&["0 snapshots are whole"]);
}
