//! Runs and replays of a small company: the same bytes, however they come about.

use std::fs;
use std::process::Stdio;

use super::support::{Ran, Scratch, bellwether, company, run};

#[test]
fn a_second_run_adds_nothing() {
    let scratch = Scratch::new();
    let first = scratch.run_once(company(), &[]).exits(0);
    assert!(first.output.is_empty(), "data goes to standard output, words to standard error: {}", first.output);
    let (signals, decisions, mut summary) = (scratch.read("signals.jsonl"), scratch.read("signals.jsonl.decisions"), scratch.summary());
    assert!(!signals.is_empty() && summary["customers"].as_i64() > Some(0));
    scratch.run_once(company(), &[]).exits(0);
    assert_eq!((scratch.read("signals.jsonl"), scratch.read("signals.jsonl.decisions")), (signals, decisions));
    let mut again = scratch.summary();
    for measured in ["wall_seconds", "events_per_second", "peak_memory_bytes"] {
        summary[measured].take();
        again[measured].take();
    }
    assert_eq!(summary, again);
}

#[test]
fn a_run_and_a_replay_write_the_same_bytes() {
    let mut lines_of_each = Vec::new();
    for partitions in ["1", "4", "7"] {
        let scratch = Scratch::new();
        scratch.run_once(company(), &["--partitions", partitions]).exits(0);
        let replayed = scratch.path("replayed.jsonl");
        run(&["replay", "--events", company(), "--partitions", partitions, "--signals", &replayed]).exits(0);
        assert_eq!(scratch.read("signals.jsonl"), scratch.read("replayed.jsonl"), "{partitions} partitions");
        assert_eq!(scratch.read("signals.jsonl.decisions"), scratch.read("replayed.jsonl.decisions"), "{partitions} partitions");
        let lines = ["signals.jsonl", "signals.jsonl.decisions"].map(|name| scratch.read(name));
        lines_of_each.push(lines.map(|bytes| sorted(&bytes).iter().map(|line| line.to_vec()).collect::<Vec<_>>()));
    }
    assert!(lines_of_each[0].iter().all(|lines| lines.len() > 1), "there are signals and decisions");
    assert!(lines_of_each.iter().all(|lines| *lines == lines_of_each[0]), "how many partitions there are shows after sorting");
}

#[test]
fn batches_do_not_show() {
    let (large, small) = (Scratch::new(), Scratch::new());
    large.run_once(company(), &[]).exits(0);
    small.run_once(company(), &["--batch-records", "1000", "--batch-reviews", "50", "--memory", "256MiB"]).exits(0);
    assert_eq!(large.read("signals.jsonl"), small.read("signals.jsonl"));
}

#[test]
fn signals_go_to_standard_output_and_nothing_else_does() {
    let scratch = Scratch::new();
    scratch.run_once(company(), &[]).exits(0);
    let signals = String::from_utf8(scratch.read("signals.jsonl")).unwrap();
    let data = scratch.path("other-data");
    assert_eq!(
        run(&["run", "--once", "--metrics", "off", "--events", company(), "--data", &data, "--signals", "-"]).exits(0).output,
        signals
    );
    assert_eq!(run(&["replay", "--events", company(), "--signals", "-"]).exits(0).output, signals);
}

#[test]
fn a_run_to_standard_output_between_two_leaves_the_file_as_it_is() {
    let scratch = Scratch::new();
    let text = String::from_utf8(zstd::decode_all(fs::File::open(company()).unwrap()).unwrap()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    // Each part ends with a line end, so that the next one begins with a line.
    let up_to = |share: usize| lines[..lines.len() * share / 3].join("\n") + "\n";
    let (data, signals) = (scratch.path("data"), scratch.path("signals.jsonl"));
    let run_up_to = |share: usize, to: &str| {
        let events = scratch.file("events.jsonl", up_to(share));
        run(&["run", "--metrics", "off", "--events", &events, "--data", &data, "--signals", to]).exits(0).output
    };
    run_up_to(1, &signals);
    let first = scratch.read("signals.jsonl");
    let second = run_up_to(2, "-");
    assert!(!first.is_empty() && !second.is_empty());
    assert_eq!(scratch.read("signals.jsonl"), first);
    run_up_to(3, &signals);
    let third = scratch.read("signals.jsonl");
    assert!(third.len() > first.len() && third.starts_with(&first), "what was written stays, and what comes is appended");
}

#[test]
fn standard_input_gives_what_the_file_gives() {
    let scratch = Scratch::new();
    let replayed = scratch.path("replayed.jsonl");
    run(&["replay", "--events", company(), "--signals", &replayed]).exits(0);
    let plain = scratch.path("events.jsonl");
    fs::write(&plain, zstd::decode_all(fs::File::open(company()).unwrap()).unwrap()).unwrap();
    let mut command = bellwether(&["replay", "--events", "-", "--signals", "-"]);
    let ran = Ran::of(command.stdin(Stdio::from(fs::File::open(&plain).unwrap())).output().unwrap()).exits(0);
    assert_eq!(sorted(ran.output.as_bytes()), sorted(&scratch.read("replayed.jsonl")));
    let data = scratch.path("data");
    let mut command = bellwether(&["run", "--once", "--metrics", "off", "--events", "-", "--data", &data]);
    Ran::of(command.stdin(Stdio::from(fs::File::open(&plain).unwrap())).output().unwrap()).exits(0);
    assert_eq!(sorted(&scratch.read("data/signals.jsonl")), sorted(&scratch.read("replayed.jsonl")));
}

#[test]
fn a_replay_is_cut_to_a_customer_and_a_time() {
    let all = run(&["replay", "--events", company(), "--signals", "-"]).exits(0).output;
    let subject = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["subject"].as_str().unwrap().to_owned();
    let time = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["time"].as_str().unwrap().to_owned();
    let customer = subject(all.lines().next().unwrap());
    let expected: Vec<&str> = all.lines().filter(|line| subject(line) == customer && time(line).as_str() < "2024-06-01").collect();
    let arguments = ["replay", "--events", company(), "--customer", &customer, "--until", "2024-05-31T23:59:59.999Z", "--signals", "-"];
    assert_eq!(run(&arguments).exits(0).output.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn a_run_without_once_ends_with_its_files_and_says_so() {
    let scratch = Scratch::new();
    let data = scratch.path("data");
    run(&["run", "--metrics", "off", "--events", company(), "--data", &data]).exits(0).tells(&["--once"]);
    assert!(scratch.has("data/signals.jsonl"));
}

/// The order of partitions within the file may differ: between numbers of them, and because epochs of standard input end at pauses.
fn sorted(bytes: &[u8]) -> Vec<&[u8]> {
    let mut lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    lines.sort_unstable();
    lines
}
