//! The one order of several inputs, and where its epochs are cut.

use bellwether_engine::time::{DAY_MS, SECOND_MS, Time};

use super::super::{EPOCH_LINES, MAX_AHEAD_OF_CLOCK_MS};
use super::{Files, START_MS, delivered, drain, event, log};

/// The texts of three files in merged order.
#[track_caller]
fn check(files: [&[String]; 3], expected: &[&String]) {
    let contents = files.map(|lines| lines.join("\n"));
    let files =
        Files::new(&[("a.jsonl", contents[0].as_bytes()), ("b.jsonl", contents[1].as_bytes()), ("c.jsonl", contents[2].as_bytes())]);
    assert_eq!(files.texts(&["a.jsonl", "b.jsonl", "c.jsonl"]).iter().collect::<Vec<_>>(), expected);
}

#[test]
fn lines_are_merged_by_time_then_name_then_number() {
    let a = [event(1, "a"), event(5, "a"), event(5, "aa"), event(9, "a")];
    let b = [event(5, "b"), event(6, "b")];
    let c = [event(0, "c"), event(5, "c"), event(7, "c")];
    check([&a, &b, &c], &[&c[0], &a[0], &a[1], &a[2], &b[0], &c[1], &b[1], &c[2], &a[3]]);
}

#[test]
fn a_line_without_time_follows_its_predecessor_at_once() {
    let nothing = String::from("{}");
    let a = [nothing.clone(), event(5, "a"), "garbage".into(), event(9, "a")];
    let b = [event(4, "b"), event(6, "b"), event(20, "b"), r#"{"time":"2999-01-01T00:00:00Z"}"#.into(), event(21, "b")];
    let c = [event(22, "c")];
    check([&a, &b, &c], &[&nothing, &b[0], &a[1], &a[2], &b[1], &a[3], &b[2], &b[3], &b[4], &c[0]]);
}

#[test]
fn a_line_dated_before_its_predecessor_follows_it_at_once() {
    let a = [event(5, "a"), event(1, "a"), event(6, "a")];
    let b = [event(0, "b"), event(5, "b"), event(7, "b")];
    check([&a, &b, &[]], &[&b[0], &a[0], &a[1], &b[1], &a[2], &b[2]]);
}

/// A line that will be refused as dated after the present does not say how far its file has come: all others would be read before what follows it.
#[test]
fn a_line_dated_after_the_present_does_not_hold_back_its_file() {
    /// Three days after the first event.
    fn clock() -> Option<Time> {
        Some(Time(START_MS + 3 * DAY_MS))
    }
    let day = DAY_MS / SECOND_MS;
    let latest = (3 * DAY_MS + MAX_AHEAD_OF_CLOCK_MS) / SECOND_MS;
    let a = [event(0, "a"), event(latest + 1, "a"), event(day, "a"), event(latest, "a"), event(2 * day, "a")];
    let b = [event(0, "b"), event(day, "b"), event(2 * day, "b"), event(3 * day, "b")];
    let files = Files::new(&[("a.jsonl", a.join("\n").as_bytes()), ("b.jsonl", b.join("\n").as_bytes())]);
    let lines = delivered(&drain(files.open_at(&["a.jsonl", "b.jsonl"], None, clock).unwrap()));
    let texts: Vec<String> = lines.into_iter().map(|line| String::from_utf8(line.text).unwrap()).collect();
    let expected = [&a[0], &a[1], &b[0], &a[2], &b[1], &b[2], &b[3], &a[3], &a[4]];
    assert_eq!(texts.iter().collect::<Vec<_>>(), expected);
}

#[test]
fn the_order_in_which_inputs_are_given_does_not_matter() {
    let files = Files::new(&[("a.jsonl", &log(9_000, "a")), ("b.jsonl", &log(20_000, "b")), ("c.jsonl", &log(10_000, "c"))]);
    let straight = files.epochs(&["a.jsonl", "b.jsonl", "c.jsonl"], None);
    let lines: Vec<usize> = straight.iter().map(|epoch| epoch.lines.len()).collect();
    assert_eq!(lines, [EPOCH_LINES, EPOCH_LINES, 39_000 - 2 * EPOCH_LINES]);
    for names in [["b.jsonl", "a.jsonl", "c.jsonl"], ["c.jsonl", "b.jsonl", "a.jsonl"], ["b.jsonl", "c.jsonl", "a.jsonl"]] {
        assert!(files.epochs(&names, None) == straight, "{names:?}");
    }
}
