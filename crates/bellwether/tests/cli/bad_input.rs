//! Bad input: the run goes on, each line is accounted for, and exit code and summary say so.

use std::fs;

use super::support::{Scratch, company, login, run};

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
        login(1, 1).into_bytes(),
        login(8, 8).into_bytes(),
    ];
    let given = lines.len() as u64;
    lines.push(Vec::new());
    let events = scratch.file("events.jsonl", lines.join(&b'\n'));
    scratch.run_once(&events, &[]).exits(0).tells(&["lines were refused", "dead-letters.jsonl"]);
    let summary = scratch.summary();
    let refused: u64 = summary["rejected"].as_object().unwrap().values().filter_map(serde_json::Value::as_u64).sum();
    assert_eq!((summary["events"].as_u64(), refused), (Some(given), 9), "{summary}");
    assert_eq!((summary["journaled"].as_u64(), summary["duplicates"].as_u64()), (Some(3), Some(1)), "{summary}");
    let letters = scratch.dead_letters();
    assert_eq!(letters.len(), 9);
    assert!(letters.iter().all(|letter| letter["input"] == events && letter["hash"].is_string()));
    scratch.run_once(&events, &["--strict"]).exits(1);
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
