//! A directory that is followed: in the order of names, growing at its end, and the rules that it must keep.

use std::fs;

use super::super::{InputSpec, Intake, IntakeError, RawEpoch, Resume};
use super::{Files, delivered, event, gzip, resume_after, zstd};

/// Files in a directory of their own.
struct Case {
    files: Files,
}

impl Case {
    fn new(files: &[(&str, &str)]) -> Self {
        let case = Self { files: Files::new(&[]) };
        fs::create_dir(case.files.root().join("in")).unwrap();
        files.iter().for_each(|(name, text)| case.write(name, text.as_bytes()));
        case
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        self.files.write(&format!("in/{name}"), bytes);
    }

    fn open(&self, once: bool, resume: Option<Resume>) -> Result<Intake, IntakeError> {
        Intake::open(&[InputSpec::Followed { directory: self.files.root().join("in"), once }], resume, || None)
    }

    /// Reads what is there.
    fn read(&self, resume: Option<Resume>) -> Result<Vec<RawEpoch>, IntakeError> {
        let mut intake = self.open(true, resume)?;
        let mut epochs = Vec::new();
        while let Some(epoch) = intake.next_epoch()? {
            epochs.push(epoch);
        }
        Ok(epochs)
    }
}

fn texts(epochs: &[RawEpoch]) -> Vec<String> {
    delivered(epochs).into_iter().map(|line| String::from_utf8(line.text).unwrap()).collect()
}

/// The next lines of an intake that goes on.
fn next_texts(intake: &mut Intake, last: &mut Option<Resume>) -> Vec<String> {
    let epoch = intake.next_epoch().unwrap().unwrap();
    assert!(!epoch.is_last);
    *last = resume_after(&epoch);
    texts(&[epoch])
}

#[test]
fn files_are_read_in_the_order_of_their_names_whatever_their_times() {
    let case = Case::new(&[("b.jsonl", &format!("{}\n", event(1, "b"))), ("a.jsonl", &format!("{}\n{}\n", event(5, "a"), event(4, "a")))]);
    case.write("c.zst", &zstd(event(0, "c").as_bytes()));
    case.write("d.gz", &gzip(event(9, "d").as_bytes()));
    case.write(".e.jsonl", b"is being written");
    let epochs = case.read(None).unwrap();
    assert_eq!(texts(&epochs), [event(5, "a"), event(4, "a"), event(1, "b"), event(0, "c"), event(9, "d")]);
    assert_eq!(epochs.iter().filter(|epoch| epoch.is_last).count(), 1);
    assert_eq!(epochs.last().unwrap().positions.len(), 4);
    for (index, epoch) in epochs.iter().enumerate() {
        let rest = case.read(resume_after(epoch)).unwrap();
        assert_eq!(texts(&rest), texts(&epochs[index + 1..]), "after epoch {index}");
    }
}

#[test]
fn the_last_file_is_followed_in_whole_lines_until_a_later_one_comes() {
    let case = Case::new(&[("1.jsonl", "a\nhal")]);
    let mut intake = case.open(false, None).unwrap();
    let mut last = None;
    assert_eq!(next_texts(&mut intake, &mut last), ["a"]);
    case.files.append("in/1.jsonl", b"f\nb\n");
    assert_eq!(next_texts(&mut intake, &mut last), ["half", "b"]);
    drop(intake);
    // Another process goes on there, and the file has grown meanwhile; its end is complete when the next one is there.
    case.files.append("in/1.jsonl", b"c\nd without an end");
    case.write("2.jsonl", b"e\n");
    let mut intake = case.open(false, last.clone()).unwrap();
    assert_eq!(next_texts(&mut intake, &mut last), ["c", "d without an end"]);
    assert_eq!(next_texts(&mut intake, &mut last), ["e"]);
    // What was read may go.
    fs::remove_file(case.files.path("in/1.jsonl")).unwrap();
    case.write("3.jsonl", b"f\n");
    assert_eq!(next_texts(&mut intake, &mut last), ["f"]);
    assert_eq!(last.unwrap().positions.len(), 2);
}

#[test]
fn an_empty_directory_is_waited_for_and_a_stop_comes_at_once() {
    let case = Case::new(&[]);
    let mut intake = case.open(false, None).unwrap();
    case.write("1.jsonl", b"a\n");
    assert_eq!(next_texts(&mut intake, &mut None), ["a"]);
    assert!(intake.next_epoch_until(&true.into()).unwrap().is_none());
    assert!(case.read(None).unwrap().last().unwrap().is_last);
}

/// Breaks a rule after everything was read, and looks for the error, at the next start and while it runs.
#[track_caller]
fn check_broken(spoil: impl Fn(&Case), expected: &str) {
    let case = Case::new(&[("1.jsonl", "a\n"), ("3.jsonl", "b\nc\n")]);
    let resume = resume_after(case.read(None).unwrap().last().unwrap());
    let mut intake = case.open(false, resume.clone()).unwrap();
    spoil(&case);
    let at_start = case.read(resume).unwrap_err().to_string();
    assert!(at_start.contains(expected), "{at_start}");
    let running = intake.next_epoch().unwrap_err().to_string();
    assert!(running.contains(expected), "{running}");
}

#[test]
fn broken_rules_are_errors() {
    check_broken(|case| case.write("2.jsonl", b"late\n"), "its name comes before that of");
    check_broken(|case| case.write("3.jsonl", b"b\n"), "it has 2 bytes, and had 4 when it was read");
    check_broken(|case| case.files.append("in/1.jsonl", b"more\n"), "it has 7 bytes, and had 2 when it was read to its end");
    check_broken(|case| case.write("4.csv", b"x"), "unknown extension");
    check_broken(|case| fs::create_dir(case.files.root().join("in/4")).unwrap(), "only files are followed");
}

#[test]
fn a_file_that_shrinks_or_goes_while_it_grows_is_an_error() {
    let case = Case::new(&[("1.jsonl", "a\nb\n")]);
    let mut intake = case.open(false, None).unwrap();
    let mut last = None;
    assert_eq!(next_texts(&mut intake, &mut last), ["a", "b"]);
    case.write("1.jsonl", b"a\n");
    let error = intake.next_epoch().unwrap_err().to_string();
    assert!(error.contains("it has 2 bytes, and had 4"), "{error}");
    fs::remove_file(case.files.path("in/1.jsonl")).unwrap();
    let error = case.open(false, last).err().unwrap().to_string();
    assert!(error.contains("is gone before a later file came"), "{error}");
}

#[test]
fn it_is_the_only_input() {
    let case = Case::new(&[("1.jsonl", "a\n")]);
    let specs = [InputSpec::Followed { directory: case.files.root().join("in"), once: true }, InputSpec::StandardInput];
    let error = Intake::open(&specs, None, || None).err().unwrap().to_string();
    assert!(error.contains("the only input"), "{error}");
}
