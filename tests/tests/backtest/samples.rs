//! Models of the sample logs: as good as scikit-learn's on the one with churns enough, and marked as indicative on the other.

use std::path::{Path, PathBuf};

use bellwether_tests::product::{binary, succeeded};
use bellwether_tests::sample_logs::sample_log;
use serde_json::Value;

use crate::fit::check;

/// How much worse than scikit-learn's a model may rank customers.
const LIMIT: &str = "0.03";

/// What is left undone without a log.
const UNDONE: &str = "no model of it was judged";

#[test]
fn a_model_of_socialnet7_ranks_as_scikit_learn_does() {
    let Some(log) = sample_log("socialnet7.jsonl.zst", UNDONE) else { return };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (rules, _, learned) = fit(&log, directory.path(), "2020-07-01");
    assert!(learned["test"]["churns"].as_u64() > Some(100), "{}", learned["test"]);
    let features = directory.path().join("features.csv");
    let mut command = binary();
    command.arg("features").arg("--events").arg(&log).arg("--rules").arg(&rules).arg("--out").arg(&features);
    succeeded(&command.output().expect("the binary starts"));
    check([&features, &directory.path().join("fitted.json")], LIMIT, 0);
}

#[test]
fn a_model_of_crm6_is_cross_validated_by_customer_and_marked_as_indicative() {
    let Some(log) = sample_log("crm6.jsonl.zst", UNDONE) else { return };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (rules, told, learned) = fit(&log, directory.path(), "2023-08-01");
    println!("{told}");
    assert!(told.contains("cross-validated on") && told.contains("these figures are only indicative"), "{told}");
    assert!(learned["cross_validation"]["rows"].as_u64() > Some(500), "{}", learned["cross_validation"]);
    let [training, test] = ["training_churns", "test_churns"].map(|name| learned[name].as_u64().expect("a count"));
    assert!(training >= 20 && (1..300).contains(&test), "{training} churns before the split, {test} after it");
    let text = std::fs::read_to_string(rules).expect("it is written");
    assert!(text.lines().take_while(|line| line.starts_with('#')).any(|line| line.contains("indicative")), "the file does not say so");
}

/// The rule file, what was told, and the model.
fn fit(log: &Path, directory: &Path, until: &str) -> (PathBuf, String, Value) {
    let (rules, json) = (directory.join("fitted.yaml"), directory.join("fitted.json"));
    let mut command = binary();
    command.arg("fit").arg("--events").arg(log).args(["--until", until]).arg("--out").arg(&rules).arg("--json").arg(&json);
    let output = command.output().expect("the binary starts");
    succeeded(&output);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    (rules, told, serde_json::from_slice(&std::fs::read(json).expect("it is written")).expect("it is JSON"))
}
