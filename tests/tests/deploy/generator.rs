//! The company of the compose file: its history ends now, and the rest is to come.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use bellwether_tests::product::{binary, succeeded};
use serde_json::Value;

use crate::support::{output, top};

fn generate(directory: &Path) {
    let product = binary();
    let product = Path::new(product.get_program()).parent().expect("it is in a directory");
    let path = env::var("PATH").expect("there is a PATH");
    let mut command = Command::new("python3");
    command.arg(top("deploy/compose/generator/generate.py")).args(["make", "--customers=60", "--months=4", "--to-come=20"]).arg(directory);
    succeeded(&output(command.env("PATH", format!("{}:{path}", product.display()))));
}

#[test]
fn history_is_taken_in_whole_and_the_rest_is_to_come() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = |name: &str| directory.path().join(name);
    generate(directory.path());
    let rest = fs::read_to_string(path("to-come.jsonl")).expect("it is there");
    let times: Vec<String> = rest
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("it is JSON")["time"].as_str().expect("an event has a time").to_owned())
        .collect();
    assert!(times.len() > 100 && times.is_sorted(), "{}", times.len());

    let mut run = binary();
    run.args(["run", "--once", "--strict", "--metrics", "off", "--events"]).arg(path("history.jsonl.zst"));
    run.arg("--data").arg(path("state")).arg("--summary").arg(path("summary.json"));
    succeeded(&output(&mut run));
    let summary: Value = serde_json::from_slice(&fs::read(path("summary.json")).expect("it is there")).expect("it is JSON");
    let all = zstd::decode_all(&fs::read(path("events.jsonl.zst")).expect("it is there")[..]).expect("it is Zstandard");
    let lines = all.iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(summary["events"].as_u64(), Some((lines - times.len()) as u64), "no event is lost");

    generate(directory.path());
    assert_eq!(fs::read_to_string(path("to-come.jsonl")).expect("it is there"), rest, "a second call changes nothing");
}
