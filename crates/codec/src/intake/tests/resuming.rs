//! Going on where an earlier run stopped.

use super::super::{EPOCH_LINES, FINGERPRINT_BYTES, IntakeError, Resume};
use super::{Files, delivered, event, gzip, in_three, log, resume_after, zstd};

/// Resuming after each epoch gives what the straight run gave.
#[track_caller]
fn check(contents: &[(&str, &[u8])]) {
    let files = Files::new(contents);
    let names: Vec<&str> = contents.iter().map(|(name, _)| *name).collect();
    let straight = files.epochs(&names, None);
    assert!(straight.len() > 2);
    for (index, epoch) in straight.iter().enumerate() {
        let resumed = files.epochs(&names, resume_after(epoch));
        if epoch.is_last {
            assert_eq!((resumed.len(), resumed[0].lines.len(), &resumed[0].positions), (1, 0, &epoch.positions));
        } else {
            assert!(resumed == straight[index + 1..], "after epoch {index}");
        }
    }
}

#[test]
fn a_resumed_run_equals_the_straight_one() {
    let log = log(50_000, "a");
    check(&[("a.jsonl", &log)]);
    check(&[("a.zst", &zstd(&log))]);
    check(&[("a.gz", &gzip(&log))]);
    check(&[("a.zst", &in_three(&log, zstd))]);
    check(&[("a.gz", &in_three(&log, gzip))]);
}

#[test]
fn a_resumed_merge_equals_the_straight_one() {
    let with_gaps = String::from_utf8(log(20_000, "b")).unwrap().replace("-7\"", "\n\n").into_bytes();
    check(&[("a.jsonl", &log(10_000, "a")), ("b.zst", &zstd(&with_gaps)), ("c.gz", &in_three(&log(15_000, "c"), gzip))]);
}

#[test]
fn lines_without_a_newline_at_the_end_are_read_once() {
    let mut bytes = log(3 * EPOCH_LINES as i64, "a");
    bytes.pop();
    check(&[("a.jsonl", &bytes)]);
}

#[test]
fn a_file_that_grew_goes_on() {
    for (before, appended) in [("a\nb\n", "c\nd"), ("a\nb", "\nc\nd\n"), ("a\nb", "\r\n\r\nc\n"), ("", "a\nb\n"), ("a\nb\n", "")] {
        let files = Files::new(&[("a.jsonl", before.as_bytes())]);
        let first = files.epochs(&["a.jsonl"], None);
        files.append("a.jsonl", appended.as_bytes());
        let second = files.epochs(&["a.jsonl"], resume_after(&first[0]));
        let straight = files.epochs(&["a.jsonl"], None);
        assert_eq!([delivered(&first), delivered(&second)].concat(), delivered(&straight), "{before:?} and {appended:?}");
        assert_eq!(second[0].positions, straight[0].positions);
    }
}

#[test]
fn a_line_within_which_a_file_ended_is_read_again_when_its_rest_has_come() {
    let (whole, next) = (event(1, "b"), event(2, "c"));
    let (half, rest) = whole.split_at(40);
    for before in ["", "\u{FEFF}", "{}\n", "{}\r\n"] {
        for (name, pack) in [("a.jsonl", <[u8]>::to_vec as fn(&[u8]) -> Vec<u8>), ("a.zst", zstd), ("a.gz", gzip)] {
            let number = 1 + before.lines().count() as u64 - u64::from(before == "\u{FEFF}");
            let files = Files::new(&[(name, &pack(format!("{before}{half}").as_bytes()))]);
            let first = files.epochs(&[name], None);
            let told = delivered(&first).pop().unwrap();
            assert_eq!((told.number, &*told.text), (number, half.as_bytes()), "{name}: what there is of it is told");
            // The file is as it was: nothing is told again.
            let again = files.epochs(&[name], resume_after(first.last().unwrap()));
            assert!(delivered(&again).is_empty() && again[0].positions == first[0].positions, "{name}");
            files.append(name, &pack(format!("{rest}\n{next}\n").as_bytes()));
            let second = delivered(&files.epochs(&[name], resume_after(again.last().unwrap())));
            let found: Vec<_> = second.iter().map(|line| (line.number, line.offset, &*line.text)).collect();
            let next_offset = told.offset + whole.len() as u64 + 1 + if before == "\u{FEFF}" { 3 } else { 0 };
            assert_eq!(found, [(number, told.offset, whole.as_bytes()), (number + 1, next_offset, next.as_bytes())], "{name}");
        }
    }
}

#[test]
fn what_is_appended_to_a_last_line_that_was_whole_is_a_line_of_its_own() {
    let files = Files::new(&[("a.jsonl", b"{}\n{}")]);
    let first = files.epochs(&["a.jsonl"], None);
    files.append("a.jsonl", b"rest\n{}\n");
    let second = delivered(&files.epochs(&["a.jsonl"], resume_after(&first[0])));
    assert_eq!(second.iter().map(|line| (line.number, &*line.text)).collect::<Vec<_>>(), [(2, &b"rest"[..]), (3, b"{}")]);
}

#[test]
fn packed_files_may_grow_by_another_frame() {
    for (name, pack) in [("a.zst", zstd as fn(&[u8]) -> Vec<u8>), ("a.gz", gzip)] {
        let files = Files::new(&[(name, &pack(b"a\nb\n"))]);
        let first = files.epochs(&[name], None);
        files.append(name, &pack(b"c\n"));
        let second = files.epochs(&[name], resume_after(&first[0]));
        let lines = delivered(&second);
        assert_eq!(lines.iter().map(|line| (line.number, line.offset, &*line.text)).collect::<Vec<_>>(), [(3, 4, &b"c"[..])]);
    }
}

#[test]
fn another_file_under_the_same_name_is_an_error() {
    let long = log(2_000, "a");
    assert!(long.len() > FINGERPRINT_BYTES);
    let mut changed = long.clone();
    changed[FINGERPRINT_BYTES - 1] ^= 1;
    for (before, after) in
        [(&b"a\nb\n"[..], &b"a\nc\n"[..]), (b"a\nb\n", b"a\n"), (b"a\nb\n", b""), (&long, &changed), (&long, &long[..100_000])]
    {
        let files = Files::new(&[("a.jsonl", before)]);
        let resume = resume_after(&files.epochs(&["a.jsonl"], None)[0]);
        files.write("a.jsonl", after);
        let error = files.open(&["a.jsonl"], resume).and_then(|mut intake| intake.next_epoch()).expect_err("changed");
        assert!(matches!(error, IntakeError::Changed(_)), "{error}");
        let message = error.to_string();
        assert!(
            message.contains(&files.path("a.jsonl")) && message.contains("restore the file") && message.contains("--data"),
            "{message}"
        );
    }
}

#[test]
fn a_packed_file_that_was_cut_behind_its_fingerprint_is_an_error() {
    let noise: String = (0..30_000_u64).map(|index| format!("{}\n", index.wrapping_mul(0x9E37_79B9_7F4A_7C15))).collect();
    let packed = zstd(noise.as_bytes());
    assert!(packed.len() / 2 > FINGERPRINT_BYTES);
    let files = Files::new(&[("a.zst", &packed)]);
    let resume = resume_after(files.epochs(&["a.zst"], None).last().unwrap());
    files.write("a.zst", &packed[..packed.len() / 2]);
    let mut intake = files.open(&["a.zst"], resume).unwrap();
    let error = intake.next_epoch().expect_err("shorter");
    assert!(matches!(error, IntakeError::Changed(_)), "{error}");
    assert!(intake.next_epoch().unwrap().is_none(), "an error is the end");
}

#[test]
fn inputs_may_come_and_go() {
    let files = Files::new(&[("a.jsonl", event(1, "a").as_bytes()), ("b.jsonl", event(2, "b").as_bytes())]);
    let first = files.epochs(&["a.jsonl"], None);
    let second = files.epochs(&["b.jsonl"], resume_after(&first[0]));
    assert_eq!(delivered(&second)[0].text, event(2, "b").as_bytes());
    let mut kept: Vec<_> = second[0].positions.iter().map(|position| position.name.clone()).collect();
    kept.sort();
    assert_eq!(kept, [files.path("a.jsonl"), files.path("b.jsonl")]);
    let third = files.epochs(&["a.jsonl", "b.jsonl"], resume_after(&second[0]));
    assert!(delivered(&third).is_empty());
}

#[test]
fn positions_survive_json() {
    let files = Files::new(&[("a.jsonl", event(1, "a").as_bytes()), ("b.jsonl", b"")]);
    let resume = resume_after(&files.epochs(&["a.jsonl", "b.jsonl"], None)[0]).unwrap();
    let text = serde_json::to_string(&resume).unwrap();
    assert_eq!(serde_json::from_str::<Resume>(&text).unwrap(), resume);
}
