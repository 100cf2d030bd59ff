//! The log as machines read it: a JSON object a line, whatever is told.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;

use serde_json::Value;

use super::support::{Ran, Scratch, bellwether};

/// Standard error as JSON, line by line.
#[track_caller]
fn lines(ran: &Ran) -> Vec<Value> {
    let parse = |line: &str| serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let lines: Vec<Value> = ran.errors.lines().map(parse).collect();
    for line in &lines {
        assert!(line["timestamp"].is_string() && line["level"].is_string() && line["target"].is_string(), "{line}");
        assert!(line["fields"]["message"].is_string(), "{line}");
    }
    lines
}

fn message(line: &Value) -> &str {
    line["fields"]["message"].as_str().unwrap()
}

/// A run that is asked something that is no HTTP, and what it told from its beginning to its end.
fn provoked(level: &str) -> Ran {
    let scratch = Scratch::new();
    let mut command = bellwether(&["run", "--events", "-", "--metrics", "127.0.0.1:0", "--data", &scratch.path("data")]);
    command.env("BELLWETHER_LOG", level).env("BELLWETHER_LOG_FORMAT", "json");
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    let mut told = String::new();
    errors.read_line(&mut told).unwrap();
    let first: Value = serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {told}"));
    let address = message(&first).strip_prefix("metrics are at http://").and_then(|rest| rest.strip_suffix("/metrics"));
    let mut stream = TcpStream::connect(address.unwrap_or_else(|| panic!("no address in {told}"))).unwrap();
    stream.write_all(b"GET  / HTTP/9\r\n\r\n").unwrap();
    stream.read_to_end(&mut Vec::new()).unwrap();
    drop(child.stdin.take());
    errors.read_to_string(&mut told).unwrap();
    Ran { code: child.wait().unwrap().code().unwrap(), output: String::new(), errors: told }
}

#[test]
fn every_line_is_json_where_that_is_asked_for() {
    for (level, is_logged) in [("debug", true), ("off", false)] {
        let ran = provoked(level).exits(0);
        let lines = lines(&ran);
        let logged: Vec<&Value> = lines.iter().filter(|line| line["target"] != "bellwether::terminal").collect();
        assert_eq!(
            logged.iter().any(|line| line["level"] == "DEBUG" && message(line).contains("ended early")),
            is_logged,
            "{}",
            ran.errors
        );
        assert!(is_logged || logged.is_empty(), "{}", ran.errors);
        assert!(lines.len() >= logged.len() + 2, "what people are told is there, whatever is logged: {}", ran.errors);
    }
}

#[test]
fn a_failure_is_json_with_its_level() {
    let scratch = Scratch::new();
    let mut command =
        bellwether(&["run", "--once", "--metrics", "off", "--events", "/nowhere/events.jsonl", "--data", &scratch.path("data")]);
    let ran = Ran::of(command.env("BELLWETHER_LOG_FORMAT", "json").output().unwrap());
    let lines = lines(&ran);
    assert!(ran.code != 0 && lines.len() == 1, "{}", ran.errors);
    assert_eq!(lines[0]["level"], "ERROR");
    assert!(message(&lines[0]).contains("/nowhere/events.jsonl"), "{}", ran.errors);
}

#[test]
fn a_wrong_format_is_refused_with_those_there_are() {
    for wrong in ["xml", "JSON"] {
        let ran = Ran::of(bellwether(&["pseudonym", "u7"]).env("BELLWETHER_LOG_FORMAT", wrong).output().unwrap());
        ran.exits(2).tells(&["BELLWETHER_LOG_FORMAT", wrong, "`text` or `json`"]);
    }
    let ran = Ran::of(bellwether(&["pseudonym", "u7"]).env("BELLWETHER_LOG_FORMAT", "text").output().unwrap());
    assert_eq!(ran.exits(0).errors, "");
}
