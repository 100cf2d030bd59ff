//! A directory that is followed while files come and grow: killed at any moment, the run takes in each event once.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, SystemTime};

/// Files that come.
const FILES: usize = 24;

/// Kills while files come, at least.
const KILLS: usize = 10;

fn bellwether(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bellwether"));
    command.args(arguments).stdin(Stdio::null());
    command
}

#[track_caller]
fn succeeded(mut command: Command) -> Output {
    let output = command.output().expect("the binary runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

fn text(path: &Path) -> &str {
    path.to_str().expect("the path is UTF-8")
}

fn sorted(path: &Path) -> Vec<String> {
    let mut lines: Vec<String> = fs::read_to_string(path).expect("it can be read").lines().map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}

/// A directory that is followed, and what comes of it.
struct Case {
    incoming: PathBuf,
    data: PathBuf,
    summary: PathBuf,
}

impl Case {
    fn run(&self) -> Command {
        let mut command = bellwether(&["run", "--metrics", "off", "--batch-records", "40", "--batch-reviews", "25"]);
        command.arg("--follow").arg(&self.incoming).arg("--data").arg(&self.data).arg("--summary").arg(&self.summary);
        command
    }

    fn journaled(&self) -> u64 {
        fs::metadata(self.data.join("signals.jsonl")).map_or(0, |file| file.len())
    }
}

/// Brings lines in files: some grow under their names, with pauses amid lines, others are packed and moved in whole.
fn feed(incoming: &Path, lines: &[&str]) {
    for (number, part) in lines.chunks(lines.len().div_ceil(FILES)).enumerate() {
        let whole: String = part.iter().map(|line| format!("{line}\n")).collect();
        if number % 4 == 3 {
            let hidden = incoming.join(".coming");
            fs::write(&hidden, zstd::encode_all(whole.as_bytes(), 1).expect("it can be packed")).expect("it can be written");
            fs::rename(&hidden, incoming.join(format!("{number:03}.jsonl.zst"))).expect("it can be moved in");
        } else {
            let mut file = File::create(incoming.join(format!("{number:03}.jsonl"))).expect("it can be made");
            for piece in whole.as_bytes().chunks(whole.len().div_ceil(3)) {
                file.write_all(piece).expect("it can be written");
                sleep(Duration::from_millis(60));
            }
        }
    }
}

#[test]
fn killed_while_files_come_it_takes_in_each_event_once() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = |name: &str| directory.path().join(name);
    succeeded(bellwether(&["simulate", "--customers", "150", "--months", "8", "--seed", "9", "--out", text(&path("company"))]));
    let packed = File::open(path("company/events.jsonl.zst")).expect("there are events");
    let events = String::from_utf8(zstd::decode_all(packed).expect("it unpacks")).expect("it is text");
    let lines: Vec<&str> = events.lines().collect();
    fs::write(path("all.jsonl"), &events).expect("it can be written");

    let case = Case { incoming: path("incoming"), data: path("data"), summary: path("summary.json") };
    fs::create_dir(&case.incoming).expect("it can be made");
    let seed = u64::from(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("time goes on").subsec_nanos());
    println!("seed {seed}");
    let fed = AtomicBool::new(false);
    let mut amid = 0;
    thread::scope(|scope| {
        scope.spawn(|| {
            feed(&case.incoming, &lines);
            fed.store(true, Ordering::Relaxed);
        });
        for kill in 0_u64.. {
            let before = case.journaled();
            let mut running = case.run().stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts");
            sleep(Duration::from_millis(150 + 15 * kill + (seed ^ kill.wrapping_mul(0x9E37_79B9)) % 250));
            running.kill().and_then(|()| running.wait()).expect("it can be killed");
            let was_fed = fed.load(Ordering::Relaxed);
            amid += usize::from(case.journaled() > before);
            if was_fed && amid >= KILLS || kill > 60 {
                break;
            }
            // All there is may be taken in before enough kills fell amid the work.
            if was_fed && case.journaled() == before {
                break;
            }
        }
    });
    assert!(amid >= 3, "only {amid} kills fell amid the work");
    let mut last = case.run();
    last.arg("--once");
    succeeded(last);
    let summary: serde_json::Value = serde_json::from_slice(&fs::read(&case.summary).expect("it is there")).expect("it is JSON");

    // One file, read without a break, gives the same signals and the same counts.
    let straight = path("straight.json");
    let mut command =
        bellwether(&["run", "--once", "--metrics", "off", "--events", text(&path("all.jsonl")), "--data", text(&path("straight"))]);
    command.arg("--summary").arg(&straight);
    succeeded(command);
    let expected: serde_json::Value = serde_json::from_slice(&fs::read(&straight).expect("it is there")).expect("it is JSON");
    for count in ["events", "journaled", "duplicates", "too_late", "customers", "active_customers", "mrr_minor", "signals"] {
        assert_eq!(summary[count], expected[count], "{count}");
    }
    assert_eq!(summary["events"], lines.len());
    let signals = sorted(&case.data.join("signals.jsonl"));
    assert!(signals.len() > 50);
    assert!(signals == sorted(&path("straight/signals.jsonl")), "signals differ from those of a straight run");
    succeeded(bellwether(&["replay", "--journal", text(&case.data), "--signals", text(&path("replayed.jsonl"))]));
    assert!(signals == sorted(&path("replayed.jsonl")), "signals differ from those of the journal's replay");

    // A name before the last one is no event that nobody misses: the run stops, and says so.
    fs::write(case.incoming.join("000a.jsonl"), "{}\n").expect("it can be written");
    let output = case.run().output().expect("the binary runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("000a.jsonl: its name comes before that of"), "{told}");
}

#[test]
fn a_followed_directory_ends_in_good_order() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let case =
        Case { incoming: directory.path().join("in"), data: directory.path().join("data"), summary: directory.path().join("summary.json") };
    fs::create_dir(&case.incoming).expect("it can be made");
    fs::write(case.incoming.join("1.jsonl"), "no event\nhalf a li").expect("it can be written");
    let running = case.run().stderr(Stdio::null()).spawn().expect("the binary starts");
    let letters = || fs::read_to_string(case.data.join("dead-letters.jsonl")).unwrap_or_default();
    while letters().is_empty() {
        sleep(Duration::from_millis(20));
    }
    let status = Command::new("kill").arg("-TERM").arg(running.id().to_string()).status();
    assert!(status.is_ok_and(|status| status.success()), "a running process can be told to stop");
    let output = running.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(letters().lines().count(), 1, "a line that is still being written is not taken in");
    fs::File::options().append(true).open(case.incoming.join("1.jsonl")).and_then(|mut file| file.write_all(b"ne\n")).expect("it grows");
    let mut last = case.run();
    last.arg("--once");
    succeeded(last);
    let letters = letters();
    assert!(letters.lines().count() == 2 && letters.contains("half a line"), "{letters}");
}
