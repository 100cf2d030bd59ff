//! The journal of an embedded run, replayed from its data directory.

use std::io::Write as _;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use super::support::{Scratch, bellwether, company, run};

const RULES: &str = "signals:
  - { name: seen, kind: attention, when: logins_28d >= 1, summary: seen, playbook: none }
";

/// The signals file is in the order of epochs, a replay of the journal in that of partitions.
fn sorted(scratch: &Scratch, name: &str) -> Vec<String> {
    let text = String::from_utf8(scratch.read(name)).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}

#[test]
fn a_journal_replays_to_the_signals_of_its_run_with_the_rules_that_it_had() {
    let scratch = Scratch::new();
    let rules = scratch.file("rules.yaml", RULES);
    let (data, replayed) = (scratch.path("data"), scratch.path("replayed.jsonl"));
    for more in [&[][..], &["--rules", &rules]] {
        scratch.run_once(company(), more).exits(0);
        run(&["replay", "--journal", &data, "--signals", &replayed]).exits(0);
        assert!(sorted(&scratch, "signals.jsonl") == sorted(&scratch, "replayed.jsonl"), "with {more:?}");
        assert!(sorted(&scratch, "signals.jsonl.decisions") == sorted(&scratch, "replayed.jsonl.decisions"), "with {more:?}");
    }
    let text = sorted(&scratch, "replayed.jsonl").join("\n");
    assert!(text.contains("signal.expired") && text.contains("\"rule\":\"seen\""), "the second rule set has done something");
}

#[test]
fn a_journal_can_be_replayed_while_its_run_goes_on() {
    let scratch = Scratch::new();
    scratch.run_once(company(), &[]).exits(0);
    let (data, signals, replayed) = (scratch.path("data"), scratch.path("signals.jsonl"), scratch.path("replayed.jsonl"));
    let mut running = bellwether(&["run", "--metrics", "off", "--events", "-", "--data", &data, "--signals", &signals]);
    let mut running = running.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut input = running.stdin.take().unwrap();
    input.write_all(b"{broken\n").unwrap();
    while scratch.dead_letters().is_empty() {
        assert!(running.try_wait().unwrap().is_none(), "it runs until its input ends");
        sleep(Duration::from_millis(20));
    }
    run(&["replay", "--journal", &data, "--signals", &replayed]).exits(0);
    assert!(sorted(&scratch, "signals.jsonl") == sorted(&scratch, "replayed.jsonl"));
    drop(input);
    assert!(running.wait().unwrap().success());
}

#[test]
fn a_directory_without_a_journal_is_told() {
    let scratch = Scratch::new();
    run(&["replay", "--journal", &scratch.path("nothing"), "--signals", "-"]).exits(2).tells(&["no data directory with a journal"]);
}

#[test]
fn history_can_be_decided_in_silence() {
    const CUT_OVER: &str = "2024-05-10T12:00:00Z";
    let scratch = Scratch::new();
    let (data, replayed) = (scratch.path("data"), scratch.path("replayed.jsonl"));
    scratch.run_once(company(), &["--quiet-until", CUT_OVER]).exits(0);
    run(&["replay", "--events", company(), "--quiet-until", CUT_OVER, "--signals", &replayed]).exits(0);
    for name in ["signals.jsonl", "signals.jsonl.decisions"] {
        assert!(scratch.read(name) == scratch.read(&name.replace("signals.jsonl", "replayed.jsonl")), "{name}");
    }
    let signals = sorted(&scratch, "signals.jsonl");
    let time = |line: &String| serde_json::from_str::<serde_json::Value>(line).unwrap()["time"].as_str().unwrap().to_owned();
    assert!(signals.iter().all(|line| time(line).as_str() >= CUT_OVER), "nothing dated before is sent");
    assert!(signals.iter().any(|line| line.contains("\"backfilled\":true") && time(line) == CUT_OVER));
    run(&["replay", "--journal", &data, "--signals", &replayed]).exits(0);
    assert!(signals == sorted(&scratch, "replayed.jsonl"), "the journal knows of the silence");
    for other in [&["--quiet-until", "2024-05-11"][..], &[]] {
        scratch.run_once(company(), other).exits(2).tells(&["goes with its first rules", CUT_OVER]);
    }
    scratch.run_once(company(), &["--quiet-until", CUT_OVER]).exits(0);
    assert!(signals == sorted(&scratch, "signals.jsonl"));
}
