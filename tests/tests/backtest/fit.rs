//! The model that `fit` learns is as good as scikit-learn's, is the health of its rule file, and knows nothing of the time after the split.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

use bellwether_tests::product::{binary, succeeded};
use bellwether_tests::python::python;

use crate::support::Company;

/// Learns anew, from exported features alone.
const CHECK: &str = include_str!("../../backtest/fit.py");

const PACKAGES: [&str; 2] = ["scikit-learn==1.9.1", "zstandard==0.25.0"];

/// With at least 300 customers that churn on each side of the split.
#[test]
fn scikit_learn_ranks_customers_no_better() {
    let company = Company::new(2_600, 30, 1);
    succeeded(&fit(&company, "events.jsonl.zst", "2025-07-01", "fitted", &[]));
    succeeded(&binary().args(["rules", "check"]).arg(company.path("fitted.yaml")).output().expect("the binary starts"));
    export(&company);
    let files = [company.path("features.csv"), company.path("fitted.json")];
    let told = check([&files[0], &files[1]], "0.01", 0);
    let customers: Vec<u32> =
        told.lines().filter_map(|line| line.split_once(" of churns of ")?.1.split(' ').next()?.parse().ok()).collect();
    assert!(customers.len() == 2 && customers.iter().all(|customers| *customers >= 300), "{told}");

    // A model that is worse, or another than its health, is found out.
    let path = company.path("fitted.json");
    let mut learned: serde_json::Value = serde_json::from_slice(&fs::read(&path).expect("it is there")).expect("it is JSON");
    learned["test"]["auc"] = 0.5.into();
    fs::write(&path, learned.to_string()).expect("it can be written");
    let told = check([&files[0], &files[1]], "0.01", 1);
    assert!(
        ["formula", "health", "scikit-learn"]
            .iter()
            .all(|what| told.contains(&format!("differs: the {what}")) || told.contains(&format!("differs: {what}"))),
        "{told}"
    );
}

#[test]
fn a_model_is_the_same_again_and_whatever_comes_after_the_split() {
    let company = Company::new(500, 20, 5);
    cut(&company, "2025-03-10");
    let models = [("events.jsonl.zst", "one"), ("events.jsonl.zst", "two"), ("cut.jsonl", "cut")].map(|(events, name)| {
        succeeded(&fit(&company, events, "2025-03-10", name, &[]));
        let learned = fs::read(company.path(&format!("{name}.json"))).expect("it is written");
        let learned: serde_json::Value = serde_json::from_slice(&learned).expect("it is JSON");
        (fs::read(company.path(&format!("{name}.yaml"))).expect("it is written"), learned)
    });
    let [one, two, cut] = models;
    assert_eq!(one, two);
    assert_eq!((&one.1["model"], &one.1["training"]), (&cut.1["model"], &cut.1["training"]));
    assert!(one.1["test"]["rows"].as_u64() > Some(0) && cut.1["test"]["rows"] == 0);
    assert!(one.1["cross_validation"]["auc"].as_f64().is_some_and(|auc| auc > 0.5), "{}", one.1["cross_validation"]);

    for (feature, reason) in
        [("cancel_requested", "would be a leak"), ("health", "made of other features"), ("usage_rati", "did you mean `usage_ratio`")]
    {
        let refused = fit(&company, "events.jsonl.zst", "2025-03-10", "refused", &["--features", feature]);
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(refused.status.code() == Some(2) && told.contains(reason), "{told}");
    }
    // The file is taken as it is, by what judges and by what runs.
    let mut backtest = binary();
    backtest.arg("backtest").arg("--events").arg(company.path("events.jsonl.zst")).arg("--rules").arg(company.path("one.yaml"));
    let more = [("--json", "report.json"), ("--signals", "backtested.jsonl")].map(|(argument, name)| (argument, company.path(name)));
    more.iter().for_each(|(argument, path)| _ = backtest.arg(argument).arg(path));
    succeeded(&backtest.output().expect("the binary starts"));
    let mut run = binary();
    run.args(["run", "--once", "--metrics", "off", "--events"])
        .arg(company.path("events.jsonl.zst"))
        .arg("--rules")
        .arg(company.path("one.yaml"));
    run.arg("--data").arg(company.path("data")).arg("--signals").arg(company.path("ran.jsonl"));
    succeeded(&run.output().expect("the binary starts"));
    let signals = fs::read(company.path("ran.jsonl")).expect("it is written");
    assert!(String::from_utf8_lossy(&signals).contains("\"rule\":\"fitted-risk\""), "the model speaks");
    assert!(signals == fs::read(company.path("backtested.jsonl")).expect("it is written"), "what runs and what is judged differ");
    let report: serde_json::Value =
        serde_json::from_slice(&fs::read(company.path("report.json")).expect("it is written")).expect("it is JSON");
    assert!(report["health"]["auc"].as_f64() > Some(0.6), "{}", report["health"]["auc"]);

    let early = fit(&company, "events.jsonl.zst", "2024-03-01", "early", &[]);
    assert_eq!(early.status.code(), Some(2));
    assert!(!company.path("early.yaml").exists() && !company.path("refused.yaml").exists());
}

/// Learns, and writes `NAME.yaml` and `NAME.json`.
fn fit(company: &Company, events: &str, until: &str, name: &str, others: &[&str]) -> Output {
    let mut command = binary();
    command.arg("fit").arg("--events").arg(company.path(events)).args(["--until", until]).args(others);
    command.arg("--out").arg(company.path(&format!("{name}.yaml"))).arg("--json").arg(company.path(&format!("{name}.json")));
    command.output().expect("the binary starts")
}

/// Exports features under the fitted rules.
fn export(company: &Company) {
    let mut command = binary();
    command.arg("features").arg("--events").arg(company.path("events.jsonl.zst")).arg("--rules").arg(company.path("fitted.yaml"));
    succeeded(&command.arg("--out").arg(company.path("features.csv")).output().expect("the binary starts"));
}

/// Writes the events before a date to `cut.jsonl`.
fn cut(company: &Company, date: &str) {
    let events = zstd::decode_all(&fs::read(company.path("events.jsonl.zst")).expect("it is there")[..]).expect("it is whole");
    let mut file = fs::File::create(company.path("cut.jsonl")).expect("it can be made");
    for line in events.split_inclusive(|byte| *byte == b'\n') {
        let event: serde_json::Value = serde_json::from_slice(line).expect("it is JSON");
        if event["time"].as_str() < Some(date) {
            file.write_all(line).expect("it can be written");
        }
    }
}

/// What the check tells of exported features and a model, whose AUC may be worse by a limit.
pub fn check(files: [&Path; 2], limit: &str, expected: i32) -> String {
    let mut command = Command::new(python(&PACKAGES));
    command.args(["-c", CHECK]).args(files).arg(limit);
    let output = command.output().expect("python runs");
    let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert_eq!(output.status.code(), Some(expected), "{told}");
    println!("{told}");
    told
}
