//! kill -9: what a synced commit wrote is there afterwards, and of any other commit all or nothing.
//!
//! The test program starts itself as a child that does nothing but commit. Killing a process does not lose what the
//! operating system holds, so this shows recovery and atomicity; that a synced commit waits for the disk is RocksDB's word.

use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{ChildStderr, Command, Stdio};
use std::{env, process};

use bellwether_store::{Commit, Durability, Store};
use tempfile::TempDir;

use crate::{at, open};

/// Directory of the store that a child commits to; set for children only.
pub(crate) const CHILD_DIRECTORY: &str = "BELLWETHER_STORE_TEST_CHILD_DIRECTORY";
/// After how many commits a child aborts; if unset it goes on until it is killed.
const CHILD_COMMITS: &str = "BELLWETHER_STORE_TEST_CHILD_COMMITS";
/// What a child prints before the offset of each commit that returned.
pub(crate) const COMMITTED: &str = "committed ";

/// Not a test but the child's work; a run without the variable passes at once.
#[test]
fn child() {
    let Some(directory) = env::var_os(CHILD_DIRECTORY) else {
        return;
    };
    let commits: u64 = env::var(CHILD_COMMITS).map_or(u64::MAX, |text| text.parse().unwrap());
    let store = open(Path::new(&directory)).unwrap();
    for offset in commits_of(&store)..commits {
        store.commit(commit_of(offset), Durability::Synced).unwrap();
        eprintln!("{COMMITTED}{}", offset + 1);
    }
    process::abort();
}

/// How many commits a store holds.
fn commits_of(store: &Store) -> u64 {
    store.header(0).unwrap().map_or(0, |header| header.position.offset)
}

fn commit_of(offset: u64) -> Commit {
    let mut commit = Commit::new();
    commit.advance(0, at(offset), at(offset + 1), b"");
    commit.append_journal_block(0, offset, &vec![offset as u8; 40_000]);
    commit.put_timer(0, u128::from(offset), 7);
    commit.put_state(0, u128::from(offset), &offset.to_be_bytes());
    commit.put_input("input", &offset.to_be_bytes());
    commit
}

/// Opens the store anew: exactly the commits up to its position are there. Returns how many.
fn check_prefix(directory: &Path) -> u64 {
    let store = open(directory).unwrap();
    let commits = commits_of(&store);
    let customers: Vec<_> = store.all_states(0, 0).map(|state| state.unwrap().0).collect();
    assert_eq!(customers, (0..u128::from(commits)).collect::<Vec<_>>());
    assert_eq!(store.timers(0).count() as u64, commits);
    assert_eq!(store.journal_blocks(0, 0).map(Result::unwrap).count() as u64, commits);
    let last = commits.checked_sub(1).map(|offset| offset.to_be_bytes().to_vec());
    assert_eq!(store.input("input").unwrap(), last);
    commits
}

#[test]
fn synced_commits_survive_kill_9_at_any_moment() {
    let directory = TempDir::new().unwrap();
    let mut known = 0;
    for round in 1..=5 {
        let mut child = Child::start(directory.path());
        known = child.wait_for_commits(2 * round).max(known);
        child.kill();
        let found = check_prefix(directory.path());
        assert!(found >= known, "round {round}: {known} commits returned, {found} are there");
        known = found;
    }
    assert!(known >= 30, "the children did commit: {known}");
}

#[test]
fn synced_commits_survive_an_abort() {
    let directory = TempDir::new().unwrap();
    let mut command = Child::command("crash::child", directory.path());
    let status = command.env(CHILD_COMMITS, "6").stderr(Stdio::null()).status().unwrap();
    assert!(!status.success(), "the child was to abort");
    assert_eq!(check_prefix(directory.path()), 6);
}

/// This program once more, running nothing but a child's work.
pub(crate) struct Child {
    process: process::Child,
    lines: Lines<BufReader<ChildStderr>>,
}

impl Child {
    pub(crate) fn start(directory: &Path) -> Self {
        Self::start_as("crash::child", directory)
    }

    pub(crate) fn start_as(child: &str, directory: &Path) -> Self {
        let mut process = Self::command(child, directory).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stderr.take().unwrap()).lines();
        Self { process, lines }
    }

    fn command(child: &str, directory: &Path) -> Command {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", child, "--nocapture"]).stdout(Stdio::null());
        command.env(CHILD_DIRECTORY, directory);
        command
    }

    /// Waits until so many commits of this child returned; gives the last one's end.
    pub(crate) fn wait_for_commits(&mut self, commits: usize) -> u64 {
        let ends = self.lines.by_ref().filter_map(|line| line.unwrap().strip_prefix(COMMITTED)?.parse().ok());
        ends.take(commits).last().expect("the child ended before it committed")
    }

    /// Ends the child as `kill -9` does.
    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}
