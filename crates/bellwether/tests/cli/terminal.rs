//! What somebody sees who watches a run on a terminal, and nobody else.

use std::process::{Command, Stdio};

use super::support::{Ran, Scratch, bellwether, company};

#[test]
fn the_progress_bar_is_on_a_terminal_and_nowhere_else() {
    let scratch = Scratch::new();
    let (data, signals) = (scratch.path("data"), scratch.path("signals.jsonl"));
    let arguments = ["run", "--once", "--metrics", "off", "--events", company(), "--data", &data, "--signals", &signals];
    let seen = seen_on_a_terminal(&arguments);
    assert!(seen.contains(" % ") && seen.contains(" events ") && seen.contains(" of about "), "no bar in {seen:?}");
    let other = Scratch::new();
    let (data, signals) = (other.path("data"), other.path("signals.jsonl"));
    let arguments = ["run", "--once", "--metrics", "off", "--events", company(), "--data", &data, "--signals", &signals];
    let unseen = Ran::of(bellwether(&arguments).output().unwrap()).exits(0);
    assert!(!unseen.errors.contains(" of about ") && !unseen.errors.contains(" % "), "{}", unseen.errors);
    assert_eq!(scratch.read("signals.jsonl"), other.read("signals.jsonl"));
}

#[test]
fn a_backtest_shows_its_progress_on_a_terminal_and_nowhere_else() {
    let arguments = ["backtest", "--events", company()];
    let seen = seen_on_a_terminal(&arguments);
    assert!(seen.contains(" % ") && seen.contains(" events "), "no bar in {seen:?}");
    let unseen = Ran::of(bellwether(&arguments).output().unwrap()).exits(0);
    assert_eq!(unseen.errors, "");
    assert!(unseen.output.lines().all(|line| seen.contains(line)), "the words are the same");
}

/// All that is written to a terminal.
fn seen_on_a_terminal(arguments: &[&str]) -> String {
    let words: Vec<String> = std::iter::once(&env!("CARGO_BIN_EXE_bellwether"))
        .chain(arguments)
        .map(|word| format!("'{}'", word.replace('\'', r"'\''")))
        .collect();
    // `script` gives it a terminal, and hands on what is written there.
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &words.join(" "), "/dev/null"]);
    let output = script.stdin(Stdio::null()).env("TERM", "xterm").output();
    Ran::of(output.expect("there is `script`, of Debian's package bsdutils, which makes a terminal")).exits(0).output
}
