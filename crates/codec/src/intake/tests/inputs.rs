//! What can be an input: files, directories, and the problems that are reported before anything is read.

use super::super::{InputSpec, IntakeError};
use super::{Files, gzip, zstd};

#[track_caller]
fn problems(files: &Files, names: &[&str]) -> Vec<(String, String)> {
    let IntakeError::Unreadable(problems) = files.open(names, None).err().expect("an error") else { panic!("another error") };
    let root = format!("{}/", files.root().display());
    problems.into_iter().map(|problem| (problem.input.replace(&root, ""), problem.problem.replace(&root, ""))).collect()
}

#[test]
fn a_directory_is_its_files_and_those_one_level_below() {
    let files = Files::new(&[
        ("logs/b.jsonl", b"b"),
        ("logs/a/2.json", b"a2"),
        ("logs/a/1.gz", &gzip(b"a1")),
        ("logs/a/.hidden", b"x"),
        ("logs/c.zst", &zstd(b"c")),
        ("logs/.git/config", b"x"),
        ("other.jsonl", b"other"),
    ]);
    assert_eq!(files.texts(&["logs"]), ["a1", "a2", "b", "c"]);
    assert_eq!(files.texts(&["other.jsonl", "logs/b.jsonl", "logs"]), ["a1", "a2", "b", "c", "other"]);
}

#[test]
fn all_problems_are_reported_at_once() {
    let files = Files::new(&[("a.jsonl", b"a"), ("logs/b.csv", b"b"), ("logs/one/two/c.jsonl", b"c"), ("empty/.keep", b"")]);
    let unknown = "unknown extension (supported are .jsonl, .json, .zst, .gz, .parquet)";
    assert_eq!(
        problems(&files, &["a.jsonl", "missing.jsonl", "logs", "empty"]),
        [
            ("missing.jsonl".into(), "No such file or directory (os error 2)".into()),
            ("logs/b.csv".into(), unknown.into()),
            ("logs/one/two".into(), "directories are read one level deep: give this one by itself".into()),
            ("empty".into(), "this directory holds no files (supported are .jsonl, .json, .zst, .gz, .parquet)".into()),
        ]
    );
}

#[cfg(unix)]
#[test]
fn a_file_is_not_read_under_two_names() {
    let files = Files::new(&[("a.jsonl", b"a")]);
    std::os::unix::fs::symlink(files.path("a.jsonl"), files.path("b.jsonl")).unwrap();
    assert_eq!(problems(&files, &["a.jsonl", "b.jsonl"]), [("b.jsonl".into(), "the same file as a.jsonl".into())]);
}

#[test]
fn a_minus_is_standard_input() {
    assert_eq!(InputSpec::from("-"), InputSpec::StandardInput);
    assert_eq!(InputSpec::from("-.jsonl"), InputSpec::Path("-.jsonl".into()));
}

#[test]
fn empty_files_have_no_lines_however_they_are_packed() {
    let files = Files::new(&[("a.jsonl", b""), ("b.zst", b""), ("c.gz", b""), ("d.zst", &zstd(b"")), ("e.gz", &gzip(b""))]);
    let epochs = files.epochs(&["a.jsonl", "b.zst", "c.gz", "d.zst", "e.gz"], None);
    assert_eq!(epochs.len(), 1);
    assert!(epochs[0].lines.is_empty());
    assert!(epochs[0].positions.iter().all(|position| position.ended && position.offset == 0));
}

#[test]
fn no_input_is_one_empty_epoch() {
    let epochs = Files::new(&[]).epochs(&[], None);
    assert_eq!((epochs.len(), epochs[0].lines.len()), (1, 0));
}

#[test]
fn progress_ends_at_the_size_of_the_files() {
    let files = Files::new(&[("a.jsonl", "x\n".repeat(50_000).as_bytes()), ("b.zst", &zstd(b"abc"))]);
    let mut intake = files.open(&["a.jsonl", "b.zst"], None).unwrap();
    while intake.next_epoch().unwrap().is_some() {}
    assert_eq!(intake.bytes_read(), intake.bytes_total());
    assert_eq!(intake.bytes_total(), 100_000 + zstd(b"abc").len() as u64);
}

#[test]
fn dropping_an_intake_stops_a_reader_that_waits_to_deliver() {
    let files = Files::new(&[("a.jsonl", "x\n".repeat(500_000).as_bytes())]);
    let mut intake = files.open(&["a.jsonl"], None).unwrap();
    assert!(intake.next_epoch().unwrap().is_some());
    // Joins the reader, so that coming back at all is what this tests.
    drop(intake);
}
