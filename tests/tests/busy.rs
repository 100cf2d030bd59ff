//! Two processes and one data directory: the second waits for the first to let go, and not for ever.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Instant;

use bellwether_codec::event::encode_event;
use bellwether_tests::company::company;
use bellwether_tests::product::binary;

/// A run on standard input.
fn start(directory: &Path) -> (Child, BufReader<ChildStderr>) {
    let mut command = binary();
    command.args(["run", "--events", "-", "--metrics", "127.0.0.1:0", "--data"]).arg(directory.join("data"));
    command.arg("--signals").arg(directory.join("signals.jsonl"));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    let errors = BufReader::new(child.stderr.take().expect("it has an output"));
    (child, errors)
}

fn line_with(errors: &mut BufReader<ChildStderr>, word: &str) -> String {
    let mut line = String::new();
    while !line.contains(word) {
        line.clear();
        assert!(errors.read_line(&mut line).expect("it says something") > 0, "it never says {word}");
    }
    line
}

fn wait_for_lock(directory: &Path) {
    let started = Instant::now();
    while !directory.join("data/state/CURRENT").exists() {
        assert!(started.elapsed().as_secs() < 60, "it never opens its store");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn the_second_waits_for_the_first_and_goes_on_where_it_was() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (mut first, _errors) = start(directory.path());
    wait_for_lock(directory.path());
    let (mut second, mut errors) = start(directory.path());
    let told = line_with(&mut errors, "waiting for the store");
    assert!(told.contains("WARN") && told.contains("is open already"), "{told}");
    let term = Command::new("kill").arg("-TERM").arg(first.id().to_string()).status().expect("it can be told to stop");
    assert!(term.success());
    drop(first.stdin.take());
    assert!(first.wait().expect("it ends").success());
    let mut events = Vec::new();
    for event in &company(81, 10, 60) {
        encode_event(event, &mut events);
        events.push(b'\n');
    }
    let mut input = second.stdin.take().expect("it has an input");
    input.write_all(&events).expect("it reads its input");
    drop(input);
    let mut said = String::new();
    errors.read_to_string(&mut said).expect("it says something");
    assert!(second.wait().expect("it ends").success(), "{said}");
    assert!(fs::metadata(directory.path().join("signals.jsonl")).expect("signals").len() > 1_000, "{said}");
}

#[test]
fn who_keeps_a_directory_keeps_it() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (mut first, _errors) = start(directory.path());
    wait_for_lock(directory.path());
    let (mut second, mut errors) = start(directory.path());
    drop(second.stdin.take());
    let mut said = String::new();
    errors.read_to_string(&mut said).expect("it says something");
    assert_eq!(second.wait().expect("it ends").code(), Some(3), "{said}");
    assert!(said.contains("is open already, in another process"), "{said}");
    assert!(first.try_wait().expect("a child").is_none(), "the first goes on");
    first.kill().and_then(|()| first.wait()).expect("it can be killed");
}
