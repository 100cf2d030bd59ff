//! The figures of a report are those of a plain script, and of scikit-learn.

use std::fs;
use std::process::Command;

use bellwether_tests::product::{binary, succeeded};
use bellwether_tests::python::{JUDGE, python};

use crate::support::Company;

/// Judges the alarms anew, from events and signals alone.
const CHECK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/backtest/check.py");

/// The baselines as the report describes them.
const BASELINES: &str = "signals:
  - { name: no-login-30d, kind: at_risk, when: days_since_login >= 30, summary: nobody has logged in for 30 days }
  - { name: renewal-date, kind: at_risk, when: days_to_renewal <= 60, summary: 60 days before each renewal }
";

#[test]
fn an_independent_computation_finds_the_same_on_three_companies() {
    for (customers, months, seed) in [(800, 24, 1), (400, 30, 2), (1_200, 18, 3)] {
        let company = Company::new(customers, months, seed);
        company.backtest();
        let mut command = binary();
        command.arg("replay");
        fs::write(company.path("baselines.yaml"), BASELINES).expect("it can be written");
        for (argument, name) in [("--events", "events.jsonl.zst"), ("--rules", "baselines.yaml"), ("--signals", "baselines.jsonl")] {
            command.arg(argument).arg(company.path(name));
        }
        succeeded(&command.output().expect("the binary starts"));
        let baselines = company.path("baselines.jsonl").display().to_string();
        let (code, told) = check(&company, &["--baselines", &baselines]);
        assert_eq!(code, Some(0), "company {seed}:\n{told}");
        assert!(told.contains("25 rules") && !told.contains(" 0 came true"), "{told}");
    }
}

#[test]
fn an_independent_computation_finds_the_same_under_other_definitions() {
    let company = Company::new(800, 24, 1);
    for options in [
        &["--horizon", "60"][..],
        &["--churn-at", "end"],
        &["--from", "2024-09-01"],
        &["--horizon", "45", "--churn-at", "end", "--from", "2024-07-10"],
    ] {
        let days: Vec<String> =
            options.iter().map(|option| option.parse::<u32>().map_or((*option).to_owned(), |days| format!("{days}d"))).collect();
        company.backtest_with(&days.iter().map(String::as_str).collect::<Vec<_>>());
        let (code, told) = check(&company, options);
        assert_eq!(code, Some(0), "{options:?}:\n{told}");
    }
}

#[test]
fn the_check_finds_a_wrong_figure() {
    let company = Company::new(400, 18, 4);
    company.backtest();
    let report = fs::read_to_string(company.path("report.json")).expect("it is there");
    let mut report: serde_json::Value = serde_json::from_str(&report).expect("it is JSON");
    let places = [
        "/overall/true",
        "/overall/precision_interval/0",
        "/overall/lift",
        "/by_rule/0/signals",
        "/by_month/3/churns",
        "/baselines/random/recall",
        "/health/auc",
        "/health/auc_interval/1",
        "/health/gains/2/lift",
        "/health/by_segment/0/lift",
    ];
    for place in places {
        let figure = report.pointer_mut(place).expect("it is there");
        *figure = (figure.as_f64().expect("it is a number") + 1.0).into();
    }
    fs::write(company.path("report.json"), report.to_string()).expect("it can be written");
    let (code, told) = check(&company, &[]);
    assert_eq!(code, Some(1), "{told}");
    let names = [
        "overall.true",
        "overall.precision_interval",
        "overall.lift",
        ".signals",
        "month ",
        "random recall",
        "health.auc:",
        "health.auc_interval",
        "gain 3",
        "segment ",
    ];
    for name in names {
        assert!(told.contains(name), "{name} is not in:\n{told}");
    }
}

/// The exit code of the check with these options, and all that it told.
fn check(company: &Company, options: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(python(&JUDGE));
    command.args(["-B", CHECK]);
    command.args(["events.jsonl.zst", "signals.jsonl", "observations.csv", "report.json"].map(|name| company.path(name)));
    let output = command.args(options).output().expect("python runs");
    let told = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&told).into_owned())
}
