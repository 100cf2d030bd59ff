//! A run as an operator meets it: standard input, signals, metrics.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStderr, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::support::{PATIENCE, Scratch, bellwether, get, login, send};

/// A run on standard input that is left open.
struct Running {
    child: Child,
    errors: BufReader<ChildStderr>,
    address: String,
}

impl Running {
    /// Starts it, with metrics on any port.
    fn start(scratch: &Scratch) -> Self {
        let (data, signals, summary) = (scratch.path("data"), scratch.path("signals.jsonl"), scratch.path("summary.json"));
        let arguments = ["run", "--events", "-", "--metrics", "127.0.0.1:0", "--data", &data, "--signals", &signals, "--summary", &summary];
        let mut child = bellwether(&arguments).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut errors = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        errors.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("metrics are at http://").and_then(|rest| rest.strip_suffix("/metrics"));
        let address = address.unwrap_or_else(|| panic!("no address in {line}")).to_owned();
        Self { child, errors, address }
    }

    fn write(&mut self, text: &str) {
        let input = self.child.stdin.as_mut().unwrap();
        input.write_all(text.as_bytes()).and_then(|()| input.flush()).unwrap();
    }

    fn get(&self, path: &str) -> String {
        get(&self.address, path)
    }

    /// Waits until the metrics contain a text.
    fn wait_for(&self, text: &str) -> String {
        let started = Instant::now();
        loop {
            let response = self.get("/metrics");
            if response.contains(text) {
                return response;
            }
            assert!(started.elapsed() < PATIENCE, "no `{text}` in:\n{response}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn send(&self, signal: &str) {
        send(signal, &self.child);
    }

    /// Waits for the end: exit code and the rest of standard error.
    fn end(mut self) -> (Option<i32>, String) {
        let mut text = String::new();
        self.errors.read_to_string(&mut text).unwrap();
        (self.child.wait().unwrap().code(), text)
    }
}

#[test]
fn metrics_answer_before_the_first_event_and_follow_the_run() {
    let scratch = Scratch::new();
    let mut running = Running::start(&scratch);
    assert!(running.get("/livez").starts_with("HTTP/1.1 200"));
    assert!(running.get("/customers").starts_with("HTTP/1.1 404"));
    let response = running.get("/metrics");
    assert!(response.starts_with("HTTP/1.1 200") && response.contains("content-type: text/plain; version=0.0.4"), "{response}");
    running.write(&format!("{}\nnonsense\n{}\n", login(1, 1), login(2, 2)));
    let response = running.wait_for("bellwether_events_total 3");
    for text in ["bellwether_rejected_total{reason=\"invalid_json\"} 1", "bellwether_customers_by_stage", "bellwether_commit_seconds_count"]
    {
        assert!(response.contains(text), "no `{text}` in:\n{response}");
    }
    drop(running.child.stdin.take());
    let (code, text) = running.end();
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(scratch.summary()["journaled"], 2);
}

#[test]
fn a_signal_ends_the_run_in_good_order_though_standard_input_is_open() {
    for signal in ["-TERM", "-INT"] {
        let scratch = Scratch::new();
        let mut running = Running::start(&scratch);
        running.write(&format!("{}\n", login(1, 1)));
        running.wait_for("bellwether_events_total 1");
        running.send(signal);
        let (code, text) = running.end();
        assert_eq!(code, Some(0), "{text}");
        assert!(text.contains("stopped by a signal"), "{text}");
        assert_eq!(scratch.summary()["journaled"], 1);
    }
}

#[test]
fn what_has_arrived_when_the_signal_comes_is_taken_in() {
    let scratch = Scratch::new();
    let mut running = Running::start(&scratch);
    running.write(&format!("{}\n", login(1, 1)));
    running.wait_for("bellwether_events_total 1");
    running.write(&format!("{}\n{}\n", login(2, 2), login(3, 3)));
    thread::sleep(Duration::from_millis(20));
    running.send("-TERM");
    let (code, text) = running.end();
    assert_eq!((code, scratch.summary()["journaled"].as_u64()), (Some(0), Some(3)), "{text}");
}

#[test]
fn a_taken_address_is_told_with_what_to_do() {
    let scratch = Scratch::new();
    let running = Running::start(&scratch);
    let (events, data) = (scratch.file("events.jsonl", ""), scratch.path("other"));
    let arguments = ["run", "--once", "--events", &events, "--data", &data, "--metrics", &running.address];
    let ran = super::support::run(&arguments).exits(3);
    assert!(ran.errors.contains("taken") && ran.errors.contains("--metrics"), "{}", ran.errors);
    running.send("-TERM");
    assert_eq!(running.end().0, Some(0));
}

#[test]
fn two_runs_cannot_share_a_data_directory() {
    let scratch = Scratch::new();
    let mut running = Running::start(&scratch);
    running.write(&format!("{}\n", login(1, 1)));
    running.wait_for("bellwether_events_total 1");
    let events = scratch.file("events.jsonl", login(2, 2));
    scratch.run_once(&events, &[]).exits(3);
    running.send("-TERM");
    assert_eq!(running.end().0, Some(0));
}
