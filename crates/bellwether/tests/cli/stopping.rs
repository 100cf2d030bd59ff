//! A run that is told to stop in the middle of its files, and goes on with the same command.

use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use super::support::{PATIENCE, Scratch, bellwether, run, send};

/// How often the run is told to stop.
const STOPS: usize = 2;

#[test]
fn a_run_stopped_amid_its_file_exits_with_0_and_goes_on_to_what_a_replay_gives() {
    let scratch = Scratch::new();
    let out = scratch.path("company");
    run(&["simulate", "--customers", "60", "--months", "12", "--seed", "5", "--out", &out]).exits(0);
    let events = format!("{out}/events.jsonl.zst");
    let (data, signals, summary) = (scratch.path("data"), scratch.path("signals.jsonl"), scratch.path("summary.json"));
    let batches = ["--batch-records", "40", "--batch-reviews", "25", "--once", "--metrics", "off"];
    let command = [&["run", "--events", &events, "--data", &data, "--signals", &signals, "--summary", &summary][..], &batches].concat();
    let length = || fs::metadata(&signals).map_or(0, |file| file.len());
    let mut events_until_stop = Vec::new();
    for _ in 0..STOPS {
        let before = length();
        let mut child = bellwether(&command).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let started = Instant::now();
        while length() == before {
            assert!(child.try_wait().unwrap().is_none(), "it ended before it could be stopped");
            assert!(started.elapsed() < PATIENCE, "it writes no signals");
            thread::sleep(Duration::from_millis(2));
        }
        send("-TERM", &child);
        assert_eq!(child.wait().unwrap().code(), Some(0));
        events_until_stop.push(scratch.summary()["events"].as_u64().unwrap());
    }
    run(&command).exits(0);
    let all = scratch.summary()["events"].as_u64().unwrap();
    assert!(
        events_until_stop.iter().all(|events| (1..all).contains(events)),
        "the stops came amid the {all} events: {events_until_stop:?}"
    );
    assert!(events_until_stop.is_sorted_by(|one, next| one < next), "each run went on: {events_until_stop:?}");
    let replayed = scratch.path("replayed.jsonl");
    run(&["replay", "--events", &events, "--signals", &replayed]).exits(0);
    for (live, replayed) in [("signals.jsonl", "replayed.jsonl"), ("signals.jsonl.decisions", "replayed.jsonl.decisions")] {
        let (live, replayed) = (scratch.read(live), scratch.read(replayed));
        assert!(!live.is_empty() && live == replayed, "run and replay differ");
    }
}
