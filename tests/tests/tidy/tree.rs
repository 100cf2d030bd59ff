//! The files of the project, as git sees them, and what a check says about one.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One file; `path` is relative to the top and has forward slashes.
pub struct SourceFile {
    pub path: String,
    pub bytes: Vec<u8>,
}

impl SourceFile {
    /// The text, or none for a binary file.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok().filter(|text| !text.contains('\0'))
    }

    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// The numbered lines of the text, from 1; none of a binary file.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text().unwrap_or_default().lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    /// One offence for each line about which `judge` has something to say.
    pub fn offences<'a>(&'a self, judge: impl Fn(&str) -> Option<String> + 'a) -> impl Iterator<Item = Offence> + 'a {
        self.lines().filter_map(move |(line, text)| Some(Offence::at(&self.path, line, judge(text)?)))
    }
}

/// What is wrong, and where.
#[derive(Debug, PartialEq)]
pub struct Offence {
    path: String,
    line: usize,
    what: String,
}

impl Offence {
    pub fn at(path: &str, line: usize, what: impl Into<String>) -> Offence {
        Offence { path: path.into(), line, what: what.into() }
    }
}

impl fmt::Display for Offence {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// Every file that is committed or about to be.
pub fn source_files() -> Vec<SourceFile> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace");
    let mut paths = git_paths(top).unwrap_or_else(|| walked_paths(top));
    paths.sort();
    paths.dedup();
    // A file that is deleted but not yet committed is in git's list and not on the disk.
    paths.into_iter().filter_map(|path| Some(SourceFile { bytes: fs::read(top.join(&path)).ok()?, path })).collect()
}

/// None without git, and in an unpacked archive, of which git knows nothing.
fn git_paths(top: &Path) -> Option<Vec<String>> {
    let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git").args(arguments).current_dir(top).output().ok().filter(|output| output.status.success())?;
    let paths: Vec<String> = String::from_utf8(output.stdout).ok()?.split_terminator('\0').map(String::from).collect();
    paths.iter().any(|path| path == "Cargo.toml").then_some(paths)
}

fn walked_paths(top: &Path) -> Vec<String> {
    let mut paths = Vec::new();
    let mut directories = vec![PathBuf::new()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(top.join(&directory)).expect("the project's directories are readable") {
            let entry = entry.expect("the project's directories are readable");
            let path = directory.join(entry.file_name());
            if !entry.path().is_dir() {
                paths.push(path.to_string_lossy().replace('\\', "/"));
            } else if ![".git", "target", "demo-data"].map(OsStr::new).contains(&entry.file_name().as_os_str()) {
                directories.push(path);
            }
        }
    }
    paths
}

/// A small tree for the tests of a check.
pub fn tree(files: &[(&str, &str)]) -> Vec<SourceFile> {
    files.iter().map(|(path, text)| SourceFile { path: path.to_string(), bytes: text.as_bytes().to_vec() }).collect()
}

/// Asserts that `check` finds exactly the offences that begin with `expected`, written `path:line: what`.
#[track_caller]
pub fn assert_finds(check: fn(&[SourceFile]) -> Vec<Offence>, files: &[(&str, &str)], expected: &[&str]) {
    let found: Vec<String> = check(&tree(files)).iter().map(Offence::to_string).collect();
    let as_expected = found.len() == expected.len() && found.iter().zip(expected).all(|(found, start)| found.starts_with(start));
    assert!(as_expected, "expected {expected:#?}, found {found:#?}");
}

#[test]
fn the_tree_holds_this_very_file_and_no_built_one() {
    let files = source_files();
    assert!(files.iter().any(|file| file.path == "tests/tests/tidy/tree.rs"));
    assert!(!files.iter().any(|file| file.path.starts_with("target/") || file.path.starts_with(".git/")));
}

#[test]
fn walking_finds_what_git_finds() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace");
    let walked = walked_paths(top);
    for file in source_files() {
        assert!(walked.contains(&file.path), "walking misses {}", file.path);
    }
}

#[test]
fn a_binary_file_has_no_lines() {
    let file = SourceFile { path: "state.bin".into(), bytes: vec![b'a', 0, b'\n'] };
    assert_eq!(file.lines().count(), 0);
}
