//! A run with a console, and requests to it.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use bellwether_tests::product::{binary, succeeded};
use serde_json::Value;
use tempfile::TempDir;
use ureq::http::Response;
use ureq::{Agent, Body};

/// Tokens and their SHA-256.
pub const READ: &str = "reader-4c1f7a";
pub const WRITE: &str = "writer-9d02be";
pub const ADMIN: &str = "admin-77e5d0";
pub const HASHES: [&str; 3] = [
    "603a215595be68531a6d445a77bdb15b304eedb4502a518681690eda901b95f1",
    "c40404b2d3e3bf91d93199f003824983d7f84709b0cbf0d7880239149b861a47",
    "d9d83a06052aa7f425e51727375d31278d1016becf2eb6bb57dbf29f4ac92c6e",
];

/// How long to wait for anything, on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(180);

/// A run; it is killed when it is dropped.
pub struct Run {
    child: Child,
    /// HOST:PORT of the guarded listener.
    pub console: String,
    /// HOST:PORT of the plain listener.
    pub plain: String,
    pub directory: TempDir,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: ureq::http::HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The end of the type of a problem, after the form of it is checked.
    #[track_caller]
    pub fn problem(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.headers["content-type"], "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
        problem["type"].as_str().expect("a type").trim_start_matches("urn:bellwether:problem:").to_owned()
    }
}

/// A simulated company of a year.
pub const CUSTOMERS: u32 = 120;

impl Run {
    /// A run that has read a simulated company and takes nothing more, with tokens.
    pub fn of_company(more: &str) -> Self {
        let directory = TempDir::with_prefix("bellwether-console-").expect("a temporary directory");
        let out = directory.path().to_str().expect("UTF-8").to_owned();
        let customers = CUSTOMERS.to_string();
        let arguments = ["simulate", "--customers", &customers, "--months", "12", "--seed", "5", "--out", &out];
        succeeded(&binary().args(arguments).output().expect("the binary starts"));
        let events = directory.path().join("events.jsonl.zst");
        Self::start(directory, &format!("{}  take_events: false\n{more}", with_tokens()), &["--events", events.to_str().expect("UTF-8")])
    }

    /// A run without files that takes events, with tokens.
    pub fn empty(more: &str) -> Self {
        let directory = TempDir::with_prefix("bellwether-console-").expect("a temporary directory");
        Self::start(directory, &format!("{}{more}", with_tokens()), &[])
    }

    /// A run with this section `console`, in this directory, that logs everything.
    pub fn start(directory: TempDir, console: &str, arguments: &[&str]) -> Self {
        Self::start_logging(directory, console, arguments, "trace")
    }

    /// The same, which logs by these directives.
    pub fn start_logging(directory: TempDir, console: &str, arguments: &[&str], directives: &str) -> Self {
        let configuration = directory.path().join("bellwether.yaml");
        let data = directory.path().join("data");
        let text = format!("data: {}\nmetrics: 127.0.0.1:0\nconsole:\n  address: 127.0.0.1:0\n{console}", data.display());
        fs::write(&configuration, text).expect("the configuration can be written");
        let log = File::create(directory.path().join("log")).expect("the log can be written");
        let child = binary()
            .args(["run", "--config"])
            .arg(&configuration)
            .args(arguments)
            .env("BELLWETHER_LOG", directives)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the binary starts");
        let mut run = Self { child, console: String::new(), plain: String::new(), directory };
        run.plain = run.told("metrics are at http://", "/metrics");
        run.console = run.told("the console is at ", "/\n").split("://").nth(1).expect("an address").to_owned();
        run.wait_for("the store", || (get(&format!("http://{}/readyz", run.plain), &[]).status == 200).then_some(()));
        run
    }

    /// What stands between two texts in the log, as soon as it does.
    fn told(&mut self, before: &str, after: &str) -> String {
        let started = Instant::now();
        loop {
            let log = self.log();
            if let Some((_, rest)) = log.split_once(before)
                && let Some((found, _)) = rest.split_once(after)
            {
                return found.to_owned();
            }
            assert!(self.child.try_wait().expect("it can be asked").is_none(), "the run ended:\n{log}");
            assert!(started.elapsed() < PATIENCE, "{before} was not told:\n{log}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Everything that the run has told.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).expect("there is a log")
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Reads a path of the guarded listener with the token for reading.
    pub fn read(&self, path: &str) -> Answer {
        get(&format!("http://{}{path}", self.console), &[("authorization", &format!("Bearer {READ}"))])
    }

    /// Sends a body to a path of the guarded listener.
    pub fn post(&self, path: &str, token: Option<&str>, media: &str, body: &[u8]) -> Answer {
        let authorization = token.map(|token| format!("Bearer {token}"));
        send(&format!("http://{}{path}", self.console), authorization.as_deref(), media, body)
    }

    /// Sends events as a batch.
    pub fn send(&self, events: &[Value]) -> Answer {
        self.post("/v1/events", Some(WRITE), "application/cloudevents-batch+json", Value::from(events).to_string().as_bytes())
    }

    /// Waits until a request is answered as wanted.
    #[track_caller]
    pub fn wait_for<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(started.elapsed() < PATIENCE, "{what} did not come:\n{}", self.log());
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until the files are read: customers no longer come.
    pub fn wait_for_files(&self) {
        self.wait_for("the company", || {
            let log = self.read("/v1/kpis");
            (log.status == 200 && log.json()["customers"] == CUSTOMERS && log.json()["day"].as_str() >= Some("2024-12-30")).then_some(())
        });
    }

    /// Ends it in good order.
    pub fn stop(&mut self) -> String {
        let id = self.child.id().to_string();
        succeeded(&Command::new("kill").args(["-TERM", &id]).output().expect("kill runs"));
        let status = self.child.wait().expect("it ends");
        let log = self.log();
        assert!(status.success(), "{log}");
        log
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Reads an address.
pub fn get(url: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = agent().get(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    answer(request.call())
}

/// Sends a body to an address.
pub fn post(url: &str, media: &str, body: &[u8]) -> Answer {
    send(url, None, media, body)
}

/// The same, with what says who one is.
pub fn send(url: &str, authorization: Option<&str>, media: &str, body: &[u8]) -> Answer {
    let mut request = agent().post(url).header("content-type", media);
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    answer(request.send(body))
}

/// The same, with these headers.
pub fn post_with(url: &str, media: &str, headers: &[(&str, String)], body: &[u8]) -> Answer {
    let request = agent().post(url).header("content-type", media);
    answer(headers.iter().fold(request, |request, (name, value)| request.header(*name, value)).send(body))
}

fn agent() -> Agent {
    Agent::config_builder().http_status_as_error(false).max_redirects(0).build().into()
}

fn answer(result: Result<Response<Body>, ureq::Error>) -> Answer {
    let mut response = result.unwrap_or_else(|error| panic!("{error}"));
    let body = response.body_mut().read_to_string().unwrap_or_else(|error| panic!("{error}"));
    Answer { status: response.status().as_u16(), headers: response.headers().clone(), body }
}

/// The tokens as lines of the section.
pub fn with_tokens() -> String {
    let [read, write, admin] = HASHES;
    format!("  read_tokens_sha256: [\"{read}\"]\n  write_tokens_sha256: [\"{write}\"]\n  admin_tokens_sha256: [\"{admin}\"]\n")
}

/// An event of a customer, some days ago.
pub fn event(customer: &str, id: u32, kind: &str, days_ago: u64, data: Value) -> Value {
    let then = std::time::SystemTime::now() - Duration::from_secs(86_400 * days_ago);
    let time = bellwether_codec::timestamp::format_time(bellwether_engine::time::Time(
        then.duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_millis() as i64,
    ));
    serde_json::json!({ "specversion": "1.0", "id": id.to_string(), "source": "/test", "type": kind, "subject": customer, "time": time, "data": data })
}
