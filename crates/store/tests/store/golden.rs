//! Bytes are a contract: what the store writes, entry by entry, against committed files.

use std::collections::BTreeMap;
use std::path::Path;
use std::{env, fs};

use bellwether_store::{Commit, Durability, FORMAT_VERSION, MAX_PARTITION, Position};
use rocksdb::{DB, IteratorMode, Options};

use crate::{at, new_store};

/// Set to write the files anew instead of comparing.
const BLESS: &str = "UPDATE_GOLDEN";

/// The file of each kind that is written, by its number in the key.
const FILES: [(u8, &str); 6] = [(1, "header"), (2, "state"), (3, "timer"), (4, "journal_block"), (5, "input"), (6, "meta")];

#[test]
fn every_key_and_every_value_of_the_store_keeps_its_bytes() {
    let written = entries_by_kind();
    assert_eq!(written.keys().copied().collect::<Vec<_>>(), FILES.map(|(kind, _)| kind));
    for (kind, name) in FILES {
        check(name, &written[&kind]);
    }
}

/// One commit with an entry of every kind, read back without the store.
fn entries_by_kind() -> BTreeMap<u8, Vec<String>> {
    let (directory, store) = new_store();
    let mut commit = Commit::new();
    commit.advance(0, at(0), at(1), b"");
    let end = Position { offset: 0x0102_0304_0506_0708, review_due: 1_767_225_600_000, customer: 0xa0b0 };
    commit.advance(MAX_PARTITION, at(0), end, b"body");
    commit.put_state(0, 1, b"\0");
    commit.put_state(258, 0x0011_2233_4455_6677_8899_aabb_ccdd_eeff, b"state");
    for (customer, due) in [(1, i64::MIN), (2, -1), (3, 0), (4, 1_767_225_600_000), (5, i64::MAX)] {
        commit.put_timer(3, customer, due);
    }
    commit.append_journal_block(3, 0, b"first block");
    commit.append_journal_block(3, u64::MAX, b"last block");
    commit.put_input("größe.jsonl", b"progress");
    store.commit(commit, Durability::Synced).unwrap();
    drop(store);

    let database = DB::open_for_read_only(&Options::default(), directory.path(), false).unwrap();
    let mut entries = BTreeMap::<u8, Vec<String>>::new();
    for entry in database.iterator(IteratorMode::Start) {
        let (key, value) = entry.unwrap();
        let [partition, kind, rest] = [&key[..2], &key[2..3], &key[3..]].map(hexadecimal);
        entries.entry(key[2]).or_default().push(format!("{partition}|{kind}|{rest} = {}", hexadecimal(&value)));
    }
    entries
}

/// Compares with the committed file; lines that start with `#` explain and do not count.
fn check(name: &str, written: &[String]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.hex"));
    let golden = fs::read_to_string(&path).unwrap_or_default();
    let (comments, golden): (Vec<_>, Vec<_>) = golden.lines().partition(|line| line.starts_with('#'));
    if env::var_os(BLESS).is_some() {
        let lines = comments.into_iter().chain(written.iter().map(String::as_str));
        fs::write(&path, lines.map(|line| format!("{line}\n")).collect::<String>()).unwrap();
        return;
    }
    assert_eq!(
        written,
        golden,
        "the store no longer writes what {} says. Existing databases hold the old bytes, so this is a new format: \
         raise FORMAT_VERSION in src/values.rs (now {FORMAT_VERSION}), decide in src/open.rs what becomes of databases of the old \
         one, then run this test once with {BLESS}=1 and commit the files",
        path.display()
    );
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
