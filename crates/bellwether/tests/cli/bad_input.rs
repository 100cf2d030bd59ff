//! Bad input: the run goes on, each line is accounted for, and exit code and summary say so.

use std::fs;

use serde_json::json;

use super::support::{Scratch, company, login, run};

/// The data of a subscription that pays its customer.
const NEGATIVE_MONEY: &str = r#"{"subscription":"s1","mrr_minor":-100,"currency":"EUR"}"#;

#[test]
fn refused_lines_are_dead_letters_and_counted() {
    let scratch = Scratch::new();
    let mut lines: Vec<Vec<u8>> = vec![
        login(1, 1).into_bytes(),
        b"{\"type\":\"login\",\"subject\":\"\xff\"}".to_vec(),
        b"{\"type\":\"log".to_vec(),
        "[".repeat(10_000).into_bytes(),
        login(2, 2).replace("\"login\"", "\"logout\"").into_bytes(),
        login(3, 3).replace("\"subject\":\"c-1\",", "").into_bytes(),
        login(4, 4).replace("2026-", "1900-").into_bytes(),
        login(5, 5).replace("2026-", "2999-").into_bytes(),
        login(6, 6).replace("{\"user\":\"u1\"}", "{\"ok\":NaN}").into_bytes(),
        login(7, 7).replace("{\"user\":\"u1\"}", "{\"ok\":\"perhaps\"}").into_bytes(),
        login(9, 9).replace("\"login\"", "\"subscription.started\"").replace("{\"user\":\"u1\"}", NEGATIVE_MONEY).into_bytes(),
        login(1, 1).into_bytes(),
        login(8, 8).into_bytes(),
    ];
    let given = lines.len() as u64;
    lines.push(Vec::new());
    let events = scratch.file("events.jsonl", lines.join(&b'\n'));
    scratch.run_once(&events, &[]).exits(0).tells(&["lines were refused", "dead-letters.jsonl"]);
    let summary = scratch.summary();
    let by_reason = json!({
        "invalid_utf8": 1, "invalid_json": 2, "too_deep": 1, "unknown_type": 1, "missing_field": 1, "time_out_of_range": 2, "wrong_type": 1,
        "out_of_range": 1,
    });
    assert_eq!((summary["events"].as_u64(), &summary["rejected"]), (Some(given), &by_reason), "{summary}");
    assert_eq!((summary["journaled"].as_u64(), summary["duplicates"].as_u64()), (Some(3), Some(1)), "{summary}");
    let letters = scratch.dead_letters();
    assert_eq!(letters.len(), 10);
    let reasons: Vec<&str> = letters.iter().map(|letter| letter["reason"].as_str().unwrap()).collect();
    let in_order = [
        "invalid_utf8",
        "invalid_json",
        "too_deep",
        "unknown_type",
        "missing_field",
        "time_out_of_range",
        "time_out_of_range",
        "invalid_json",
        "wrong_type",
        "out_of_range",
    ];
    assert_eq!(reasons, in_order);
    assert!(letters.iter().all(|letter| letter["input"] == events && letter["hash"].is_string()));
    scratch.run_once(&events, &["--strict"]).exits(1);
    for command in [&["rules", "list"][..], &["explain", "c-1"]] {
        run(&[command, &["--events", &events]].concat()).exits(0).tells(&["10 lines were refused"]);
    }
}

/// An event from before the windows is taken in and counted, and changes no count.
#[test]
fn an_event_that_comes_too_late_for_the_windows_is_journaled_and_told() {
    let created = login(2, 1).replace("\"login\"", "\"account.created\"").replace("2026-", "2025-").replace("{\"user\":\"u1\"}", "{}");
    let too_late = login(3, 2).replace("2026-", "2022-");
    for (lines, counted) in [([created.clone(), login(1, 1)].join("\n"), 0), ([created, login(1, 1), too_late].join("\n"), 1)] {
        let scratch = Scratch::new();
        let events = scratch.file("events.jsonl", &lines);
        scratch.run_once(&events, &["--strict"]).exits(0);
        let summary = scratch.summary();
        let found = ["too_late", "journaled", "duplicates"].map(|name| summary[name].as_u64());
        assert_eq!(found, [counted, lines.lines().count() as u64, 0].map(Some), "{summary}");
    }
}

#[test]
fn strict_is_content_with_good_input() {
    Scratch::new().run_once(company(), &["--strict"]).exits(0);
}

#[test]
fn unknown_types_are_skipped_on_demand() {
    let scratch = Scratch::new();
    let events = scratch.file("events.jsonl", [login(1, 1), login(2, 2).replace("\"login\"", "\"logout\"")].join("\n"));
    scratch.run_once(&events, &["--skip-unknown-types", "--strict"]).exits(0);
    assert_eq!(scratch.summary()["rejected"]["skipped_type"], 1);
    assert!(scratch.dead_letters().is_empty());
}

#[test]
fn an_empty_file_is_an_empty_run() {
    for name in ["events.jsonl", "events.jsonl.zst", "events.jsonl.gz"] {
        let scratch = Scratch::new();
        let events = scratch.file(name, "");
        scratch.run_once(&events, &["--strict"]).exits(0);
        assert_eq!(scratch.summary()["events"], 0);
        assert!(scratch.read("signals.jsonl").is_empty());
        run(&["replay", "--events", &events, "--signals", "-"]).exits(0);
    }
}

#[test]
fn half_a_frame_is_read_as_far_as_it_goes_and_told() {
    let scratch = Scratch::new();
    let whole = fs::read(company()).unwrap();
    let events = scratch.file("half.jsonl.zst", &whole[..whole.len() / 2]);
    scratch.run_once(&events, &[]).exits(1).tells(&["broke off"]);
    let summary = scratch.summary();
    assert_eq!(summary["rejected"]["input_truncated"], 1, "{summary}");
    assert!(summary["journaled"].as_u64() > Some(0), "{summary}");
    assert_eq!(scratch.dead_letters().len(), 1);
    run(&["replay", "--events", &events, "--signals", "-"]).exits(1).tells(&["broke off"]);
    run(&["rules", "list", "--events", &events]).exits(1).tells(&["1 lines were refused", "broke off"]);
    run(&["explain", "c-00001", "--events", &events]).exits(1).tells(&["1 lines were refused", "broke off"]);
    // What comes after the instant is not read.
    let early = run(&["explain", "c-00001", "--events", &events, "--at", "2023-12-01"]);
    assert!(!early.errors.contains("refused") && !early.errors.contains("broke off"), "{}", early.errors);
}

#[test]
fn a_line_of_ten_megabytes_is_one_dead_letter() {
    let scratch = Scratch::new();
    let long = login(2, 2).replace("u1", &"x".repeat(10_000_000));
    let events = scratch.file("events.jsonl", [login(1, 1), long.clone(), login(3, 3)].join("\n"));
    scratch.run_once(&events, &[]).exits(0);
    assert_eq!((&scratch.summary()["rejected"]["line_too_long"], &scratch.summary()["journaled"]), (&1.into(), &2.into()));
    let letters = scratch.dead_letters();
    assert_eq!((letters[0]["length"].as_u64(), letters[0]["line"].as_u64()), (Some(long.len() as u64), Some(2)));
}

/// One line with a time of 1970 at the beginning: all others are over a year after it.
#[test]
fn a_first_line_that_makes_all_others_late_is_a_finding_with_what_to_do() {
    let scratch = Scratch::new();
    let early = login(9, 2).replace("2026-03", "1970-01");
    let events = scratch.file("events.jsonl", [early.clone(), login(1, 1), login(2, 2), login(3, 3)].join("\n"));
    let told = ["3 of 4 lines", "1970", "--data"];
    scratch.run_once(&events, &[]).exits(1).tells(&told);
    assert_eq!((&scratch.summary()["journaled"], &scratch.summary()["rejected"]["future_dated"]), (&1.into(), &3.into()));
    run(&["replay", "--events", &events, "--signals", "-"]).exits(1).tells(&told);
    run(&["rules", "list", "--events", &events]).exits(1).tells(&told);
    run(&["explain", "c-1", "--events", &events]).exits(1).tells(&told);
    let one = scratch.file("one.jsonl", [login(1, 1), login(2, 2), login(3, 3).replace("2026-", "2099-")].join("\n"));
    run(&["replay", "--events", &one, "--signals", "-"]).exits(0);
}

/// A file is read while somebody writes to it: what there is of the last line is a dead letter, and the whole line an event when it has come.
#[test]
fn an_event_that_was_half_written_is_taken_in_when_it_is_whole() {
    let scratch = Scratch::new();
    let (first, second) = (login(1, 1) + "\n", login(2, 2) + "\n");
    let (half, rest) = second.split_at(60);
    let events = scratch.file("events.jsonl", format!("{first}{half}"));
    for _ in 0..2 {
        scratch.run_once(&events, &[]).exits(0);
        assert_eq!((&scratch.summary()["journaled"], scratch.dead_letters().len()), (&1.into(), 1));
    }
    fs::write(&events, format!("{first}{half}{rest}")).unwrap();
    scratch.run_once(&events, &[]).exits(0);
    assert_eq!((&scratch.summary()["journaled"], scratch.dead_letters().len()), (&2.into(), 1));
}
