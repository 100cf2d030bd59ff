//! A real Prometheus, and its tool.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
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
    /// Scrapes a product as the job `bellwether`, as the job `twice` under two names as if it were two instances, and itself.
    pub fn start(product: &str) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let address = free_address();
        let other_name = product.replace("127.0.0.1", "localhost");
        let rules = ["recording.yaml", "alerts.yaml"].map(|name| deploy("prometheus").join(name).display().to_string()).join(", ");
        let job = |name: &str, targets: &str| format!("  - {{ job_name: {name}, static_configs: [{{ targets: [{targets}] }}] }}\n");
        let configuration = format!(
            "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\nrule_files: [{rules}]\nscrape_configs:\n{}{}{}",
            job("bellwether", product),
            job("twice", &format!("{product}, {other_name}")),
            job("itself", &address),
        );
        let file = directory.path().join("prometheus.yaml");
        fs::write(&file, configuration).expect("the configuration can be written");
        let log = fs::File::create(directory.path().join("log")).expect("the log can be written");
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", directory.path().join("data").display()))
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
        let arguments = ["query", "instant", "--format", "json", &self.url, expression];
        let output = Command::new("promtool").args(arguments).output().expect("promtool starts");
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let series: Value = serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
        let series = series.as_array().ok_or("no list of series")?;
        let value = |one: &Value| one["value"][1].as_str().and_then(|value| value.parse().ok()).ok_or(format!("no value: {one}"));
        series.iter().map(value).collect()
    }

    /// Waits until the values of an expression are as they should be.
    #[track_caller]
    pub fn wait_for(&self, expression: &str, is_right: impl Fn(&[f64]) -> bool) {
        let started = Instant::now();
        loop {
            let found = self.query(expression);
            if found.as_ref().is_ok_and(|values| is_right(values)) {
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

/// An address that nobody listens on, a moment ago at least.
fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it has an address").to_string()
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
