//! Feature rows as notebooks get them: at other dates, and read by pandas.

use std::collections::BTreeSet;
use std::process::Command;

use bellwether_tests::product::{binary, succeeded};
use bellwether_tests::python::python;
use serde_json::Value;

use crate::support::Company;

/// From PyPI.
const PACKAGES: [&str; 2] = ["pandas==3.1.1", "pyarrow==26.0.1"];

/// Reads one table both ways, and the events.
const SCRIPT: &str = r#"
import json, sys
import pandas

typed, plain, events = pandas.read_parquet(sys.argv[1]), pandas.read_csv(sys.argv[2]), pandas.read_parquet(sys.argv[3])
plain["time"] = pandas.to_datetime(plain["time"])
numbers = [name for name in plain if pandas.api.types.is_numeric_dtype(plain[name]) and not pandas.api.types.is_object_dtype(typed[name])
           and not pandas.api.types.is_string_dtype(typed[name])]
differing = [name for name in numbers if not (typed[name].astype("float64") - plain[name]).abs().fillna(0).eq(0).all()
             or (typed[name].isna() != plain[name].isna()).any()]
print(json.dumps({
    "rows": len(typed), "same_columns": list(typed) == list(plain), "compared": len(numbers), "differing": differing,
    "same_keys": bool((typed["customer"] == plain["customer"]).all() and (typed["time"] == plain["time"]).all()),
    "time": str(typed["time"].dtype), "churned": int(typed["churned"].sum()), "events": len(events), "customers": events["customer"].nunique(),
}))
"#;

/// The rows of an export, without its header.
fn export(company: &Company, every: &str, name: &str) -> Vec<String> {
    let mut command = binary();
    command.args(["features", "--every", every, "--events"]).arg(company.path("events.jsonl.zst")).arg("--out").arg(company.path(name));
    succeeded(&command.output().expect("the binary starts"));
    let text = std::fs::read(company.path(name)).expect("it is written");
    String::from_utf8_lossy(&text).lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn rows_at_closer_dates_hold_those_at_dates_further_apart() {
    let company = Company::new(120, 12, 6);
    let [weeks, months] = [("7d", "weeks.csv"), ("28d", "months.csv")].map(|(every, name)| export(&company, every, name));
    let day = |row: &String| {
        let time = row.split(',').nth(1).expect("a time");
        bellwether_codec::timestamp::parse_date_or_time(time).expect("it is one").0 as f64 / 86_400_000.0
    };
    assert!(months.len() > 500 && weeks.iter().all(|row| day(row) % 7.0 == 0.0) && months.iter().all(|row| day(row) % 28.0 == 0.0));
    assert!(weeks.iter().any(|row| day(row) % 28.0 != 0.0) && weeks.len() > 3 * months.len());
    let weeks: BTreeSet<&String> = weeks.iter().collect();
    let missing: Vec<&String> = months.iter().filter(|row| !weeks.contains(row)).collect();
    assert!(missing.is_empty(), "{} rows differ, the first is {}", missing.len(), missing[0]);
}

#[test]
fn pandas_reads_what_is_exported() {
    let company = Company::new(120, 12, 6);
    let rows = export(&company, "14d", "rows.csv").len();
    export(&company, "14d", "rows.parquet");
    let mut command = binary();
    command.args(["journal", "export", "--events"]).arg(company.path("events.jsonl.zst")).arg("--to").arg(company.path("events.parquet"));
    succeeded(&command.output().expect("the binary starts"));
    let mut script = Command::new(python(&PACKAGES));
    script.args(["-c", SCRIPT]).args(["rows.parquet", "rows.csv", "events.parquet"].map(|name| company.path(name)));
    let output = script.output().expect("Python runs");
    succeeded(&output);
    let told: Value = serde_json::from_slice(&output.stdout).expect("the script prints JSON");
    assert_eq!((&told["rows"], &told["same_columns"], &told["same_keys"]), (&rows.into(), &true.into(), &true.into()), "{told}");
    assert_eq!(told["differing"], serde_json::json!([]), "{told}");
    assert!(told["compared"].as_u64() > Some(50) && told["churned"].as_u64() > Some(0) && told["events"].as_u64() > Some(1_000), "{told}");
    assert!(told["time"].as_str().is_some_and(|time| time.starts_with("datetime64") && time.ends_with("UTC]")), "{told}");
    // With what concerns the company itself.
    assert_eq!(told["customers"], 121);
}
