//! A journal written anew decides as the old one did.

use std::fs;

use serde_json::Value;

use super::support::{Scratch, company, run};

/// A rule of which the pack knows nothing.
const OTHER_RULES: &str =
    "signals:\n  - { name: quiet, kind: at_risk, when: days_since_login >= 6, summary: quiet, warm_up: 0s, cooldown: 1d }\n";

/// The lines of the simulated company, some of them late by up to two days.
fn lines() -> Vec<String> {
    let text = zstd::decode_all(fs::File::open(company()).expect("it is there")).expect("it reads");
    let mut lines: Vec<String> = String::from_utf8(text).expect("UTF-8").lines().map(str::to_owned).collect();
    for index in (0..lines.len() - 400).step_by(9) {
        lines.swap(index, index + 399);
    }
    lines
}

fn sorted(scratch: &Scratch, name: &str) -> Vec<String> {
    let mut lines: Vec<String> = String::from_utf8(scratch.read(name)).expect("UTF-8").lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// What a replay of a data directory says, sorted.
fn replayed(scratch: &Scratch, data: &str) -> Vec<String> {
    let out = scratch.path("replayed.jsonl");
    run(&["replay", "--journal", &scratch.path(data), "--signals", &out]).exits(0);
    sorted(scratch, "replayed.jsonl")
}

/// Runs events into a data directory, with its signals within it.
fn live(scratch: &Scratch, data: &str, events: &str, more: &[&str]) {
    let fixed = ["run", "--once", "--metrics", "off", "--events", events, "--data", &scratch.path(data)].map(str::to_owned);
    let fixed: Vec<&str> = fixed.iter().map(String::as_str).collect();
    run(&[&fixed, more].concat()).exits(0);
}

fn rewrite(scratch: &Scratch, journals: &[&str], to: &str, more: &[&str]) -> super::support::Ran {
    let journals: Vec<String> = journals.iter().map(|data| scratch.path(data)).collect();
    let journals: Vec<&str> = journals.iter().map(String::as_str).collect();
    run(&[&["journal", "rewrite", "--to", &scratch.path(to), "--journal"], journals.as_slice(), more].concat())
}

fn customer_of(line: &str) -> String {
    serde_json::from_str::<Value>(line).expect("JSON")["subject"].as_str().expect("a text").to_owned()
}

#[test]
fn another_number_of_partitions_changes_no_signal_and_the_run_goes_on() {
    let scratch = Scratch::new();
    let lines = lines();
    let (half, most) = (lines.len() / 2, lines.len() - 500);
    let parts = [&lines[..half], &lines[half..most], &lines[most..]];
    let files: Vec<String> = (0..3).map(|part| scratch.file(&format!("part-{part}.jsonl"), parts[part].join("\n"))).collect();
    let rules = scratch.file("rules.yaml", OTHER_RULES);
    // Rules change in the middle.
    live(&scratch, "old", &files[0], &["--partitions", "3"]);
    live(&scratch, "old", &files[1], &["--rules", &rules]);
    let expected = replayed(&scratch, "old");
    assert!(expected.iter().any(|line| line.contains("\"rule\":\"quiet\"")) && expected.len() > 100, "{}", expected.len());
    for partitions in ["1", "7"] {
        let data = format!("new-{partitions}");
        rewrite(&scratch, &["old"], &data, &["--partitions", partitions]).exits(0);
        assert!(replayed(&scratch, &data) == expected, "a replay of {partitions} partitions differs");
        assert!(sorted(&scratch, &format!("{data}/signals.jsonl")) == expected, "the signals of {partitions} partitions differ");
    }
    // The new one knows what was read, and goes on as the old one would.
    for data in ["old", "new-7"] {
        live(&scratch, data, &files[1], &["--rules", &rules]);
        assert!(sorted(&scratch, &format!("{data}/signals.jsonl")) == expected, "{data} has read its input again");
        live(&scratch, data, &files[2], &["--rules", &rules]);
    }
    let after = sorted(&scratch, "old/signals.jsonl");
    assert!(after.len() > expected.len());
    assert!(after == sorted(&scratch, "new-7/signals.jsonl"), "they go on in different ways");
}

#[test]
fn journals_and_files_become_one_history() {
    let scratch = Scratch::new();
    let lines = lines();
    let third = |which: usize| {
        let is_of = |line: &&String| customer_of(line).bytes().map(usize::from).sum::<usize>() % 3 == which;
        lines.iter().filter(is_of).cloned().collect::<Vec<String>>().join("\n")
    };
    let files: Vec<String> = (0..3).map(|which| scratch.file(&format!("third-{which}.jsonl"), third(which))).collect();
    live(&scratch, "one", &files[0], &["--partitions", "2"]);
    live(&scratch, "other", &files[1], &["--partitions", "3"]);
    rewrite(&scratch, &["one", "other"], "merged", &["--events", &files[2]]).exits(0);
    run(&["run", "--once", "--metrics", "off", "--data", &scratch.path("all"), "--events", &files[0], &files[1], &files[2]]).exits(0);
    let expected = sorted(&scratch, "all/signals.jsonl");
    assert!(expected.len() > 100);
    let merged = sorted(&scratch, "merged/signals.jsonl");
    assert_eq!(merged.len(), expected.len());
    assert!(replayed(&scratch, "merged") == merged, "the journal says something else than the signals");
    // None of the files is read again.
    run(&["run", "--once", "--metrics", "off", "--data", &scratch.path("merged"), "--events", &files[0], &files[1], &files[2]]).exits(0);
    assert!(sorted(&scratch, "merged/signals.jsonl") == merged);
}

#[test]
fn what_was_erased_is_not_in_it_and_stays_out() {
    let scratch = Scratch::new();
    let lines = lines();
    let events = scratch.file("all.jsonl", lines.join("\n"));
    live(&scratch, "old", &events, &[]);
    let signals = String::from_utf8(scratch.read("old/signals.jsonl")).expect("UTF-8");
    let mut customers: Vec<String> = signals.lines().map(customer_of).collect();
    customers.dedup();
    customers.truncate(2);
    assert_ne!(customers[0], customers[1]);
    // One is erased by hand, whose bytes are gone already; the other by an event, whose are not.
    run(&["erase", &customers[0], "--data", &scratch.path("old"), "--time", "2024-10-01"]).exits(0);
    let erasure = format!(
        r#"{{"specversion":"1.0","id":"gone","source":"/crm","type":"customer.erased","subject":"{}","time":"2024-09-01T00:00:00Z"}}"#,
        customers[1]
    );
    live(&scratch, "old", &scratch.file("erasure.jsonl", erasure), &[]);
    let expected = replayed(&scratch, "old");
    rewrite(&scratch, &["old"], "new", &["--partitions", "5"]).exits(0).tells(&["records of erased customers were left out"]);
    assert!(replayed(&scratch, "new") == expected, "the signals of others differ");
    let table = scratch.path("new.parquet");
    let exported = run(&["journal", "export", "--journal", &scratch.path("new"), "--to", &table]).exits(0);
    assert!(!exported.errors.contains("erased"), "{}", exported.errors);
    let left = lines.iter().filter(|line| !customers.contains(&customer_of(line))).count();
    let told = run(&["journal", "export", "--events", &events, "--to", &scratch.path("all.parquet")]).exits(0);
    assert!(told.output.contains(" events in 1 file"));
    let counted = |output: &str| -> usize {
        let count: String = output.rsplit(": ").next().unwrap_or_default().split(' ').next().unwrap_or_default().replace(',', "");
        count.parse().expect("a count")
    };
    assert_eq!(counted(&exported.output), left);
    // Stragglers from before the erasures are dropped in the new one, too.
    let straggler = |customer: &String| {
        format!(
            r#"{{"specversion":"1.0","id":"late-{customer}","source":"/x","type":"cancellation.viewed","subject":"{customer}","time":"2024-08-20T00:00:00Z"}}"#
        )
    };
    let late = scratch.file("late.jsonl", customers.iter().map(straggler).collect::<Vec<_>>().join("\n"));
    live(&scratch, "new", &late, &[]);
    let after = replayed(&scratch, "new");
    assert!(!after.iter().any(|line| customers.contains(&customer_of(line))), "somebody is known again");
}

#[test]
fn what_cannot_be_rewritten_is_told() {
    let scratch = Scratch::new();
    scratch.run_once(company(), &[]).exits(0);
    rewrite(&scratch, &["data"], "data", &[]).exits(2).tells(&["it is there already"]);
    rewrite(&scratch, &["nothing"], "new", &[]).exits(2).tells(&["no data directory with a journal"]);
    let mut other = super::support::bellwether(&["journal", "rewrite", "--journal", &scratch.path("data"), "--to", &scratch.path("new")]);
    let output = other.env("BELLWETHER_PSEUDONYM_KEY", "00112233445566778899aabbccddeeff").output().expect("it starts");
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!scratch.has("new"));
}
