//! What commands print for machines, and what an erasure leaves, before the schemas.

use std::fs;
use std::path::Path;
use std::process::{Output, Stdio};

use bellwether_tests::contracts::check;
use bellwether_tests::product::{binary, succeeded};
use serde_json::Value;

fn run(arguments: &[&str], paths: &[(&str, &Path)]) -> Output {
    let mut command = binary();
    command.args(arguments).env("BELLWETHER_LOG", "error");
    paths.iter().for_each(|(name, path)| _ = command.arg(name).arg(path));
    let output = command.output().expect("the binary runs");
    succeeded(&output);
    output
}

fn simulate(customers: &str, months: &str, more: &[&str], out: &Path) -> Value {
    let arguments = ["simulate", "--customers", customers, "--months", months, "--seed", "5"];
    let output = run(&[&arguments[..], more].concat(), &[("--out", out)]);
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn totals_of_a_made_up_company() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let totals = [simulate("60", "14", &[], directory.path()), simulate("30", "3", &["--no-outage"], directory.path())];
    assert!(totals[0]["outage"].is_object() && totals[1]["outage"].is_null(), "{totals:?}");
    check("simulation", &totals);
}

#[test]
fn a_model_that_was_learned() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    simulate("700", "15", &[], directory.path());
    let [events, rules, json] = ["events.jsonl.zst", "fitted.yaml", "fitted.json"].map(|name| directory.path().join(name));
    run(&["fit", "--until", "2024-11-01"], &[("--events", &events), ("--out", &rules), ("--json", &json)]);
    let model: Value = serde_json::from_slice(&fs::read(&json).expect("it is written")).expect("JSON");
    assert!(model["cross_validation"].is_object() && !model["model"]["inputs"].as_array().expect("a list").is_empty(), "{model}");
    check("fit", &[model]);
}

#[test]
fn lines_of_a_log() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut command = binary();
    command.args(["run", "--events", "-", "--once", "--metrics", "127.0.0.1:0", "--data"]).arg(directory.path().join("data"));
    command.env("BELLWETHER_LOG", "debug").env("BELLWETHER_LOG_FORMAT", "json").stdin(Stdio::null());
    let output = command.output().expect("the binary runs");
    succeeded(&output);
    let lines: Vec<Value> =
        String::from_utf8(output.stderr).expect("UTF-8").lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    check("log", &lines);
}

#[test]
fn snapshots_and_what_an_erasure_leaves() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let at = |name: &str| directory.path().join(name);
    simulate("60", "8", &[], directory.path());
    let (events, data, place) = (at("events.jsonl.zst"), at("data"), at("snapshots"));
    run(&["run", "--once", "--metrics", "off"], &[("--events", &events), ("--data", &data)]);

    run(&["snapshot", "take"], &[("--data", &data), ("--to", &place)]);
    let list = || -> Value { serde_json::from_slice(&run(&["snapshot", "list", "--json"], &[("--from", &place)]).stdout).expect("JSON") };
    let whole = list();
    assert_eq!(whole["snapshots"].as_array().map(Vec::len), Some(4), "{whole}");
    let name = whole["snapshots"][0]["name"].as_str().expect("a name");
    fs::write(place.join(format!("{name}.json")), "{}").expect("it can be written");
    let damaged = list();
    assert_eq!((damaged["snapshots"].as_array().map(Vec::len), &damaged["damaged"][0]["name"]), (Some(3), &name.into()), "{damaged}");
    check("snapshot-list", &[whole.clone(), damaged]);

    let signals = fs::read_to_string(data.join("signals.jsonl")).expect("there are signals");
    let first: Value = serde_json::from_str(signals.lines().next().expect("there is one")).expect("JSON");
    let customer = first["subject"].as_str().expect("a customer");
    run(&["erase", customer, "--outputs"], &[("--data", &data)]);
    let signals = fs::read_to_string(data.join("signals.jsonl")).expect("there are signals");
    let erased: Vec<&str> = signals.lines().filter(|line| line.contains("erased\"")).collect();
    assert!(!erased.is_empty() && !signals.contains(&format!("\"{customer}\"")));
    check("erased-line", &erased.iter().map(|line| serde_json::from_str(line).expect("JSON")).collect::<Vec<Value>>());
}
