//! The company of the compose file: its history ends now, and the rest is to come.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use bellwether_tests::broker::Broker;
use bellwether_tests::product::{INPUT_PARTITIONS, Product, Running, binary, succeeded};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::support::{output, top};

const PARTITIONS: u16 = 2;

/// How long anything may take on a slow and busy machine.
const LONG: Duration = Duration::from_secs(120);

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

/// Events that are told in the test, and how far they lie apart.
const TOLD: usize = 60;
const DISTANCE_MS: i64 = 100;

/// Moves what is to come so that it begins now and takes some seconds. Returns the ids of the events with their times, milliseconds since the epoch.
fn hurry(to_come: &Path) -> BTreeMap<String, i64> {
    let text = fs::read_to_string(to_come).expect("it is there");
    let now = Timestamp::now();
    let (mut moved, mut times) = (String::new(), BTreeMap::new());
    for line in text.lines() {
        let mut event: Value = serde_json::from_str(line).expect("it is JSON");
        let id = event["id"].as_str().expect("an event has an id").to_owned();
        // The company delivers some events twice.
        if times.len() == TOLD || times.contains_key(&id) {
            continue;
        }
        let time = now + SignedDuration::from_millis(times.len() as i64 * DISTANCE_MS);
        event["time"] = format!("{time:.3}").into();
        moved += &format!("{event}\n");
        times.insert(id, time.as_millisecond());
    }
    fs::write(to_come, moved).expect("it can be written");
    times
}

fn play(product: &Product, directory: &Path) -> Running {
    let mut command = Command::new("python3");
    let brokers = format!("--brokers={}", product.connection().bootstrap_servers);
    command.arg(top("deploy/compose/generator/generate.py")).args(["play", &brokers, "--topic", &product.topic("events")]).arg(directory);
    Running::from(command.spawn().expect("Python starts"))
}

/// The ids of events in a topic, with the times at which the records were told, for as many records as there are.
fn events_of(product: &Product, topic: &str, partitions: u16) -> Vec<(String, i64)> {
    let id = |value: &[u8]| serde_json::from_slice::<Value>(value).ok()?["id"].as_str().map(str::to_owned);
    let read = product.read(topic, partitions, |record| Some((id(record.value?)?, record.timestamp_ms?)));
    read.into_iter().flatten().collect()
}

#[test]
fn what_is_to_come_is_told_at_its_time_and_taken_in_once() {
    let product = Product::new(Broker::shared().bootstrap(), "generated", PARTITIONS);
    product.create();
    let directory = tempfile::tempdir().expect("a temporary directory");
    generate(directory.path());
    let history = directory.path().join("history.jsonl.zst");
    let import = ["journal", "import", "--events", history.to_str().expect("UTF-8"), "--config"];
    succeeded(&product.bellwether(&import, &[&product.configuration("one")]));
    let instance = product.start("one", "all", 1);

    let times = hurry(&directory.path().join("to-come.jsonl"));
    assert_eq!(times.len(), TOLD);
    let told = || fs::read_to_string(directory.path().join("told")).ok().and_then(|told| told.parse::<usize>().ok()).unwrap_or_default();
    let player = play(&product, directory.path());
    wait_until("a third is told", || told() > TOLD / 3);
    player.kill();
    let before = told();
    assert!(before < TOLD, "it was killed amid it");
    let mut player = play(&product, directory.path());
    let mut ended = None;
    wait_until("all is told", || {
        ended = player.ended();
        ended.is_some()
    });
    assert!(ended.is_some_and(|status| status.success()), "{ended:?}");
    assert_eq!(told(), TOLD);

    let ids: Vec<&String> = times.keys().collect();
    let records = events_of(&product, "events", INPUT_PARTITIONS as u16);
    assert_eq!(records.iter().map(|(id, _)| id).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>(), ids);
    for (id, at) in &records {
        assert!(*at >= times[id], "{id} is told {} ms too early", times[id] - at);
    }
    let taken_in = || {
        let mut taken: Vec<String> = events_of(&product, "journal", PARTITIONS).into_iter().map(|(id, _)| id).collect();
        taken.retain(|id| times.contains_key(id));
        taken.sort_unstable();
        taken
    };
    wait_until("all is taken in", || taken_in().len() >= TOLD);
    assert_eq!(instance.stop(), Some(0));
    assert_eq!(taken_in().iter().collect::<Vec<_>>(), ids, "each once");
}

#[track_caller]
fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < LONG, "it never comes that {what}");
        sleep(Duration::from_millis(100));
    }
}
