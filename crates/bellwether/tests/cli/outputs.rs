//! Files that a run or a replay would write to: nothing of somebody else is cut or written over without a question.

use std::fs;

use super::support::{Scratch, company, login, run};

/// Neither a run nor a replay touches anything.
#[track_caller]
fn both_refuse(scratch: &Scratch, events: &str, outputs: &[&str], told: &[&str]) {
    let data = scratch.path("data");
    run(&[&["run", "--once", "--metrics", "off", "--events", events, "--data", &data], outputs].concat()).exits(2).tells(told);
    run(&[&["replay", "--events", events], outputs].concat()).exits(2).tells(told);
    assert!(!scratch.has("data"), "nothing is made");
}

#[test]
fn an_output_that_is_an_input_is_refused() {
    let scratch = Scratch::new();
    let text = format!("{}\n{}\n", login(1, 1), login(2, 2));
    fs::create_dir(scratch.path("in")).unwrap();
    let (events, within, signals) = (scratch.file("in/events.jsonl", &text), scratch.path("in/new.jsonl"), scratch.path("signals.jsonl"));
    let (rules, link) = (scratch.file("rules.yaml", "signals: []\n"), scratch.path("link.jsonl"));
    std::os::unix::fs::symlink(&events, &link).unwrap();
    let decisions = scratch.file("signals.jsonl.decisions.jsonl", &text);
    let beside = scratch.path("in/../in/events.jsonl");
    for same in [&events, &link, &beside] {
        both_refuse(&scratch, &events, &["--signals", same], &["would be written to as --signals, but belongs to --events", same]);
        both_refuse(&scratch, &events, &["--signals", &signals, "--kpis", same], &["as --kpis, but belongs to --events"]);
        both_refuse(&scratch, &events, &["--signals", &signals, "--summary", same], &["as --summary, but belongs to --events"]);
    }
    // It would be among the inputs at the next start.
    both_refuse(&scratch, &scratch.path("in"), &["--signals", &within], &["as --signals, but belongs to --events"]);
    both_refuse(&scratch, &events, &["--signals", &rules, "--rules", &rules], &["as --signals, but belongs to --rules"]);
    let of_decisions = scratch.path("signals.jsonl.decisions");
    fs::rename(decisions, &of_decisions).unwrap();
    let outputs = ["--signals", &signals, "--rules", &of_decisions];
    both_refuse(&scratch, &events, &outputs, &["as the decisions of --signals, but belongs to --rules"]);
    assert_eq!(fs::read_to_string(&events).unwrap(), text);
    assert_eq!(fs::read_to_string(&of_decisions).unwrap(), text);
}

#[test]
fn one_file_for_two_outputs_is_refused() {
    let scratch = Scratch::new();
    let (events, signals) = (scratch.file("events.jsonl", login(1, 1)), scratch.path("signals.jsonl"));
    let decisions = scratch.path("signals.jsonl.decisions");
    both_refuse(&scratch, &events, &["--signals", &signals, "--kpis", &signals], &["as --kpis", "as --signals"]);
    both_refuse(&scratch, &events, &["--signals", &signals, "--summary", &decisions], &["as --summary", "as the decisions of --signals"]);
}

#[test]
fn a_replay_does_not_write_over_the_files_of_the_run_that_it_replays() {
    let scratch = Scratch::new();
    let data = scratch.path("data");
    run(&["run", "--once", "--metrics", "off", "--events", company(), "--data", &data]).exits(0);
    let before = scratch.read("data/signals.jsonl");
    let own = scratch.path("data/signals.jsonl");
    run(&["replay", "--journal", &data, "--signals", &own]).exits(2).tells(&["belongs to --journal"]);
    assert_eq!(scratch.read("data/signals.jsonl"), before);
    let other = scratch.path("data/replayed.jsonl");
    run(&["replay", "--journal", &data, "--signals", &other]).exits(0);
    assert_eq!(scratch.read("data/replayed.jsonl"), before);
}

#[test]
fn content_that_is_not_of_this_data_directory_is_not_cut() {
    let scratch = Scratch::new();
    let told = ["none of them is from this data directory", "Name another file", "--data"];
    for name in ["signals.jsonl", "signals.jsonl.decisions"] {
        scratch.file(name, "of somebody else\n");
        scratch.run_once(company(), &[]).exits(2).tells(&told).tells(&[name]);
        assert_eq!(scratch.read(name), b"of somebody else\n");
        fs::remove_file(scratch.path(name)).unwrap();
    }
    let kpis = scratch.file("kpis.jsonl", "of somebody else\n");
    scratch.run_once(company(), &["--kpis", &kpis]).exits(2).tells(&told).tells(&["kpis.jsonl"]);
    scratch.run_once(company(), &[]).exits(0);
    scratch.run_once(company(), &["--kpis", &kpis]).exits(2).tells(&told);
    assert_eq!(scratch.read("kpis.jsonl"), b"of somebody else\n");
    // A replay keeps nothing: its files are made anew.
    let replayed = scratch.file("replayed.jsonl", "of an earlier replay\n");
    run(&["replay", "--events", company(), "--signals", &replayed]).exits(0);
    assert_eq!(scratch.read("replayed.jsonl"), scratch.read("signals.jsonl"));
}

#[test]
fn another_signals_file_is_not_cut_to_the_length_of_the_first() {
    let scratch = Scratch::new();
    scratch.run_once(company(), &[]).exits(0);
    let written = scratch.read("signals.jsonl");
    let (data, other) = (scratch.path("data"), scratch.file("other.jsonl", [&written[..], b"and more\n"].concat()));
    let run_to = |signals: &str| run(&["run", "--once", "--metrics", "off", "--events", company(), "--data", &data, "--signals", signals]);
    run_to(&other).exits(2).tells(&["bytes of another file are committed", "Name the file as before"]);
    assert_eq!(scratch.read("other.jsonl").len(), written.len() + 9);
    // The file itself may be cut, as after a crash, and may move.
    fs::write(scratch.path("signals.jsonl"), [&written[..], b"{\"half a li"].concat()).unwrap();
    run_to(&scratch.path("signals.jsonl")).exits(0);
    assert_eq!(scratch.read("signals.jsonl"), written);
    let moved = scratch.path("moved.jsonl");
    fs::rename(scratch.path("signals.jsonl"), &moved).unwrap();
    fs::rename(scratch.path("signals.jsonl.decisions"), scratch.path("moved.jsonl.decisions")).unwrap();
    run_to(&moved).exits(0);
    assert_eq!(scratch.read("moved.jsonl"), written);
}
