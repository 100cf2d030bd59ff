//! An input that is spelt otherwise than before, or was renamed: it goes on where it was, and nothing is read twice.

use std::fs;

use super::support::{Ran, Scratch, bellwether, login};

/// What is said of it.
const SAID: &str = "an input has another name than when it was read before";

/// Runs in the directory of the test, where paths may be relative.
fn run_within(scratch: &Scratch, arguments: &[&str]) -> Ran {
    let (data, summary) = (scratch.path("data"), scratch.path("summary.json"));
    let mut command = bellwether(&["run", "--once", "--metrics", "off", "--data", &data, "--summary", &summary]);
    command.args(arguments).current_dir(scratch.path(""));
    Ran::of(command.output().unwrap())
}

/// Checks what a run says of names, and how many events the journal has then.
#[track_caller]
fn check(scratch: &Scratch, arguments: &[&str], said: usize, journaled: u64) {
    let ran = run_within(scratch, arguments).exits(0);
    assert_eq!(ran.errors.matches(SAID).count(), said, "{arguments:?}: {}", ran.errors);
    let summary = scratch.summary();
    assert_eq!((&summary["journaled"], &summary["duplicates"]), (&journaled.into(), &0.into()), "{arguments:?}: {summary}");
}

#[test]
fn a_file_that_is_spelt_otherwise_or_renamed_is_not_read_again() {
    let scratch = Scratch::new();
    let events = scratch.file("events.jsonl", [login(1, 1), login(2, 2)].join("\n") + "\n");
    check(&scratch, &["--events", "./events.jsonl"], 0, 2);
    fs::create_dir(scratch.path("within")).unwrap();
    for name in ["events.jsonl", &events, "within/../events.jsonl"] {
        check(&scratch, &["--events", name], 1, 2);
        check(&scratch, &["--events", name], 0, 2);
    }
    // A rotation: the rest of the renamed file is taken in, and all of the new one.
    fs::write(scratch.path("events-1.jsonl"), [login(1, 1), login(2, 2), login(3, 3)].join("\n") + "\n").unwrap();
    fs::write(&events, login(4, 4) + "\n").unwrap();
    check(&scratch, &["--events", "within/../events.jsonl", "events-1.jsonl"], 1, 4);
    check(&scratch, &["--events", "within/../events.jsonl", "events-1.jsonl"], 0, 4);
}

#[test]
fn a_file_that_could_be_one_of_two_is_refused_with_both_names() {
    let scratch = Scratch::new();
    let [one, other, third] = ["one.jsonl", "other.jsonl", "third.jsonl"].map(|name| scratch.file(name, login(1, 1)));
    run_within(&scratch, &["--events", &one, &other]).exits(0);
    run_within(&scratch, &["--events", &third]).exits(2).tells(&[&one, &other, &third, "--data"]);
}

/// Only whoever gave other bytes can mend that: a service manager that started it again would change nothing.
#[test]
fn a_file_with_other_bytes_than_before_is_refused() {
    let scratch = Scratch::new();
    let events = scratch.file("events.jsonl", [login(1, 1), login(2, 2)].join("\n") + "\n");
    run_within(&scratch, &["--events", &events]).exits(0);
    fs::write(&events, login(3, 3) + "\n").unwrap();
    run_within(&scratch, &["--events", &events]).exits(2).tells(&["not what this data directory was fed from", &events]);
}

#[test]
fn a_followed_directory_under_another_name_goes_on_and_files_of_it_are_known_when_they_are_given_by_themselves() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.path("in")).unwrap();
    scratch.file("in/1.jsonl", login(1, 1) + "\n");
    check(&scratch, &["--follow", "in"], 0, 1);
    check(&scratch, &["--follow", "./in/../in"], 0, 1);
    fs::rename(scratch.path("in"), scratch.path("moved")).unwrap();
    scratch.file("moved/2.jsonl", login(2, 2) + "\n");
    check(&scratch, &["--follow", "moved"], 1, 2);
    check(&scratch, &["--events", "moved"], 2, 2);
    check(&scratch, &["--follow", "moved"], 2, 2);
}
