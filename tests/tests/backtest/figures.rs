//! The figures of a report are those of a plain script, and of scikit-learn.

use std::fs;
use std::process::Command;

use bellwether_tests::python::python;

use crate::support::Company;

/// Judges the alarms anew, from events and signals alone.
const CHECK: &str = include_str!("../../backtest/check.py");

const PACKAGES: [&str; 2] = ["scikit-learn==1.9.1", "zstandard==0.25.0"];

#[test]
fn an_independent_computation_finds_the_same_on_three_companies() {
    for (customers, months, seed) in [(800, 24, 1), (400, 30, 2), (1_200, 18, 3)] {
        let company = Company::new(customers, months, seed);
        company.backtest();
        let (code, told) = check(&company);
        assert_eq!(code, Some(0), "company {seed}:\n{told}");
        assert!(told.contains("25 rules"), "{told}");
    }
}

#[test]
fn the_check_finds_a_wrong_figure() {
    let company = Company::new(400, 18, 4);
    company.backtest();
    let report = fs::read_to_string(company.path("report.json")).expect("it is there");
    let mut report: serde_json::Value = serde_json::from_str(&report).expect("it is JSON");
    for place in ["/overall/true", "/by_rule/0/signals", "/health/auc"] {
        let figure = report.pointer_mut(place).expect("it is there");
        *figure = (figure.as_f64().expect("it is a number") + 1.0).into();
    }
    fs::write(company.path("report.json"), report.to_string()).expect("it can be written");
    let (code, told) = check(&company);
    assert_eq!(code, Some(1), "{told}");
    for name in ["overall.true", ".signals", "health.auc"] {
        assert!(told.contains(name), "{name} is not in:\n{told}");
    }
}

/// The exit code of the check, and all that it told.
fn check(company: &Company) -> (Option<i32>, String) {
    let mut command = Command::new(python(&PACKAGES));
    command.args(["-c", CHECK]);
    command.args(["events.jsonl.zst", "signals.jsonl", "observations.csv", "report.json"].map(|name| company.path(name)));
    let output = command.output().expect("python runs");
    let told = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&told).into_owned())
}
