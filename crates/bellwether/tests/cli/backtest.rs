//! Backtests as their users meet them: what they read, write, and exit with.

use std::fs;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::support::{Scratch, bellwether, company, run};

/// How long to wait for anything, on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// A rule that speaks often on the small company, with a param to sweep.
fn rules(days: u32) -> String {
    format!(
        "signals:\n  - {{ name: quiet, kind: at_risk, params: {{ days: {days} }}, when: days_since_login >= days, summary: quiet, warm_up: 0s }}\n"
    )
}

/// The report of a backtest with these arguments.
#[track_caller]
fn report(scratch: &Scratch, arguments: &[&str]) -> Value {
    let json = scratch.path("report.json");
    run(&[&["backtest", "--json", &json], arguments].concat()).exits(0);
    serde_json::from_slice(&scratch.read("report.json")).expect("the report is JSON")
}

#[test]
fn it_raises_what_a_replay_raises() {
    let scratch = Scratch::new();
    let (replayed, backtested) = (scratch.path("replayed.jsonl"), scratch.path("backtested.jsonl"));
    run(&["replay", "--events", company(), "--signals", &replayed]).exits(0);
    let report = report(&scratch, &["--events", company(), "--signals", &backtested, "--sweep", "no-login-30d.days=10..30:10"]);
    let signals = scratch.read("replayed.jsonl");
    assert!(signals.len() > 10_000, "there are signals");
    assert!(signals == scratch.read("backtested.jsonl"), "the signals differ");
    assert!(scratch.read("replayed.jsonl.decisions") == scratch.read("backtested.jsonl.decisions"), "the decisions differ");
    let raised = String::from_utf8(signals).expect("UTF-8").matches("bellwether.signal.raised.v1").count() as u64;
    let counted = report["by_rule"].as_array().expect("there are rules").iter().map(|rule| rule["signals"].as_u64().expect("a count"));
    assert_eq!(counted.sum::<u64>(), raised);
}

#[test]
fn it_raises_from_a_journal_what_a_replay_raises_with_the_recorded_rules() {
    let scratch = Scratch::new();
    let (rules, data) = (scratch.file("rules.yaml", rules(6)), scratch.path("data"));
    let (replayed, backtested) = (scratch.path("replayed.jsonl"), scratch.path("backtested.jsonl"));
    scratch.run_once(company(), &["--rules", &rules]).exits(0);
    run(&["replay", "--journal", &data, "--signals", &replayed]).exits(0);
    report(&scratch, &["--journal", &data, "--rules", &rules, "--signals", &backtested]);
    let signals = String::from_utf8(scratch.read("replayed.jsonl")).expect("UTF-8");
    assert!(signals.contains("\"rule\":\"quiet\""), "the recorded rules have spoken");
    assert!(signals.into_bytes() == scratch.read("backtested.jsonl"), "the signals differ");
    assert!(scratch.read("replayed.jsonl.decisions") == scratch.read("backtested.jsonl.decisions"), "the decisions differ");
}

#[test]
fn shards_files_and_journals_do_not_matter() {
    let scratch = Scratch::new();
    let one = report(&scratch, &["--events", company(), "--partitions", "1"]);
    assert!(one["overall"]["signals"].as_u64().expect("a count") > 10);
    for partitions in ["2", "7"] {
        assert_eq!(report(&scratch, &["--events", company(), "--partitions", partitions]), one);
    }
    // The same events in two files.
    let text = String::from_utf8(zstd::decode_all(fs::File::open(company()).expect("it is there")).expect("it reads")).expect("UTF-8");
    let halves: [Vec<&str>; 2] = [0, 1].map(|half| text.lines().skip(half).step_by(2).collect());
    let paths = [0, 1].map(|half| scratch.file(&format!("half-{half}.jsonl"), halves[half].join("\n")));
    assert_eq!(report(&scratch, &["--events", &paths[0], &paths[1]]), one);
    // And packed otherwise.
    let mut gzip = Command::new("gzip");
    gzip.arg(scratch.file("packed.jsonl", &text));
    assert!(gzip.status().expect("there is a `gzip`").success());
    assert_eq!(report(&scratch, &["--events", &scratch.path("packed.jsonl.gz")]), one);
    scratch.run_once(company(), &[]).exits(0);
    let mut journal = report(&scratch, &["--journal", &scratch.path("data")]);
    assert_eq!(journal["log"]["hash"], one["log"]["hash"]);
    journal["log"]["refused"] = one["log"]["refused"].clone();
    assert_eq!(journal, one);
}

#[test]
fn what_comes_later_changes_nothing() {
    let scratch = Scratch::new();
    let text = String::from_utf8(zstd::decode_all(fs::File::open(company()).expect("it is there")).expect("it reads")).expect("UTF-8");
    let time_of = |line: &str| serde_json::from_str::<Value>(line).expect("JSON")["time"].as_str().expect("a time").to_owned();
    let lines: Vec<&str> = text.lines().collect();
    let until = time_of(lines[lines.len() * 2 / 3]);
    let kept: Vec<&str> = lines.iter().copied().take_while(|line| time_of(line) <= until).collect();
    let truncated = scratch.file("truncated.jsonl", kept.join("\n"));
    let (whole_signals, truncated_signals) = (scratch.path("whole.jsonl"), scratch.path("cut.jsonl"));
    let cut = report(&scratch, &["--events", &truncated, "--signals", &truncated_signals]);
    let whole = report(&scratch, &["--events", company(), "--to", &until, "--signals", &whole_signals]);
    assert_eq!(whole, cut);
    assert_eq!(cut["log"]["to"], until.as_str());
    assert!(scratch.read("whole.jsonl") == scratch.read("cut.jsonl"), "the signals differ");
    assert!(!scratch.read("cut.jsonl").is_empty());
    // The log that goes on tells the same up to then, and more after it: a look ahead would be seen.
    let later = report(&scratch, &["--events", company(), "--signals", &whole_signals]);
    assert_ne!(later, cut);
    let by_then = |name: &str| -> Vec<String> {
        let text = String::from_utf8(scratch.read(name)).expect("UTF-8");
        let mut lines: Vec<String> = text.lines().filter(|line| time_of(line) <= until).map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert!(by_then("whole.jsonl") == by_then("cut.jsonl"), "what comes later changes signals before it");
    assert!(scratch.read("whole.jsonl").len() > scratch.read("cut.jsonl").len());
}

#[test]
fn a_point_of_a_sweep_is_the_rule_with_that_value() {
    let scratch = Scratch::new();
    let swept = scratch.file("rules.yaml", rules(10));
    let sweep = report(&scratch, &["--events", company(), "--rules", &swept, "--sweep", "quiet.days=4..12:4"]);
    let points = sweep["sweep"]["points"].as_array().expect("there are points");
    assert_eq!(points.iter().map(|point| point["value"].as_f64()).collect::<Vec<_>>(), [Some(4.0), Some(8.0), Some(12.0)]);
    let mut seen = Vec::new();
    for (point, days) in points.iter().zip([4, 8, 12]) {
        let alone = scratch.file("one.yaml", rules(days));
        let one = report(&scratch, &["--events", company(), "--rules", &alone]);
        assert_eq!(point["figures"], one["overall"], "{days} days");
        assert_eq!(point["overall"], one["overall"], "{days} days");
        seen.push(one["overall"]["signals"].as_u64());
    }
    seen.dedup();
    assert_eq!(seen.len(), 3, "the points differ");
}

#[test]
fn rules_are_compared_with_a_baseline() {
    let scratch = Scratch::new();
    let (ours, theirs) = (scratch.file("ours.yaml", rules(4)), scratch.file("theirs.yaml", rules(12)));
    let both = report(&scratch, &["--events", company(), "--rules", &ours, "--baseline", &theirs]);
    let alone = report(&scratch, &["--events", company(), "--rules", &theirs]);
    assert_eq!(both["compare"]["baseline"]["signals"], alone["overall"]["signals"]);
    assert_eq!(both["compare"]["rules"][0]["rule"], "quiet");
    let same = report(&scratch, &["--events", company(), "--rules", &ours, "--baseline", &ours]);
    let compare = &same["compare"];
    for what in ["gained", "lost", "earlier", "later"] {
        assert_eq!(compare[what], 0, "{what}");
    }
    assert!(compare["rules"].as_array().expect("a list").is_empty());
}

#[test]
fn a_gate_decides_the_exit_code() {
    let gate = |expression: &str| run(&["backtest", "--events", company(), "--fail-if", expression]);
    gate("signals < 1").exits(0);
    gate("signals >= 1 && churns >= 0").exits(1).tells(&["--fail-if 'signals >= 1 && churns >= 0': signals is", "churns is"]);
    gate("recall_change < 0").exits(2).tells(&["`recall_change` compares with another rule file: name it with --baseline"]);
    gate("presision < 0.2").exits(2).tells(&["did you mean `precision`?"]);
    gate("cancel-page-visit: signals < 1").exits(0);
    gate("cancel-page-visit: signals >= 1").exits(1).tells(&["--fail-if 'cancel-page-visit: signals >= 1': signals is"]);
    gate("support-silence: precision < 2").exits(1).tells(&["cannot be judged: this log gives no precision"]);
    gate("cancel-page-visits: signals < 1").exits(2).tells(&["there is no rule `cancel-page-visits`: did you mean `cancel-page-visit`?"]);
    gate("cancel-page-visit: signal < 1").exits(2).tells(&["did you mean `signals`?", "figures of a rule are"]);
}

#[test]
fn what_makes_no_sense_is_told_before_anything_is_read() {
    let told = |arguments: &[&str], text: &str| run(&[&["backtest", "--events", company()], arguments].concat()).exits(2).tells(&[text]);
    told(&["--horizon", "7d"], "--horizon must not be shorter than --min-lead");
    told(&["--sweep", "no-login-30d.day=1..2:1"], "has no param `day`: did you mean `days`?");
    told(&["--sweep", "no-login-30d.days"], "RULE.PARAM=FROM..TO:STEP");
    let scratch = Scratch::new();
    let outcomes = scratch.file("outcomes.csv", "customer,notice,end\nc-1,soon,\n");
    told(&["--outcomes", &outcomes], "line 2: the notice `soon` is no date");
}

#[test]
fn the_truth_of_the_simulator_can_stand_in_for_the_log() {
    let scratch = Scratch::new();
    let truth = company().replace("events.jsonl.zst", "truth.csv");
    let log = report(&scratch, &["--events", company()]);
    let crm = report(&scratch, &["--events", company(), "--outcomes", &truth]);
    assert_eq!((&crm["log"]["churn_at"], &crm["log"]["unknown_outcomes"]), (&"outcomes".into(), &0.into()));
    assert_eq!(crm["log"]["churns"], log["log"]["churns"]);
}

#[test]
fn the_report_is_as_its_schema_says() {
    let scratch = Scratch::new();
    let published = include_str!("../../../../deploy/contracts/backtest.schema.json");
    assert_eq!(run(&["backtest", "--schema"]).exits(0).output, published, "`bellwether schema backtest` is kept there");
    let schema: Value = serde_json::from_str(published).expect("it is JSON");
    let report = report(&scratch, &["--events", company()]);
    let required = schema["required"].as_array().expect("a list");
    assert!(required.len() > 10);
    for field in required {
        assert!(report.get(field.as_str().expect("a name")).is_some(), "{field}");
    }
    for field in ["signals", "true", "late", "false", "censored", "precision", "recall", "lead_days", "warned"] {
        assert!(report["by_rule"][0].as_object().expect("an object").contains_key(field), "{field}");
    }
}

#[test]
fn a_backtest_that_is_stopped_tells_what_it_has() {
    let scratch = Scratch::new();
    let json = scratch.path("report.json");
    let signals = scratch.path("signals.jsonl");
    let arguments = ["backtest", "--events", "-", "--json", &json, "--signals", &signals, "--fail-if", "signals < 0"];
    let mut child = bellwether(&arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let text = zstd::decode_all(fs::File::open(company()).expect("it is there")).expect("it reads");
    // Standard input stays open, so that only the signal can end it.
    let mut input = child.stdin.take().expect("it is piped");
    input.write_all(&text).and_then(|()| input.flush()).expect("it reads");
    let started = Instant::now();
    while fs::metadata(&signals).map_or(0, |signals| signals.len()) == 0 {
        assert!(started.elapsed() < PATIENCE, "no signals are written");
        sleep(Duration::from_millis(20));
    }
    let stopped = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("there is a `kill`");
    assert!(stopped.success());
    let (mut output, mut errors) = (String::new(), String::new());
    child.stdout.take().expect("it is piped").read_to_string(&mut output).expect("UTF-8");
    child.stderr.take().expect("it is piped").read_to_string(&mut errors).expect("UTF-8");
    assert_eq!(child.wait().expect("it ends").code(), Some(1), "{errors}");
    drop(input);
    assert!(output.starts_with("PARTIAL: stopped before the end of the log"), "{output}");
    assert!(errors.contains("cannot be judged on a part of the log"), "{errors}");
    let report: Value = serde_json::from_slice(&scratch.read("report.json")).expect("the report is JSON");
    assert_eq!(report["partial"], true);
    assert!(report["log"]["events"].as_u64().expect("a count") > 0);
}
