//! A real Prometheus, and its tool.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::deploy;

/// How long to wait for anything, on a machine that has much else to do.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// A Prometheus that scrapes each second; it is killed when it is dropped.
pub struct Prometheus {
    child: Child,
    url: String,
    _directory: TempDir,
}

impl Prometheus {
    /// Under the shipped rules: scrapes a product as the job `bellwether`, as the job `twice` under two names as if two instances told of the same partitions, and itself.
    pub fn start(product: &str) -> Self {
        let other_name = product.replace("127.0.0.1", "localhost");
        Self::of_jobs(&[("bellwether", product), ("twice", &format!("{product}, {other_name}"))], &shipped_rules())
    }

    /// Scrapes these jobs, each with its targets, and itself, under the rules of these files.
    pub fn of_jobs(jobs: &[(&str, &str)], rules: &[PathBuf]) -> Self {
        Self::with_history(jobs, rules, "")
    }

    /// The same, for one that was there before: what it remembers is given in the format of OpenMetrics, with times.
    pub fn with_history(jobs: &[(&str, &str)], rules: &[PathBuf], history: &str) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let data = directory.path().join("data");
        if !history.is_empty() {
            let file = directory.path().join("history");
            fs::write(&file, format!("{history}# EOF\n")).expect("it can be written");
            let [file, data] = [&file, &data].map(|path| path.to_str().expect("UTF-8"));
            promtool(&["tsdb", "create-blocks-from", "openmetrics", file, data], "");
        }
        let address = free_address();
        let rules: Vec<String> = rules.iter().map(|path| path.display().to_string()).collect();
        let mut configuration =
            format!("global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\nrule_files: [{}]\nscrape_configs:\n", rules.join(", "));
        for (name, targets) in jobs.iter().chain([&("itself", address.as_str())]) {
            writeln!(configuration, "  - {{ job_name: {name}, static_configs: [{{ targets: [{targets}] }}] }}").expect("text takes text");
        }
        let file = directory.path().join("prometheus.yaml");
        fs::write(&file, configuration).expect("the configuration can be written");
        let log = fs::File::create(directory.path().join("log")).expect("the log can be written");
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", data.display()))
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("prometheus ({error}): `make setup` installs it (Debian's package `prometheus`)"));
        let this = Self { child, url: format!("http://{address}"), _directory: directory };
        this.wait_for("up{job=\"itself\"}", |series| series.len() == 1);
        this
    }

    /// The values of an expression, or what is wrong with it.
    pub fn query(&self, expression: &str) -> Result<Vec<f64>, String> {
        Ok(self.series(expression)?.into_values().collect())
    }

    /// The series of an expression, by their labels as JSON.
    pub fn series(&self, expression: &str) -> Result<BTreeMap<String, f64>, String> {
        let found = asked(&["query", "instant", "--format", "json", &self.url, expression])?;
        let value = |one: &Value| number_of(&one["value"]).map(|value| (labels_of(&one["metric"]), value));
        found.iter().map(value).collect()
    }

    /// The series of an expression at each second of a time, by their labels as JSON. Times are in seconds.
    pub fn history(&self, expression: &str, from: u64, until: u64) -> Result<BTreeMap<String, Vec<(u64, f64)>>, String> {
        let (start, end) = (format!("--start={from}"), format!("--end={until}"));
        let found = asked(&["query", "range", "--format", "json", &start, &end, "--step=1s", &self.url, expression])?;
        let values = |one: &Value| {
            let values = one["values"].as_array().ok_or("no values")?;
            let at = |value: &Value| Ok((value[0].as_f64().ok_or("no time")? as u64, number_of(value)?));
            Ok((labels_of(&one["metric"]), values.iter().map(at).collect::<Result<_, String>>()?))
        };
        found.iter().map(values).collect()
    }

    /// Waits until the values of an expression are as they should be.
    #[track_caller]
    pub fn wait_for(&self, expression: &str, is_right: impl Fn(&[f64]) -> bool) {
        let started = Instant::now();
        loop {
            let found = self.series(expression);
            if found.as_ref().is_ok_and(|series| is_right(&series.values().copied().collect::<Vec<_>>())) {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "`{expression}` is {found:?}");
            thread::sleep(Duration::from_millis(300));
        }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// The rules as they are shipped.
pub fn shipped_rules() -> [PathBuf; 2] {
    ["recording.yaml", "alerts.yaml"].map(|name| deploy("prometheus").join(name))
}

/// What promtool answers to a question: a list.
fn asked(arguments: &[&str]) -> Result<Vec<Value>, String> {
    let output = Command::new("promtool").args(arguments).output().expect("promtool starts");
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
}

/// Labels as JSON, in their order.
pub fn labels_of(metric: &Value) -> String {
    let labels: BTreeMap<&String, &Value> = metric.as_object().into_iter().flatten().collect();
    serde_json::to_string(&labels).expect("labels are text")
}

/// The number of a sample.
fn number_of(sample: &Value) -> Result<f64, String> {
    sample[1].as_str().and_then(|value| value.parse().ok()).ok_or_else(|| format!("no value: {sample}"))
}

/// An address that nobody listens on, a moment ago at least.
pub fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it has an address").to_string()
}

/// What an address answers to a scrape, as soon as somebody listens.
pub fn scraped(address: &str) -> String {
    let started = Instant::now();
    let mut stream = loop {
        match TcpStream::connect(address) {
            Ok(stream) => break stream,
            Err(error) => assert!(started.elapsed() < PATIENCE, "nobody listens at {address}: {error}"),
        }
        thread::sleep(Duration::from_millis(100));
    };
    stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").expect("it takes requests");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer.split_once("\r\n\r\n").expect("an answer has a body").1.to_owned()
}

/// Runs promtool, which must find nothing wrong.
#[track_caller]
pub fn promtool(arguments: &[&str], input: &str) {
    let mut command = Command::new("promtool");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| {
        panic!("promtool ({error}): `make setup` installs it (Debian's package `prometheus`)");
    });
    child.stdin.take().expect("it has an input").write_all(input.as_bytes()).expect("it reads its input");
    let output = child.wait_with_output().expect("it ends");
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    assert!(output.status.success(), "promtool {arguments:?}: {said}");
}

/// Has promtool look at metrics.
#[track_caller]
pub fn check_metrics(text: &str) {
    promtool(&["check", "metrics"], text);
}
