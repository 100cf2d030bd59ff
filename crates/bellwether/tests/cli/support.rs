//! What the tests share: running the binary, and a small company to run it on.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// The binary, without anything of the environment that it reads.
pub fn bellwether(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bellwether"));
    command.args(arguments).stdin(Stdio::null());
    for name in ["BELLWETHER_LOG", "BELLWETHER_LOG_FORMAT", "BELLWETHER_PSEUDONYM_KEY", "NO_COLOR"] {
        command.env_remove(name);
    }
    command
}

/// What a run left behind.
pub struct Ran {
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub output: String,
    /// Standard error.
    pub errors: String,
}

impl Ran {
    /// Of a process that has ended by itself.
    pub fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("text is UTF-8");
        Self { code: output.status.code().expect("no signal ended it"), output: text(output.stdout), errors: text(output.stderr) }
    }

    /// The same, if the exit code is as expected.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "standard error:\n{}\nstandard output:\n{}", self.errors, self.output);
        self
    }

    /// The same, if standard error tells all of these.
    #[track_caller]
    pub fn tells(self, texts: &[&str]) -> Self {
        texts.iter().for_each(|text| assert!(self.errors.contains(text), "`{text}` is not in:\n{}", self.errors));
        self
    }
}

/// Runs the binary to its end.
#[track_caller]
pub fn run(arguments: &[&str]) -> Ran {
    Ran::of(bellwether(arguments).output().expect("the binary starts"))
}

/// How long to wait for anything, on a machine that has much else to do.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The whole answer to GET at an address.
pub fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("somebody listens");
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n").as_bytes()).expect("it is asked");
    let mut response = String::new();
    stream.read_to_string(&mut response).expect("the answer is text");
    response
}

/// Sends a signal, such as `-TERM`, to a process that still runs.
pub fn send(signal: &str, child: &Child) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().expect("there is `kill`").success());
}

/// The events of a small company, as a path.
pub fn company() -> &'static str {
    static COMPANY: OnceLock<(TempDir, String)> = OnceLock::new();
    let (_, path) = COMPANY.get_or_init(|| {
        // Nothing removes what a static holds, so it lies where `cargo clean` does.
        let directory = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a temporary directory");
        let out = directory.path().to_str().expect("UTF-8").to_owned();
        run(&["simulate", "--customers", "25", "--months", "8", "--seed", "3", "--out", &out]).exits(0);
        let events = directory.path().join("events.jsonl.zst");
        let path = events.to_str().expect("UTF-8").to_owned();
        (directory, path)
    });
    path
}

/// A directory for one test.
pub struct Scratch {
    directory: TempDir,
}

impl Scratch {
    /// An empty one.
    pub fn new() -> Self {
        Self { directory: TempDir::new().expect("a temporary directory") }
    }

    /// A path within it.
    pub fn path(&self, name: &str) -> String {
        self.directory.path().join(name).to_str().expect("UTF-8").to_owned()
    }

    /// A file with this content.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        fs::write(&path, content).expect("the file is written");
        path
    }

    /// Runs events once, without metrics, into `data` with signals in `signals.jsonl` and a summary in `summary.json`.
    #[track_caller]
    pub fn run_once(&self, events: &str, more: &[&str]) -> Ran {
        let (data, signals, summary) = (self.path("data"), self.path("signals.jsonl"), self.path("summary.json"));
        let fixed =
            ["run", "--once", "--metrics", "off", "--events", events, "--data", &data, "--signals", &signals, "--summary", &summary];
        run(&[&fixed, more].concat())
    }

    /// The summary of the last run.
    pub fn summary(&self) -> Value {
        serde_json::from_slice(&self.read("summary.json")).expect("the summary is JSON")
    }

    /// The bytes of a file.
    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(PathBuf::from(self.path(name))).expect("the file is there")
    }

    /// The dead letters of the last run.
    pub fn dead_letters(&self) -> Vec<Value> {
        let text = self.read("data/dead-letters.jsonl");
        text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(|line| serde_json::from_slice(line).expect("JSON")).collect()
    }

    /// Whether a file is there.
    pub fn has(&self, name: &str) -> bool {
        Path::new(&self.path(name)).exists()
    }
}

/// A login of a customer on a day of March 2026, as a line without its end.
pub fn login(id: u32, day: u32) -> String {
    format!(
        r#"{{"specversion":"1.0","id":"e{id}","source":"/test","type":"login","subject":"c-1","time":"2026-03-{day:02}T08:00:00Z","data":{{"user":"u1"}}}}"#
    )
}
