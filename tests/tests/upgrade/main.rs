//! A newer fold over what an older one has left: states are made anew from the journal, and signals are neither lost nor told again.

mod support;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use bellwether_codec::state::FOLD_VERSION;
use bellwether_tests::former_fold::{age, set_version, unpack_fold_2};
use bellwether_tests::product::{binary, succeeded};
use serde_json::Value;
use support::{Rebuild, rebuild};

/// Kills that must fall into a rebuild that has begun and not ended.
const KILLS_AMID_REBUILD: u32 = 5;

/// The most kills, should the machine be so fast or so slow that few of them fall there.
const MOST_KILLS: u32 = 100;

/// A run in very small batches.
fn run(directory: &Path, events: &Path) -> Command {
    let mut command = binary();
    command.arg("run").arg("--events").arg(events).arg("--data").arg(directory.join("data"));
    command.arg("--signals").arg(directory.join("signals.jsonl")).arg("--kpis").arg(directory.join("kpis.jsonl"));
    command.args(["--once", "--metrics", "off", "--batch-records", "40", "--batch-reviews", "25"]);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A run that ends well. Returns what it said.
fn finish(directory: &Path, events: &Path) -> String {
    let output = run(directory, events).output().expect("the binary starts");
    succeeded(&output);
    String::from_utf8(output.stderr).expect("UTF-8")
}

#[track_caller]
fn assert_told_once(said: &str, from: u8) {
    let told: Vec<&str> = said.lines().filter(|line| line.contains("are made anew from the journal")).collect();
    assert_eq!(told.len(), 1, "{said}");
    assert!(told[0].contains("WARN") && !said.contains("ERROR"), "{said}");
    assert!(told[0].contains(&format!("from_version={from}")) && told[0].contains(&format!("to_version={FOLD_VERSION}")), "{said}");
}

#[test]
fn killed_at_any_moment_a_rebuild_tells_what_a_straight_run_tells() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (straight, own) = (directory.path().join("straight"), directory.path().join("own"));
    let company = directory.path().join("company");
    [&straight, &own].into_iter().for_each(|path| fs::create_dir(path).expect("it is new"));
    let mut simulate = binary();
    simulate.args(["simulate", "--customers", "40", "--months", "12", "--seed", "9", "--out"]).arg(&company);
    succeeded(&simulate.output().expect("the binary starts"));
    let events = company.join("events.jsonl.zst");
    finish(&straight, &events);

    let mut seed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").subsec_nanos() as u64 | 1;
    println!("seed {seed}");
    let mut random = |below: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % below
    };
    kill_amid_signals(&own, &events, fs::metadata(straight.join("signals.jsonl")).expect("signals").len() / 2);
    age(&own.join("data/state"));
    let (mut kills, mut amid) = (0, 0);
    while amid < KILLS_AMID_REBUILD {
        assert!(kills < MOST_KILLS, "only {amid} of {kills} kills fell into a rebuild");
        let mut command = run(&own, &events);
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the binary starts");
        let mut line = String::new();
        BufReader::new(child.stderr.take().expect("it has an output")).read_line(&mut line).expect("it says something");
        assert!(line.contains("are made anew"), "{line}");
        sleep(Duration::from_millis(random(150)));
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
        kills += 1;
        match rebuild(&own.join("data/state")) {
            Rebuild::Amid => amid += 1,
            // Nothing is made anew yet: the next one goes on.
            Rebuild::Begun => {}
            // It was done already: the next one begins again, further on.
            Rebuild::Done => age(&own.join("data/state")),
        }
    }
    assert_told_once(&finish(&own, &events), FOLD_VERSION - 1);
    assert_eq!(rebuild(&own.join("data/state")), Rebuild::Done);
    for name in ["signals.jsonl", "signals.jsonl.decisions", "kpis.jsonl"] {
        assert!(read(&own.join(name)).len() > 1_000, "{name}");
        assert!(read(&own.join(name)) == read(&straight.join(name)), "{name} is not that of a straight run");
    }
}

/// Kills a run once it has written so much.
fn kill_amid_signals(directory: &Path, events: &Path, length: u64) {
    let mut child = run(directory, events).stderr(Stdio::null()).spawn().expect("the binary starts");
    while fs::metadata(directory.join("signals.jsonl")).map_or(0, |file| file.len()) < length {
        assert!(child.try_wait().expect("a child").is_none(), "it is still at work");
        sleep(Duration::from_millis(1));
    }
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
}

/// A directory that fold 2 has left in the middle of its work, killed between two batches; see [`unpack_fold_2`].
#[test]
fn what_fold_two_has_left_goes_on() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    unpack_fold_2(directory.path());
    let (events, signals) = (directory.path().join("company/events.jsonl.zst"), directory.path().join("signals.jsonl"));
    // What it had appended and not committed was never told.
    let before = read(&signals)[..support::committed_signals(&directory.path().join("data/state"))].to_owned();
    assert_told_once(&finish(directory.path(), &events), 2);
    let after = read(&signals);
    let rest = after.strip_prefix(before.as_str()).expect("what was told stays");
    // What the present fold tells of the same events, by the rules that the old one had, is what both have told together.
    let journal = directory.path().join("data");
    let replayed = directory.path().join("replayed.jsonl");
    let mut replay = binary();
    replay.args(["replay", "--journal"]).arg(&journal).arg("--signals").arg(&replayed);
    succeeded(&replay.output().expect("the binary starts"));
    let ids = |text: &str| -> Vec<String> {
        let mut ids: Vec<String> = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")["id"].to_string()).collect();
        ids.sort_unstable();
        ids
    };
    assert!(before.lines().count() > 5 && rest.lines().count() > 3, "{} and {}", before.lines().count(), rest.lines().count());
    assert_eq!(ids(&after), ids(&read(&replayed)));
    // And a second start has nothing to make anew.
    assert!(!finish(directory.path(), &events).contains("made anew"));
    assert_eq!(read(&signals), after);
}

#[test]
fn states_of_a_newer_fold_are_refused_and_left_alone() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    unpack_fold_2(directory.path());
    let events = directory.path().join("company/events.jsonl.zst");
    set_version(&directory.path().join("data/state"), FOLD_VERSION + 1);
    let output = run(directory.path(), &events).output().expect("the binary starts");
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains(&format!("fold version {}", FOLD_VERSION + 1)), "{said}");
    assert!(said.contains("newer"), "{said}");
    set_version(&directory.path().join("data/state"), FOLD_VERSION - 1);
    finish(directory.path(), &events);
}
