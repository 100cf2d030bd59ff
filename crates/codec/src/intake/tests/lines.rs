//! Splitting: line ends, blank lines, numbers and offsets, long lines, foreign bytes.

use xxhash_rust::xxh3::xxh3_128;

use super::super::{CHUNK_BYTES, EPOCH_LINES, KEPT_OVERSIZE_BYTES, MAX_EPOCH_BYTES, MAX_LINE_BYTES, Oversize};
use super::{Delivered, Files, Flaw, delivered};

/// Number, offset and text of each line.
#[track_caller]
fn check(content: &[u8], expected: &[(u64, u64, &[u8])]) {
    let files = Files::new(&[("a.jsonl", content)]);
    let lines = delivered(&files.epochs(&["a.jsonl"], None));
    let found: Vec<(u64, u64, &[u8])> = lines.iter().map(|line| (line.number, line.offset, &*line.text)).collect();
    assert_eq!(found, expected);
}

#[test]
fn line_ends_and_blank_lines() {
    check(b"", &[]);
    check(b"\n\r\n  \n\t\n", &[]);
    check(b"a\nb\n", &[(1, 0, b"a"), (2, 2, b"b")]);
    check(b"a\nb", &[(1, 0, b"a"), (2, 2, b"b")]);
    check(b"a\r\nb\r\n", &[(1, 0, b"a"), (2, 3, b"b")]);
    check(b"a\r\nb\r", &[(1, 0, b"a"), (2, 3, b"b")]);
    check(b"\n\na\n \n  b \nc\rd\n", &[(3, 2, b"a"), (5, 6, b"  b "), (6, 11, b"c\rd")]);
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_line() {
    check(b"\xEF\xBB\xBFa\n\xEF\xBB\xBFb", &[(1, 0, b"a"), (2, 5, b"\xEF\xBB\xBFb")]);
    check(b"\xEF\xBB\xBF", &[]);
}

#[test]
fn bytes_that_are_no_text_pass_through() {
    check(b"{\xff\xfe}\n\x00\xe2\x82\n", &[(1, 0, b"{\xff\xfe}"), (2, 5, b"\x00\xe2\x82")]);
}

#[test]
fn lines_across_reads_come_whole() {
    let long = vec![b'x'; CHUNK_BYTES];
    let content = [b"a\n", &long[..], b"y\n", &long[1..], b"\nz"].concat();
    let second = [&long[..], b"y"].concat();
    let third_offset = 2 + second.len() as u64 + 1;
    let last_offset = content.len() as u64 - 1;
    check(&content, &[(1, 0, b"a"), (2, 2, &second), (3, third_offset, &long[1..]), (4, last_offset, b"z")]);
}

#[test]
fn full_epochs_have_the_same_number_of_lines() {
    for (lines, expected) in [(EPOCH_LINES, vec![EPOCH_LINES]), (EPOCH_LINES + 1, vec![EPOCH_LINES, 1])] {
        let files = Files::new(&[("a.jsonl", "x\n\n".repeat(lines).as_bytes())]);
        let epochs = files.epochs(&["a.jsonl"], None);
        assert_eq!(epochs.iter().map(|epoch| epoch.lines.len()).collect::<Vec<_>>(), expected);
        assert_eq!(epochs.iter().map(|epoch| epoch.number).collect::<Vec<_>>(), (0..expected.len() as u64).collect::<Vec<_>>());
    }
}

#[test]
fn epochs_of_long_lines_are_cut_by_size() {
    let line = "x".repeat(MAX_LINE_BYTES) + "\n";
    let files = Files::new(&[("a.jsonl", line.repeat(40).as_bytes())]);
    let epochs = files.epochs(&["a.jsonl"], None);
    let per_epoch = MAX_EPOCH_BYTES / MAX_LINE_BYTES;
    assert_eq!(epochs.iter().map(|epoch| epoch.lines.len()).collect::<Vec<_>>(), [per_epoch, 40 - per_epoch]);
}

#[test]
fn a_line_too_long_is_measured_and_cut() {
    let long: Vec<u8> = (0..10_000_000_u32).map(|index| b'a' + (index % 23) as u8).collect();
    let just_right = vec![b'r'; MAX_LINE_BYTES];
    let just_over = vec![b'o'; MAX_LINE_BYTES + 1];
    let content = [b"a\n", &long[..], b"\n", &just_right, b"\n", &just_over, b"\nz\n", &long].concat();
    let files = Files::new(&[("a.jsonl", &content)]);
    let lines = delivered(&files.epochs(&["a.jsonl"], None));
    let flaw = |line: &[u8]| Some(Flaw::Oversize(Oversize { length: line.len() as u64, hash: xxh3_128(line) }));
    let expected = |number, offset: usize, text: &[u8], flaw| Delivered {
        input: "a.jsonl".into(),
        number,
        offset: offset as u64,
        text: text.to_vec(),
        flaw,
    };
    let after_long = 2 + long.len() + 1;
    let after_right = after_long + just_right.len() + 1;
    let after_over = after_right + just_over.len() + 1;
    assert!(
        lines
            == [
                expected(1, 0, b"a", None),
                expected(2, 2, &long[..KEPT_OVERSIZE_BYTES], flaw(&long)),
                expected(3, after_long, &just_right, None),
                expected(4, after_right, &just_over[..KEPT_OVERSIZE_BYTES], flaw(&just_over)),
                expected(5, after_over, b"z", None),
                expected(6, after_over + 2, &long[..KEPT_OVERSIZE_BYTES], flaw(&long)),
            ]
    );
}
