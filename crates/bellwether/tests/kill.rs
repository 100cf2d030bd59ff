//! Killed at any moment and started again with the same command, a run ends up with the very signals of a replay, and the dead letters of a run that
//! was left alone.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

/// How often the run is killed, of one file and of two. At least half of these kills fall after it has written signals since its start.
const KILLS: u32 = 10;

/// The longest time to a kill: from the start, or from the first new signal on.
const LONGEST_LIFE_MS: u64 = 200;

/// How long a run may take to write something.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many lines of the log there are to one that is refused.
const LINES_TO_A_BAD_ONE: usize = 97;

/// Lines that are refused.
const BAD_LINES: [&[u8]; 3] = [
    b"{\"type\":\"log\n",
    b"{\"id\":\"1\",\"source\":\"/x\",\"type\":\"logout\",\"subject\":\"c\",\"time\":\"2024-03-01T08:00:00Z\",\"data\":{}}\n",
    b"\xff\n",
];

struct Case {
    events: Vec<PathBuf>,
    data: PathBuf,
    signals: PathBuf,
}

impl Case {
    /// A run in very small batches, so that kills fall between and into many commits.
    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bellwether"));
        command.arg("run").arg("--events").args(&self.events).arg("--data").arg(&self.data).arg("--signals").arg(&self.signals);
        command.arg("--kpis").arg(kpis(&self.signals));
        command.args(["--once", "--metrics", "off", "--batch-records", "40", "--batch-reviews", "25"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn signals_length(&self) -> u64 {
        fs::metadata(&self.signals).map_or(0, |file| file.len())
    }

    /// Waits until the run has written signals, unless it ends first.
    fn wait_for_signals(&self, child: &mut Child, before: u64) {
        let started = Instant::now();
        while self.signals_length() <= before && child.try_wait().expect("a child").is_none() {
            assert!(started.elapsed() < PATIENCE, "it writes no signals");
            sleep(Duration::from_millis(1));
        }
    }

    fn forget(&self) {
        fs::remove_dir_all(&self.data).expect("the data directory can be removed");
        fs::remove_file(&self.signals).expect("the signals can be removed");
        fs::remove_file(decisions(&self.signals)).expect("the decisions can be removed");
        fs::remove_file(kpis(&self.signals)).expect("the KPIs can be removed");
    }

    fn assert_same(&self, replayed: &Path, letters: &[u8]) {
        let read = |path: &Path| fs::read(path).expect("it can be read");
        assert!(self.signals_length() > 10_000);
        assert!(read(&self.signals) == read(replayed), "signals after kills differ from the replay's");
        assert!(read(&decisions(&self.signals)) == read(&decisions(replayed)), "decisions after kills differ from the replay's");
        assert!(read(&kpis(&self.signals)) == read(&kpis(replayed)), "KPIs after kills differ from the replay's");
        assert!(read(&dead_letters(&self.data)) == letters, "dead letters after kills differ from those of a run that was left alone");
    }
}

fn decisions(signals: &Path) -> PathBuf {
    PathBuf::from(format!("{}.decisions", text(signals)))
}

fn kpis(signals: &Path) -> PathBuf {
    PathBuf::from(format!("{}.kpis", text(signals)))
}

fn dead_letters(data: &Path) -> PathBuf {
    data.join("dead-letters.jsonl")
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
    let mut seed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").subsec_nanos() as u64 | 1;
    println!("seed {seed}");
    let one = at("company").join("events.jsonl.zst");
    spoil(&one);
    let two = in_two(&one, [at("some.jsonl.zst"), at("others.jsonl")]);
    for events in [vec![one], two] {
        kill_and_kill(&Case { events, data: at("data"), signals: at("signals.jsonl") }, &at("replayed.jsonl"), &mut seed);
    }
}

/// Puts lines into a log that are refused.
fn spoil(log: &Path) {
    let whole = zstd::decode_all(File::open(log).expect("the log is there")).expect("it is packed");
    let mut spoilt = Vec::with_capacity(whole.len());
    for (number, line) in whole.split_inclusive(|byte| *byte == b'\n').enumerate() {
        if number % LINES_TO_A_BAD_ONE == 0 {
            spoilt.extend_from_slice(BAD_LINES[number / LINES_TO_A_BAD_ONE % BAD_LINES.len()]);
        }
        spoilt.extend_from_slice(line);
    }
    fs::write(log, zstd::encode_all(&*spoilt, 1).expect("it can be packed")).expect("it can be written");
}

/// Parts a log so that merging its parts by time takes now a line of the one, now several of the other, one of them packed.
fn in_two(log: &Path, paths: [PathBuf; 2]) -> Vec<PathBuf> {
    let log = zstd::decode_all(File::open(log).expect("the log is there")).expect("it is packed");
    let mut parts = [Vec::new(), Vec::new()];
    for (number, line) in log.split_inclusive(|byte| *byte == b'\n').enumerate() {
        parts[usize::from(number * number % 7 > 2)].extend_from_slice(line);
    }
    parts[0] = zstd::encode_all(&*parts[0], 1).expect("it can be packed");
    for (path, part) in paths.iter().zip(&parts) {
        assert!(part.len() > 10_000);
        fs::write(path, part).expect("it can be written");
    }
    paths.into()
}

/// Kills runs of a case until enough is killed, and looks at what the last one comes to.
fn kill_and_kill(case: &Case, replayed: &Path, seed: &mut u64) {
    let mut replay = vec!["replay", "--signals", text(replayed), "--events"];
    replay.extend(case.events.iter().map(|path| text(path)));
    let replayed_kpis = kpis(replayed);
    replay.extend(["--kpis", text(&replayed_kpis)]);
    bellwether(&replay);
    assert!(case.command().status().expect("the binary starts").success());
    let letters = fs::read(dead_letters(&case.data)).expect("there are dead letters");
    assert!(letters.split(|byte| *byte == b'\n').count() > 100, "enough lines are refused to fall between kills");
    case.assert_same(replayed, &letters);
    case.forget();
    let (mut kills, mut kills_amid_signals) = (0, 0);
    while kills < KILLS {
        let before = case.signals_length();
        let mut child = case.command().spawn().expect("the binary starts");
        if 2 * kills_amid_signals <= kills {
            case.wait_for_signals(&mut child, before);
        }
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        sleep(Duration::from_millis(*seed % LONGEST_LIFE_MS));
        if let Some(status) = child.try_wait().expect("a child") {
            // It was faster than its murderer: that run counts for nothing but its result, and the next one starts anew.
            assert!(status.success());
            case.assert_same(replayed, &letters);
            case.forget();
            continue;
        }
        // SIGKILL: nothing is flushed, nothing is said.
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
        kills += 1;
        kills_amid_signals += u32::from(case.signals_length() > before);
    }
    assert!(2 * kills_amid_signals >= kills, "{kills_amid_signals} of {kills} kills fell amid signals");
    assert!(case.command().status().expect("the binary starts").success());
    case.assert_same(replayed, &letters);
    case.forget();
}
