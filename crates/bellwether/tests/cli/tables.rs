//! Events as Parquet: written by `journal export`, and read by everything that judges rules.

use std::fs;

use serde_json::Value;

use super::support::{Scratch, company, run};

/// The bytes of the report of a backtest with these arguments.
#[track_caller]
fn report(scratch: &Scratch, arguments: &[&str]) -> Vec<u8> {
    let json = scratch.path("report.json");
    run(&[&["backtest", "--json", &json], arguments].concat()).exits(0);
    scratch.read("report.json")
}

/// The lines of the simulated company.
fn lines() -> Vec<String> {
    let text = zstd::decode_all(fs::File::open(company()).expect("it is there")).expect("it reads");
    String::from_utf8(text).expect("UTF-8").lines().map(str::to_owned).collect()
}

#[test]
fn a_table_is_judged_as_its_log_is_whatever_the_shards() {
    let scratch = Scratch::new();
    let (file, months) = (scratch.path("events.parquet"), scratch.path("months"));
    let told = run(&["journal", "export", "--events", company(), "--to", &file]).exits(0).output;
    assert!(told.contains("events in 1 file\n"), "{told}");
    run(&["journal", "export", "--events", company(), "--to", &months]).exits(0);
    let mut names: Vec<String> =
        fs::read_dir(&months).expect("it is there").map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names.first().map(String::as_str), Some("2024-01.parquet"), "{names:?}");
    assert_eq!(names.len(), 8, "{names:?}");
    let expected = report(&scratch, &["--events", company()]);
    let signals: u64 = serde_json::from_slice::<Value>(&expected).expect("JSON")["overall"]["signals"].as_u64().expect("a count");
    assert!(signals > 10);
    for partitions in ["1", "2", "7"] {
        for path in [&file, &months] {
            assert!(report(&scratch, &["--events", path, "--partitions", partitions]) == expected, "{path} in {partitions}");
        }
    }
    let (of_lines, of_rows) = (scratch.path("lines.jsonl"), scratch.path("rows.jsonl"));
    run(&["replay", "--events", company(), "--signals", &of_lines]).exits(0);
    run(&["replay", "--events", &file, "--signals", &of_rows]).exits(0);
    assert!(scratch.read("lines.jsonl") == scratch.read("rows.jsonl"), "the signals differ");
}

#[test]
fn features_fits_and_explanations_are_the_same_too() {
    let scratch = Scratch::new();
    let file = scratch.path("events.parquet");
    run(&["journal", "export", "--events", company(), "--to", &file]).exits(0);
    let made = |name: &str, events: &str, arguments: &[&str]| {
        let out = scratch.path(name);
        run(&[arguments, &["--events", events, "--out", &out]].concat());
        scratch.read(name)
    };
    assert!(made("a.csv", company(), &["features"]) == made("b.csv", &file, &["features"]));
    let customer = serde_json::from_str::<Value>(&lines()[0]).expect("JSON")["subject"].as_str().expect("a text").to_owned();
    let explained = |events: &str| run(&["explain", &customer, "--events", events, "--at", "2024-06-01", "--json"]).exits(0).output;
    assert_eq!(explained(company()), explained(&file));
}

#[test]
fn a_journal_with_late_events_is_exported_in_the_order_of_its_time() {
    let scratch = Scratch::new();
    // Every ninth event comes up to two days late, and some lines are none.
    let mut lines = lines();
    for index in (0..lines.len() - 400).step_by(9) {
        lines.swap(index, index + 399);
    }
    lines.insert(50, "no event".to_owned());
    let events = scratch.file("late.jsonl", lines.join("\n"));
    let (data, file, again) = (scratch.path("data"), scratch.path("journal.parquet"), scratch.path("again.parquet"));
    scratch.run_once(&events, &["--partitions", "3"]).exits(0);
    run(&["journal", "export", "--journal", &data, "--to", &file]).exits(0);
    run(&["journal", "export", "--events", &events, "--to", &again, "--strict"]).exits(1).tells(&["1 lines or records were refused"]);
    let parsed = |bytes: Vec<u8>| {
        let mut report: Value = serde_json::from_slice(&bytes).expect("JSON");
        // A table has no lines that are no events.
        report["log"]["refused"] = 0.into();
        report
    };
    let expected = parsed(report(&scratch, &["--events", &events]));
    for path in [&file, &again] {
        assert_eq!(parsed(report(&scratch, &["--events", path])), expected, "{path}");
    }
    let sorted = |name: &str| {
        let mut lines: Vec<String> = String::from_utf8(scratch.read(name)).expect("UTF-8").lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    run(&["replay", "--events", &file, "--signals", &scratch.path("rows.jsonl")]).exits(0);
    assert_eq!(sorted("rows.jsonl"), sorted("signals.jsonl"));
}

#[test]
fn what_was_erased_is_not_exported() {
    let scratch = Scratch::new();
    scratch.run_once(company(), &[]).exits(0);
    let customer = serde_json::from_str::<Value>(&lines()[0]).expect("JSON")["subject"].as_str().expect("a text").to_owned();
    // In the journal the erasure stands behind the records of its customer, as it comes over a topic.
    let erasure = format!(
        r#"{{"specversion":"1.0","id":"gone","source":"/crm","type":"customer.erased","subject":"{customer}","time":"2024-09-01T00:00:00Z"}}"#
    );
    let erasures = scratch.file("erasures.jsonl", erasure);
    scratch.run_once(company(), &["--events", &erasures]).exits(0);
    let file = scratch.path("events.parquet");
    run(&["journal", "export", "--journal", &scratch.path("data"), "--to", &file]).exits(0).tells(&["of erased customers were left out"]);
    let rows = scratch.path("customer.jsonl");
    run(&["replay", "--events", &file, "--customer", &customer, "--signals", &rows]).exits(0);
    assert!(scratch.read("customer.jsonl").is_empty(), "nothing is known of the customer");
}

#[test]
fn what_cannot_be_is_told() {
    let scratch = Scratch::new();
    let file = scratch.path("events.parquet");
    let export = |to: &str| run(&["journal", "export", "--events", company(), "--to", to]);
    export(&file).exits(0);
    export(&scratch.path("events.csv")).exits(2).tells(&["a file must end in .parquet, not in .csv"]);
    let full = scratch.path("");
    export(&full).exits(2).tells(&["the directory is not empty"]);
    run(&["backtest", "--events", &file, company()]).exits(2).tells(&["lines cannot be merged with tables"]);
    scratch.run_once(&file, &[]).exits(2).tells(&["events.parquet: tables are read by replay, backtest"]);
    let broken = scratch.file("broken.parquet", "no table");
    run(&["backtest", "--events", &broken]).exits(2).tells(&["broken.parquet: ", "Parquet"]);
}
