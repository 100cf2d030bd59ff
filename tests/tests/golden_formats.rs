//! Bytes are a contract: control records of a journal topic, and days of KPIs that wait in a store, against committed files.
//!
//! `UPDATE_GOLDEN=1` writes them anew. What topics and data directories hold must be read for ever, so old forms stay readable.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use bellwether_codec::journal::{Control, Created, ImportProgress, PublishedRules, PurgedErasure, SourceState};
use bellwether_codec::kpi_days::KpiDays;
use bellwether_codec::state::{FOLD_VERSION, decode_kpi_days, encode_kpi_days};
use bellwether_engine::signal::Output;
use bellwether_engine::time::{DAY_MS, Time};
use bellwether_tests::company::{START, company};
use bellwether_tests::folding::{Cuts, default_rules, fold};

/// The committed file, after a comparison with what is written now.
#[track_caller]
fn golden(name: &str, written: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, written).expect("it can be written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let differs = committed.lines().zip(written.lines()).position(|(a, b)| a != b);
    assert!(committed == written, "{name} is no longer what is written, first in line {differs:?}");
    committed
}

#[test]
fn control_records_of_a_topic_keep_their_bytes() {
    let source = || SourceState { source: "auth".to_owned(), families: vec!["login".to_owned(), "usage".to_owned()] };
    let controls = [
        Control::Created(Created { journal: "j-1".to_owned(), partitions: 12, pseudonym_key_id: "00000000000000ff".to_owned() }),
        Control::Rules(PublishedRules { number: 7, text: "signals: []\n".to_owned() }),
        Control::Import(ImportProgress { records: 5_000, state: "{\"größe\":1}".to_owned() }),
        Control::Tick,
        Control::SourceSilent(source()),
        Control::SourceResumed(source()),
        Control::Erased(PurgedErasure { hash: 0x0011_2233_4455_6677_8899_aabb_ccdd_eeff, time: Time(1_767_225_600_000) }),
    ];
    let mut text = String::new();
    for control in &controls {
        let value = String::from_utf8(control.encode()).expect("it is JSON");
        writeln!(text, "{}: {value}", control.name()).expect("writing to memory");
    }
    let committed = golden("controls.txt", &text);
    let read = committed.lines().map(|line| line.split_once(": ").expect("a name and a value").1);
    let read: Vec<Control> = read.map(|value| Control::decode(value.as_bytes()).expect("it is read")).collect();
    assert_eq!(read, controls);
}

/// The fold version, which stands first, is counted up by what the states need; the rest is pinned.
#[test]
fn days_of_kpis_keep_their_bytes() {
    let (_, outputs) = fold(&company(1, 2, 4), &default_rules(), 1, START.plus_ms(5 * DAY_MS), Cuts::None);
    let ended = outputs.into_iter().flatten().filter_map(|output| if let Output::Kpis(day) = output { Some(*day) } else { None });
    let mut days = KpiDays::default();
    days.add(ended.take(1));
    let bytes = encode_kpi_days(&days).expect("days encode");
    assert_eq!((bytes[0], decode_kpi_days(&bytes).expect("days decode")), (FOLD_VERSION, days));
    let mut text = String::new();
    for line in bytes[1..].chunks(64) {
        line.iter().for_each(|byte| write!(text, "{byte:02x}").expect("writing to memory"));
        text.push('\n');
    }
    golden("kpi_days.hex", &text);
}
