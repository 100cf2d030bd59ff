//! Files under other names than those under which an earlier run read them.

use std::fs;

use super::super::{FINGERPRINT_BYTES, InputSpec, Intake, IntakeError, RenamedInput, Resume};
use super::{Files, delivered, drain, event, gzip, log, resume_after, zstd};

impl Files {
    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    fn renamed(&self, from: &str, to: &str) -> RenamedInput {
        RenamedInput { from: self.path(from), to: self.path(to) }
    }
}

/// Reads what is there: what had other names, the texts of all lines, and where to go on.
fn read(intake: Intake) -> (Vec<RenamedInput>, Vec<String>, Option<Resume>) {
    let mut renamed = intake.renamed().to_vec();
    renamed.sort_by(|one, other| one.from.cmp(&other.from));
    let epochs = drain(intake);
    let texts = delivered(&epochs).into_iter().map(|line| String::from_utf8(line.text).unwrap()).collect();
    (renamed, texts, resume_after(epochs.last().unwrap()))
}

#[test]
fn a_file_under_another_name_goes_on_where_it_was() {
    let long = String::from_utf8(log(2_000, "a")).unwrap();
    assert!(long.len() > FINGERPRINT_BYTES);
    for before in [format!("{}\n", event(1, "a")), long] {
        for (end, pack) in [(".jsonl", <[u8]>::to_vec as fn(&[u8]) -> Vec<u8>), (".zst", zstd), (".gz", gzip)] {
            let (from, to) = (format!("a{end}"), format!("b{end}"));
            let files = Files::new(&[(&from, &pack(before.as_bytes()))]);
            let (_, _, resume) = read(files.open(&[&from], None).unwrap());
            files.rename(&from, &to);
            files.append(&to, &pack(format!("{}\n", event(9_999, "a")).as_bytes()));
            let (renamed, texts, resume) = read(files.open(&[&to], resume).unwrap());
            assert_eq!((renamed, texts), (vec![files.renamed(&from, &to)], vec![event(9_999, "a")]), "{to}");
            let positions = &resume.as_ref().unwrap().positions;
            assert_eq!(
                positions.iter().map(|position| &position.name).collect::<Vec<_>>(),
                [&files.path(&to)],
                "the old name is forgotten"
            );
            let (renamed, texts, _) = read(files.open(&[&to], resume).unwrap());
            assert!(renamed.is_empty() && texts.is_empty(), "{to}: it is told once");
        }
    }
}

#[test]
fn files_that_a_rotation_renames_go_on_where_they_were() {
    let files = Files::new(&[("a.jsonl", event(2, "a").as_bytes()), ("a-1.jsonl", event(1, "a").as_bytes())]);
    let (_, texts, resume) = read(files.open(&["a.jsonl", "a-1.jsonl"], None).unwrap());
    assert_eq!(texts.len(), 2);
    files.rename("a-1.jsonl", "a-2.jsonl");
    files.rename("a.jsonl", "a-1.jsonl");
    files.write("a.jsonl", event(3, "a").as_bytes());
    let (renamed, texts, _) = read(files.open(&["a.jsonl", "a-1.jsonl", "a-2.jsonl"], resume.clone()).unwrap());
    assert_eq!(texts, [event(3, "a")]);
    assert_eq!(renamed, [files.renamed("a-1.jsonl", "a-2.jsonl"), files.renamed("a.jsonl", "a-1.jsonl")]);
    // The file of before is nowhere: then it may be missing.
    let error = files.open(&["a.jsonl"], resume).err().expect("changed");
    assert!(matches!(error, IntakeError::Changed(_)), "{error}");
}

#[test]
fn a_file_that_could_be_one_of_two_is_refused_and_so_are_two_that_could_be_one() {
    let content = event(1, "a");
    let files = Files::new(&["a.jsonl", "b.jsonl", "c.jsonl", "d.jsonl"].map(|name| (name, content.as_bytes())));
    for (before, now, named) in [(vec!["a.jsonl", "b.jsonl"], vec!["c.jsonl"], "ab"), (vec!["a.jsonl"], vec!["c.jsonl", "d.jsonl"], "acd")]
    {
        let (_, _, resume) = read(files.open(&before, None).unwrap());
        let error = files.open(&now, resume).err().expect("it is not certain");
        assert!(matches!(error, IntakeError::Ambiguous(_)), "{error}");
        for name in named.chars().map(|name| files.path(&format!("{name}.jsonl"))) {
            assert!(error.to_string().contains(&name), "{error}");
        }
    }
}

#[test]
fn the_position_of_a_file_that_is_given_too_is_not_taken_over() {
    let files = Files::new(&[("a.jsonl", event(1, "a").as_bytes()), ("b.jsonl", event(1, "a").as_bytes()), ("c.jsonl", b"")]);
    let (_, _, resume) = read(files.open(&["a.jsonl", "c.jsonl"], None).unwrap());
    files.write("c.jsonl", event(2, "c").as_bytes());
    let (renamed, texts, _) = read(files.open(&["a.jsonl", "b.jsonl", "c.jsonl"], resume).unwrap());
    assert_eq!((renamed, texts), (Vec::new(), vec![event(1, "a"), event(2, "c")]));
}

#[test]
fn a_followed_directory_that_has_another_name_goes_on_where_it_was() {
    let files = Files::new(&[("in/a.jsonl", event(1, "a").as_bytes()), ("in/b.jsonl", event(2, "b").as_bytes())]);
    let follow = |directory: &str, resume| {
        Intake::open(&[InputSpec::Followed { directory: files.root().join(directory), once: true }], resume, || None)
    };
    let (_, texts, resume) = read(follow("in", None).unwrap());
    assert_eq!(texts.len(), 2);
    files.rename("in", "moved");
    files.write("moved/c.jsonl", event(3, "c").as_bytes());
    let (renamed, texts, resume) = read(follow("moved", resume).unwrap());
    assert_eq!(texts, [event(3, "c")]);
    assert_eq!(renamed, ["a", "b"].map(|name| files.renamed(&format!("in/{name}.jsonl"), &format!("moved/{name}.jsonl"))));
    files.rename("moved/a.jsonl", "moved/d.jsonl");
    let (renamed, texts, _) = read(follow("moved", resume).unwrap());
    assert_eq!((renamed, texts), (vec![files.renamed("moved/a.jsonl", "moved/d.jsonl")], Vec::new()));
}
