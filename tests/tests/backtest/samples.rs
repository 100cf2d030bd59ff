//! Models of the sample logs: as good as scikit-learn's on the one with churns enough, and marked as indicative on the other. The logs are not part of
//! the repository: they are looked for where `BELLWETHER_SAMPLE_LOGS` says, or in `../shared/data` beside the checkout.

use std::env;
use std::io::Write;
use std::path::{Path, PathBuf};

use bellwether_tests::product::{binary, succeeded};
use serde_json::Value;

use crate::fit::check;

/// How much worse than scikit-learn's a model may rank customers.
const LIMIT: &str = "0.03";

#[test]
fn a_model_of_socialnet7_ranks_as_scikit_learn_does() {
    let Some(log) = sample("socialnet7.jsonl.zst") else { return };
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
    let Some(log) = sample("crm6.jsonl.zst") else { return };
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

/// A sample log. Where its place is named it must be there; beside the checkout it may be missing, which is told even where tests are quiet.
fn sample(name: &str) -> Option<PathBuf> {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let named = env::var_os("BELLWETHER_SAMPLE_LOGS").map(PathBuf::from);
    let log = checkout.join(named.as_deref().unwrap_or(Path::new("../shared/data"))).join(name);
    if log.is_file() {
        return Some(log);
    }
    assert!(named.is_none(), "{} is not there", log.display());
    let told = format!("NOT RUN: {name} is not beside the checkout and BELLWETHER_SAMPLE_LOGS is not set, so no model of it was judged\n");
    // Not by a macro, whose text a passing test keeps to itself.
    std::io::stderr().write_all(told.as_bytes()).expect("standard error takes text");
    None
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
