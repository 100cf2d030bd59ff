//! Inputs that break off: everything before is delivered, the damage is one flawed line, the others go on.

use super::{Delivered, Files, Flaw, delivered, event, gzip, log, resume_after, zstd};

/// Cuts a packed log of 20,000 lines, and checks that what comes out is its beginning and then the damage.
#[track_caller]
fn check(name: &str, damaged: &[u8]) {
    let whole = log(20_000, "a");
    let files = Files::new(&[(name, damaged), ("other.jsonl", event(1_000_000, "other").as_bytes())]);
    let epochs = files.epochs(&[name, "other.jsonl"], None);
    let lines = delivered(&epochs);
    let [before @ .., damage, last] = &lines[..] else { panic!("{} lines", lines.len()) };
    assert_eq!(last.text, event(1_000_000, "other").as_bytes(), "the other input goes on");
    let Some(Flaw::StreamError { readable, message, oversize: None }) = &damage.flaw else { panic!("{damage:?}") };
    assert!(!message.is_empty());
    let joined: Vec<u8> = before.iter().flat_map(|line| [&line.text[..], b"\n"].concat()).collect();
    assert!(!before.is_empty() && before.len() <= 20_000, "{} lines", before.len());
    assert_eq!(damage.number, before.len() as u64 + 1);
    assert_eq!(damage.offset, joined.len() as u64);
    let all = [joined, damage.text.clone()].concat();
    assert_eq!(*readable, all.len() as u64);
    assert!(whole.starts_with(&all));

    let again = files.epochs(&[name, "other.jsonl"], resume_after(epochs.last().unwrap()));
    assert!(delivered(&again).is_empty(), "the damage is reported once");
    if epochs.len() > 1 {
        let resumed = files.epochs(&[name, "other.jsonl"], resume_after(&epochs[0]));
        assert!(resumed == epochs[1..], "a resumed run finds the same damage");
    }
}

#[test]
fn half_a_zstd_frame() {
    let packed = zstd(&log(20_000, "a"));
    check("a.zst", &packed[..packed.len() / 2]);
    check("a.zst", &packed[..packed.len() - 3]);
}

#[test]
fn a_second_zstd_frame_that_is_none() {
    let packed = zstd(&log(18_000, "a"));
    check("a.zst", &[&packed[..], b"this is not a frame"].concat());
}

#[test]
fn half_a_gzip_member() {
    let packed = gzip(&log(20_000, "a"));
    check("a.gz", &packed[..packed.len() / 2]);
    check("a.gz", &packed[..packed.len() - 3]);
}

#[test]
fn a_corrupt_gzip_member() {
    let mut packed = gzip(&log(20_000, "a"));
    let middle = packed.len() * 9 / 10;
    packed[middle..middle + 200].fill(0xff);
    check("a.gz", &packed);
}

#[test]
fn a_file_that_is_not_what_its_name_says() {
    for name in ["a.zst", "a.gz"] {
        let files = Files::new(&[(name, b"{\"id\":1}\n{\"id\":2}\n")]);
        let lines = delivered(&files.epochs(&[name], None));
        let [Delivered { number: 1, offset: 0, flaw: Some(Flaw::StreamError { readable: 0, .. }), .. }] = &lines[..] else {
            panic!("{lines:?}")
        };
    }
}

#[test]
fn a_broken_file_that_was_completed_goes_on_with_the_line_that_broke_off() {
    let whole = log(20_000, "a");
    let packed = zstd(&whole);
    let (first, second) = packed.split_at(packed.len() / 2);
    let files = Files::new(&[("a.zst", first)]);
    let before = files.epochs(&["a.zst"], None);
    files.append("a.zst", second);
    let after = files.epochs(&["a.zst"], resume_after(before.last().unwrap()));
    let mut lines = delivered(&before);
    assert!(matches!(lines.pop(), Some(Delivered { flaw: Some(Flaw::StreamError { .. }), .. })));
    lines.extend(delivered(&after));
    let straight = Files::new(&[("a.zst", &packed)]).epochs(&["a.zst"], None);
    assert!(lines == delivered(&straight));
}
