//! A directory with a configuration and a signals file, and the binary run on it.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use bellwether_tests::product::{binary, succeeded};
use tempfile::TempDir;

/// How long anything may take on a slow and busy machine.
const LONG: Duration = Duration::from_secs(120);

/// A signal as a line, without its end.
pub fn signal(number: usize, customer: &str, owner: Option<&str>, kind: &str, transition: &str) -> String {
    let owner = owner.map_or("null".to_owned(), |owner| format!("\"{owner}\""));
    format!(
        r#"{{"specversion":"1.0","id":"{number:032x}","source":"/bellwether","type":"bellwether.signal.{transition}.v1","subject":"{customer}","time":"2026-03-01T00:00:00Z","datacontenttype":"application/json","data":{{"kind":"{kind}","rule":"rule-{kind}","object":"","severity":"warning","owner":{owner},"raised_at":"2026-03-01T00:00:00Z","summary":"Signal {number}","playbook":"call","mrr_minor":{number},"currency":"EUR","days_to_renewal":9,"health":50.0,"priority":{{"score":{number}}}}}}}"#
    )
}

/// Everything that a forwarding has on disk.
pub struct Setup {
    pub directory: TempDir,
}

impl Setup {
    /// With these routes, as YAML list items.
    pub fn new(routes: &[String]) -> Self {
        let directory = TempDir::with_prefix("bellwether-forward-").expect("a temporary directory can be made");
        let items: String = routes.iter().map(|route| format!("    - {route}\n")).collect();
        let data = directory.path().join("data");
        fs::create_dir(&data).expect("it can be made");
        let text = format!("data: {}\nmetrics: 127.0.0.1:0\nforward:\n  routes:\n{items}", data.display());
        fs::write(directory.path().join("bellwether.yaml"), text).expect("it can be written");
        Self { directory }
    }

    pub fn signals(&self) -> PathBuf {
        self.directory.path().join("data/signals.jsonl")
    }

    /// Appends lines to the signals file.
    pub fn append(&self, lines: &[String]) {
        self.append_text(&lines.iter().map(|line| format!("{line}\n")).collect::<String>());
    }

    /// Appends a text to the signals file.
    pub fn append_text(&self, text: &str) {
        let mut file = fs::File::options().create(true).append(true).open(self.signals()).expect("it can be opened");
        file.write_all(text.as_bytes()).expect("it can be written");
    }

    /// Runs the product over a simulated company. Returns how many signals there are now.
    pub fn run_of_company(&self) -> usize {
        let events = self.directory.path().join("events");
        let simulated = binary().args(["simulate", "--customers", "60", "--months", "8", "--seed", "5", "--out"]).arg(&events).output();
        succeeded(&simulated.expect("the binary runs"));
        let data = self.directory.path().join("data");
        let run = binary()
            .args(["run", "--once", "--metrics", "off", "--data"])
            .arg(&data)
            .arg("--events")
            .arg(events.join("events.jsonl.zst"))
            .output();
        succeeded(&run.expect("the binary runs"));
        fs::read_to_string(self.signals()).expect("there are signals").lines().count()
    }

    /// The dead letters of a route.
    pub fn letters(&self, route: &str) -> Vec<serde_json::Value> {
        let path = self.directory.path().join(format!("data/forward/{route}.dead-letters.jsonl"));
        let text = fs::read_to_string(path).expect("a route has a file of dead letters");
        text.lines().map(|line| serde_json::from_str(line).expect("a letter is JSON")).collect()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = binary();
        command.arg("forward").arg("--config").arg(self.directory.path().join("bellwether.yaml")).args(arguments);
        command.stdin(Stdio::null()).env("BELLWETHER_LOG", "trace");
        command
    }

    /// Runs until everything is settled, and gives the exit code and what was logged.
    #[track_caller]
    pub fn once(&self) -> (Option<i32>, String) {
        let Output { status, stderr, .. } = self.command(&["--once"]).output().expect("the binary runs");
        (status.code(), String::from_utf8_lossy(&stderr).into_owned())
    }

    /// Starts it, with its log in a file.
    pub fn start(&self) -> Running {
        let log = fs::File::options().create(true).append(true).open(self.log()).expect("it can be written");
        Running(self.command(&[]).stderr(log).spawn().expect("the binary starts"))
    }

    /// Where it logs.
    pub fn log(&self) -> PathBuf {
        self.directory.path().join("forward.log")
    }

    /// The metrics of a running one.
    pub fn metrics(&self) -> String {
        let log = fs::read_to_string(self.log()).expect("there is a log");
        let address = log.split("metrics are at http://").last().and_then(|rest| rest.split('/').next()).expect("it tells where");
        let mut stream = std::net::TcpStream::connect(address).expect("it listens");
        stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").expect("it takes requests");
        let mut text = String::new();
        std::io::Read::read_to_string(&mut stream, &mut text).expect("it answers");
        text
    }
}

/// A process; it is killed when it is dropped.
pub struct Running(pub Child);

impl Running {
    /// SIGTERM, and the exit code.
    pub fn stop(mut self) -> Option<i32> {
        let status = Command::new("kill").arg("-TERM").arg(self.0.id().to_string()).status();
        assert!(status.is_ok_and(|status| status.success()), "a running process can be told to stop");
        self.0.wait().expect("it can be waited for").code()
    }

    /// SIGKILL.
    pub fn kill(mut self) {
        self.0.kill().and_then(|()| self.0.wait()).expect("it can be killed");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// Waits until something is so.
#[track_caller]
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < LONG, "it never comes that {what}");
        sleep(Duration::from_millis(20));
    }
}
