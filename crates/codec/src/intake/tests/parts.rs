//! Epochs in parts: the same lines, and the same ends.

use super::super::{EPOCH_LINES, PartReader, RawPart};
use super::{Files, InputSpec, RawEpoch, delivered, log};

fn lines(part: RawPart) -> RawEpoch {
    match part {
        RawPart::Lines(epoch) => epoch,
        RawPart::Rows(_) => panic!("rows of a table"),
    }
}

#[track_caller]
fn check(files: &Files, names: &[&str], part_lines: usize) {
    let specs: Vec<InputSpec> = names.iter().map(|name| InputSpec::from(files.root().join(name).as_path())).collect();
    let mut reader = PartReader::open(&specs, part_lines, None).unwrap();
    let parts: Vec<RawEpoch> = std::iter::from_fn(|| reader.next_part().unwrap().map(lines)).collect();
    let epochs = files.epochs(names, None);
    assert!(delivered(&parts) == delivered(&epochs), "the lines differ");
    let lines_by_epoch = |epochs: &[RawEpoch]| {
        let mut lines = std::collections::BTreeMap::new();
        epochs.iter().for_each(|epoch| *lines.entry(epoch.number).or_insert(0) += epoch.lines.len());
        lines
    };
    assert_eq!(lines_by_epoch(&parts), lines_by_epoch(&epochs));
    let ends: Vec<_> = parts.iter().filter(|part| part.is_end).map(|part| (part.number, part.is_last, &part.positions)).collect();
    let expected: Vec<_> = epochs.iter().map(|epoch| (epoch.number, epoch.is_last, &epoch.positions)).collect();
    assert_eq!(ends, expected);
    assert!(parts.iter().all(|part| part.lines.len() <= part_lines));
    assert_eq!(reader.progress().bytes_read(), reader.progress().bytes_total());
}

#[test]
fn parts_make_up_the_epochs() {
    let count = EPOCH_LINES as i64 + 1_500;
    let files = Files::new(&[
        ("a.jsonl", &log(count, "a")),
        ("b.jsonl", &log(700, "b")),
        ("whole.jsonl", &log(EPOCH_LINES as i64, "c")),
        ("empty.jsonl", b""),
        ("long.jsonl", &[vec![b'x'; super::super::MAX_EPOCH_BYTES / 64], b"\n".to_vec()].concat().repeat(70)),
    ]);
    for part_lines in [1_000, 1_024, EPOCH_LINES] {
        check(&files, &["a.jsonl"], part_lines);
        check(&files, &["a.jsonl", "b.jsonl"], part_lines);
        check(&files, &["whole.jsonl"], part_lines);
        check(&files, &["empty.jsonl"], part_lines);
        check(&files, &["long.jsonl"], part_lines);
    }
    check(&files, &["long.jsonl"], 3);
}
