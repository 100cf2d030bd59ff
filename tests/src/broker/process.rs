//! The JVM of a broker.

use std::fs::{self, OpenOptions};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{Access, PASSWORD, STRANGER, USER, artefacts};

/// Any name does, as long as it stays: it is a random UUID in base 64.
const CLUSTER_ID: &str = "q1Sh-9_ISia_zwGINzRvyQ";

/// What a broker logs when it answers.
const READY: &str = "Kafka Server started";

/// How long a start may take on a slow and busy machine.
const START_LIMIT: Duration = Duration::from_secs(120);

/// How long an orderly end may take.
const STOP_LIMIT: Duration = Duration::from_secs(30);

/// Small and quick to start: the tests move little data.
const JVM: &[&str] = &[
    "-Xms64m",
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info",
    // It tells of members that are given up.
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.coordinator.group.GroupMetadataManager=info",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
];

/// A broker that runs, and the watchdog that ends it when this process is gone: a static variable is never dropped.
#[derive(Debug)]
pub(super) struct Process {
    broker: Child,
    watchdog: Child,
    /// While this is open, the watchdog waits.
    _leash: ChildStdin,
}

impl Process {
    /// Starts a broker and waits until it answers.
    pub(super) fn start(home: &Path) -> Self {
        let log = home.join("broker.log");
        let before = fs::metadata(&log).map_or(0, |file| file.len());
        let file = OpenOptions::new().create(true).append(true).open(&log).expect("the log can be opened");
        let mut command = java("kafka.Kafka");
        command.arg(home.join("server.properties")).stdin(Stdio::null()).process_group(0);
        command.stdout(file.try_clone().expect("a file can be shared")).stderr(file);
        let broker = command.spawn().unwrap_or_else(|error| panic!("java cannot be run ({error}): `make setup` installs it"));
        let (watchdog, leash) = watch(broker.id(), home);
        let mut process = Self { broker, watchdog, _leash: leash };
        process.wait_until_ready(&log, before);
        process
    }

    fn wait_until_ready(&mut self, log: &PathBuf, before: u64) {
        let start = Instant::now();
        loop {
            let text = fs::read(log).unwrap_or_default();
            let text = String::from_utf8_lossy(&text[usize::try_from(before).expect("it is small")..]);
            if text.contains(READY) {
                return;
            }
            let ended = self.broker.try_wait().expect("a child can be waited for");
            assert!(ended.is_none() && start.elapsed() < START_LIMIT, "the broker did not start ({ended:?}):\n{text}");
            sleep(Duration::from_millis(50));
        }
    }

    pub(super) fn kill(mut self) {
        self.broker.kill().expect("a child can be killed");
        self.end();
    }

    pub(super) fn stop(mut self) {
        self.signal("TERM");
        let start = Instant::now();
        while self.broker.try_wait().expect("a child can be waited for").is_none() {
            assert!(start.elapsed() < STOP_LIMIT, "the broker does not stop");
            sleep(Duration::from_millis(20));
        }
        self.end();
    }

    /// The broker's id may be another's soon, so the watchdog goes first.
    fn end(&mut self) {
        self.watchdog.kill().expect("a child can be killed");
        self.watchdog.wait().expect("a child can be waited for");
        self.broker.wait().expect("a child can be waited for");
    }

    pub(super) fn signal(&self, name: &str) {
        let script = format!("kill -{name} {}", self.broker.id());
        let status = Command::new("sh").args(["-c", &script]).status().expect("a shell can be run");
        assert!(status.success(), "{script}");
    }
}

/// Prepares the directory of a new broker.
pub(super) fn format(home: &Path, access: Access) {
    let mut command = java("kafka.tools.StorageTool");
    command.args(["format", "--cluster-id", CLUSTER_ID, "--config"]).arg(home.join("server.properties"));
    if access == Access::Secured {
        for user in [USER, STRANGER] {
            command.arg("--add-scram").arg(format!("SCRAM-SHA-512=[name={user},password={PASSWORD}]"));
        }
    }
    let output = command.output().unwrap_or_else(|error| panic!("java cannot be run ({error}): `make setup` installs it"));
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the broker's directory cannot be made:\n{said}");
}

/// A program of Kafka's class path.
pub(super) fn java(main: &str) -> Command {
    let mut command = Command::new("java");
    command.args(JVM).arg("-classpath").arg(artefacts::libraries().join("*")).arg(main);
    command
}

/// Starts a shell that waits until its standard input ends, which happens when this process ends in whatever way, and then tidies up.
fn watch(broker: u32, home: &Path) -> (Child, ChildStdin) {
    let mut command = Command::new("sh");
    command.args(["-c", r#"read -r _; kill -9 "$1"; rm -rf "$2""#, "watchdog", &broker.to_string()]).arg(home);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    let mut watchdog = command.spawn().expect("a shell can be run");
    let leash = watchdog.stdin.take().expect("it was asked for");
    (watchdog, leash)
}
