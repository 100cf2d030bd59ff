//! Killed at any moment and started again with the same command, a run ends up with the very signals of a replay.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, SystemTime};

/// How often the run is killed, of one file and of two.
const KILLS: u32 = 10;

/// How many of those kills must fall while signals are being written.
const KILLS_AMID_SIGNALS: u32 = 3;

/// The most kills, should the machine be so slow that few of them fall amid signals.
const MOST_KILLS: u32 = 200;

/// The longest time to a kill at first; it grows while runs are killed before they write anything.
const LONGEST_LIFE_MS: u64 = 200;

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

    fn forget(&self) {
        fs::remove_dir_all(&self.data).expect("the data directory can be removed");
        fs::remove_file(&self.signals).expect("the signals can be removed");
        fs::remove_file(decisions(&self.signals)).expect("the decisions can be removed");
        fs::remove_file(kpis(&self.signals)).expect("the KPIs can be removed");
    }

    fn assert_same(&self, replayed: &Path) {
        let read = |path: &Path| fs::read(path).expect("it can be read");
        assert!(self.signals_length() > 10_000);
        assert!(read(&self.signals) == read(replayed), "signals after kills differ from the replay's");
        assert!(read(&decisions(&self.signals)) == read(&decisions(replayed)), "decisions after kills differ from the replay's");
        assert!(read(&kpis(&self.signals)) == read(&kpis(replayed)), "KPIs after kills differ from the replay's");
    }
}

fn decisions(signals: &Path) -> PathBuf {
    PathBuf::from(format!("{}.decisions", text(signals)))
}

fn kpis(signals: &Path) -> PathBuf {
    PathBuf::from(format!("{}.kpis", text(signals)))
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
    let two = in_two(&one, [at("some.jsonl.zst"), at("others.jsonl")]);
    for events in [vec![one], two] {
        kill_and_kill(&Case { events, data: at("data"), signals: at("signals.jsonl") }, &at("replayed.jsonl"), &mut seed);
    }
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
    let (mut kills, mut kills_amid_signals) = (0, 0);
    let mut longest_life_ms = LONGEST_LIFE_MS;
    while kills < KILLS || kills_amid_signals < KILLS_AMID_SIGNALS {
        assert!(kills < MOST_KILLS, "the kills fell where nothing was going on: {kills_amid_signals} of {kills}");
        let before = case.signals_length();
        let mut child = case.command().spawn().expect("the binary starts");
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        sleep(Duration::from_millis(20 + *seed % longest_life_ms));
        if let Some(status) = child.try_wait().expect("a child") {
            // It was faster than its murderer: that run counts for nothing but its result, and the next one starts anew.
            assert!(status.success());
            case.assert_same(replayed);
            case.forget();
            longest_life_ms = LONGEST_LIFE_MS;
            continue;
        }
        // SIGKILL: nothing is flushed, nothing is said.
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
        kills += 1;
        let is_amid_signals = case.signals_length() > before;
        kills_amid_signals += u32::from(is_amid_signals);
        longest_life_ms = if is_amid_signals { longest_life_ms } else { longest_life_ms * 5 / 4 };
    }
    assert!(case.command().status().expect("the binary starts").success());
    case.assert_same(replayed);
    case.forget();
}
