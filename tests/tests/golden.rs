//! Bytes are a contract: stored states and signals of a fixed company, pinned.
//!
//! When a change of the fold makes this fail, count `FOLD_VERSION` up and run again with `UPDATE_GOLDEN=1`.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use bellwether_codec::health_record::HealthRecord;
use bellwether_codec::state::{FOLD_VERSION, encode_customer, encode_header};
use bellwether_engine::time::DAY_MS;
use bellwether_tests::company::{START, company};
use bellwether_tests::folding::{Cuts, default_rules, fold, lines_of};

fn compare(name: &str, found: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(path.parent().expect("a directory")).expect("it can be made");
        fs::write(&path, found).expect("it can be written");
    }
    let expected = fs::read_to_string(&path).expect("the golden file is committed");
    let same_version = expected.lines().next() == found.lines().next();
    assert!(expected == found || same_version, "{name} has another fold version: UPDATE_GOLDEN=1 rewrites it");
    let differs = expected.lines().zip(found.lines()).position(|(a, b)| a != b);
    assert!(expected == found, "{name} differs first in line {differs:?}: count FOLD_VERSION up, then UPDATE_GOLDEN=1 rewrites it");
}

#[test]
fn states_and_signals_are_as_committed() {
    let (partitions, mut outputs) = fold(&company(1, 4, 150), &default_rules(), 1, START.plus_ms(190 * DAY_MS), Cuts::None);
    let hex = |bytes: &[u8]| {
        bytes.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to memory");
            text
        })
    };
    let mut bytes = Vec::new();
    let mut customers: Vec<_> = partitions[0].customers().collect();
    customers.sort_by_key(|customer| customer.id.clone());
    let mut states = format!("fold version {FOLD_VERSION}\n");
    for customer in customers {
        encode_customer(customer, &mut bytes).expect("a state encodes");
        writeln!(states, "{} {}", customer.id, hex(&bytes)).expect("writing to memory");
    }
    encode_header(&partitions[0].header, &mut bytes).expect("a header encodes");
    writeln!(states, "header {}", hex(&bytes)).expect("writing to memory");
    compare("states.hex", &states);
    let signals = format!("fold version {FOLD_VERSION}\n{}\n", lines_of(outputs.remove(0)).join("\n"));
    compare("signals.jsonl", &signals);
}

#[test]
fn a_health_record_is_as_committed() {
    let (partitions, _) = fold(&company(1, 4, 150), &default_rules(), 1, START.plus_ms(150 * DAY_MS), Cuts::None);
    let records = partitions[0].customers().map(|customer| HealthRecord::of(customer, partitions[0].rules()));
    let record = records.max_by_key(|record| (record.open_episodes.len(), record.customer.clone())).expect("there are customers");
    assert!(record.open_episodes.len() > 1 && !record.health_contributions.is_empty(), "it shows everything");
    let binary = record.to_binary();
    let mut text = format!("fold version {FOLD_VERSION}\n");
    for (name, value) in &binary.headers {
        writeln!(text, "{name}: {value}").expect("writing to memory");
    }
    writeln!(text, "{}", String::from_utf8(binary.value).expect("JSON is text")).expect("writing to memory");
    compare("health.txt", &text);
}
