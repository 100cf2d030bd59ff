//! Killed at any moment and started again with the same command, a run ends up with the very signals of a replay.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

/// How often the run is killed.
const KILLS: u32 = 20;

/// The longest time to a kill: under what is left to do.
const LONGEST_LIFE_MS: u64 = 600;

struct Case {
    events: PathBuf,
    data: PathBuf,
    signals: PathBuf,
}

impl Case {
    /// A run in very small batches, so that kills fall between and into many commits.
    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bellwether"));
        command.arg("run").arg("--events").arg(&self.events).arg("--data").arg(&self.data).arg("--signals").arg(&self.signals);
        command.args(["--once", "--metrics", "off", "--batch-records", "40", "--batch-reviews", "25"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
}

fn bellwether(arguments: &[&str]) {
    let status = Command::new(env!("CARGO_BIN_EXE_bellwether")).args(arguments).stderr(Stdio::null()).status();
    assert!(status.expect("the binary starts").success(), "{arguments:?}");
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

#[test]
fn twenty_kills_are_invisible() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let at = |name: &str| directory.path().join(name);
    bellwether(&["simulate", "--customers", "60", "--months", "12", "--seed", "5", "--out", text(&at("company"))]);
    let case = Case { events: at("company").join("events.jsonl.zst"), data: at("data"), signals: at("signals.jsonl") };
    let mut seed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").subsec_nanos() as u64 | 1;
    println!("seed {seed}");
    let (mut kills, mut grown) = (0, 0);
    while kills < KILLS {
        let before = fs::metadata(&case.signals).map_or(0, |file| file.len());
        let mut child = case.command().spawn().expect("the binary starts");
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        sleep(Duration::from_millis(20 + seed % LONGEST_LIFE_MS));
        let ended = child.try_wait().expect("a child").is_some();
        assert!(!ended, "the run was over after {kills} kills: give it more to do");
        // SIGKILL: nothing is flushed, nothing is said.
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
        kills += 1;
        grown += u32::from(fs::metadata(&case.signals).map_or(0, |file| file.len()) > before);
    }
    assert!(grown >= 3, "the kills fell where nothing was going on: {grown} of {kills}");
    let started = Instant::now();
    assert!(case.command().status().expect("the binary starts").success());
    println!("the last run took {:?}", started.elapsed());

    let replayed = at("replayed.jsonl");
    bellwether(&["replay", "--events", text(&case.events), "--signals", text(&replayed)]);
    let (live, replay) = (fs::read(&case.signals).expect("signals"), fs::read(&replayed).expect("signals"));
    assert!(live.len() > 10_000);
    assert!(live == replay, "the signals differ after kills with the seed printed above");
    let decisions = |path: &Path| fs::read(format!("{}.decisions", text(path))).expect("decisions");
    assert!(decisions(&case.signals) == decisions(&replayed));
}
