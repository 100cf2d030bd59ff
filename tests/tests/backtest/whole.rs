//! What must not change a report of a company that loses many customers: what comes after the end, the format, the shards, and a sweep.

use std::fs;

use bellwether_tests::product::{binary, succeeded};
use serde_json::Value;

use crate::support::Company;

/// Another rule file than the default pack, to compare with.
const QUIET: &str = "signals:\n  - { name: quiet, kind: at_risk, when: days_since_login >= 12, summary: quiet }\n";

/// The report of a backtest with these arguments; names with a point are files of the company.
#[track_caller]
fn report(company: &Company, arguments: &[&str]) -> Value {
    let mut command = binary();
    command.arg("backtest").arg("--json").arg(company.path("of.json"));
    for argument in arguments {
        let is_file = company.path(argument).exists();
        if is_file {
            command.arg(company.path(argument))
        } else {
            command.arg(argument)
        };
    }
    succeeded(&command.output().expect("the binary starts"));
    serde_json::from_slice(&fs::read(company.path("of.json")).expect("it is written")).expect("it is JSON")
}

fn company() -> Company {
    let company = Company::new(400, 24, 2);
    fs::write(company.path("quiet.yaml"), QUIET).expect("it can be written");
    company
}

#[test]
fn what_comes_later_changes_nothing_of_a_report_with_churns() {
    let company = company();
    let events = zstd::decode_all(&fs::read(company.path("events.jsonl.zst")).expect("it is there")[..]).expect("it is whole");
    let lines: Vec<&[u8]> = events.split_inclusive(|byte| *byte == b'\n').collect();
    let time_of = |line: &[u8]| serde_json::from_slice::<Value>(line).expect("it is JSON")["time"].as_str().expect("a time").to_owned();
    let others: [&[&[&str]]; 3] =
        [&[&[]], &[&[], &["--outcomes", "truth.csv"]], &[&[], &["--baseline", "quiet.yaml"], &["--sweep", "no-login-30d.days=20..40:10"]]];
    for (share, others) in [0.6, 0.75, 0.9].into_iter().zip(others) {
        let until = time_of(lines[(lines.len() as f64 * share) as usize]);
        let end = lines.partition_point(|line| time_of(line) <= until);
        fs::write(company.path("cut.jsonl"), lines[..end].concat()).expect("it can be written");
        for more in others {
            let cut = report(&company, &[&["--events", "cut.jsonl"], *more].concat());
            let whole = report(&company, &[&["--events", "events.jsonl.zst", "--to", &until], *more].concat());
            assert!(cut["overall"]["churns"].as_u64() > Some(50), "{} churns until {until}", cut["overall"]["churns"]);
            assert!(cut["health"]["auc"].is_number() && cut["health"]["brier"].is_number(), "health is judged until {until}");
            for (name, of_cut) in cut.as_object().expect("an object") {
                assert!(*of_cut == whole[name], "{name} differs until {until} with {more:?}");
            }
        }
    }
}

#[test]
fn tables_and_shards_do_not_matter_with_churns() {
    let company = company();
    let mut command = binary();
    command.args(["journal", "export", "--events"]).arg(company.path("events.jsonl.zst"));
    succeeded(&command.arg("--to").arg(company.path("events.parquet")).output().expect("the binary starts"));
    let one = report(&company, &["--events", "events.jsonl.zst", "--partitions", "1"]);
    assert!(one["overall"]["churns"].as_u64() > Some(50) && one["health"]["brier"].is_number());
    for (events, partitions) in [("events.jsonl.zst", "2"), ("events.jsonl.zst", "7"), ("events.parquet", "2"), ("events.parquet", "7")] {
        assert!(report(&company, &["--events", events, "--partitions", partitions]) == one, "{events} in {partitions} shards differs");
    }
}

#[test]
fn the_point_of_a_sweep_at_the_value_of_the_file_is_the_rule() {
    let company = company();
    let swept = report(&company, &["--events", "events.jsonl.zst", "--sweep", "usage-decline.ratio=0.4..0.6:0.1"]);
    let points = swept["sweep"]["points"].as_array().expect("there are points");
    let rule = swept["by_rule"].as_array().expect("a list").iter().find(|rule| rule["rule"] == "usage-decline").expect("it is there");
    assert!(
        rule["signals"].as_u64() > Some(20) && points[0]["figures"] != points[1]["figures"] && points[0]["overall"] != points[1]["overall"]
    );
    for (name, figure) in points[1]["figures"].as_object().expect("an object") {
        assert_eq!(*figure, rule[name], "{name}");
    }
    assert_eq!(points[1]["overall"], swept["overall"]);
    // A rule of another kind is swept for its own sake.
    let upsell = report(&company, &["--events", "events.jsonl.zst", "--sweep", "seat-saturation.share=0.7..0.9:0.1"]);
    for point in upsell["sweep"]["points"].as_array().expect("there are points") {
        assert_eq!(point["overall"], upsell["overall"], "{}", point["value"]);
    }
}
