//! A full disk: the commit fails, nothing of it is seen, and once there is space the same commit succeeds.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use bellwether_store::{Commit, Durability, PartitionFile, StoreError};
use tempfile::TempDir;

use crate::{at, new_store, open, state};

/// A small file system in memory; it goes away with the value.
struct SmallDisk(TempDir);

impl SmallDisk {
    fn mount(size: &str) -> Self {
        let directory = TempDir::new().unwrap();
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]);
        assert!(command.arg(directory.path()).status().unwrap().success(), "cannot mount");
        Self(directory)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

fn commit_of(offset: u64) -> Commit {
    let mut commit = Commit::new();
    commit.advance(0, at(offset), at(offset + 1), b"");
    // Noise, so that it needs the space it seems to need.
    let noise = (0..200_000_u64).map(|index| (index.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u8);
    commit.put_state(0, u128::from(offset), &noise.collect::<Vec<_>>());
    commit
}

/// Fills the disk beside the store to the last byte.
fn fill(file: &Path) {
    let mut file = File::create(file).unwrap();
    let mut bytes = vec![1; 1 << 20];
    while !bytes.is_empty() {
        if file.write_all(&bytes).is_err() {
            bytes.truncate(bytes.len() / 2);
        }
    }
}

/// Set in the child that may mount: the same test, in mount and user namespaces of its own, so that nobody needs to be root.
const CHILD: &str = "BELLWETHER_STORE_TEST_CHILD_MOUNTS";

/// Whether this is the child that may mount; if not, runs the test of this name in one.
fn may_mount(test: &str) -> bool {
    if std::env::var_os(CHILD).is_some() {
        return true;
    }
    let mut child = Command::new("unshare");
    child.args(["--map-root-user", "--mount"]).arg(std::env::current_exe().unwrap());
    let output = child.args(["--exact", &format!("disk_full::{test}")]).env(CHILD, "1").output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("1 passed"), "{told}{}", String::from_utf8_lossy(&output.stderr));
    false
}

#[test]
fn a_file_on_a_full_disk_fails_and_succeeds_once_there_is_space() {
    if !may_mount("a_file_on_a_full_disk_fails_and_succeeds_once_there_is_space") {
        return;
    }
    let (_directory, store) = new_store();
    (0..10).for_each(|offset| store.commit(commit_of(offset), Durability::Buffered).unwrap());
    let disk = SmallDisk::mount("16m");
    let (path, ballast) = (disk.0.path().join("partition.sst"), disk.0.path().join("ballast"));
    fill(&ballast);
    let error = store.export(0, &path).unwrap_err();
    assert!(matches!(error, StoreError::DiskFull { .. }) && error.is_retriable(), "{error}");
    fs::remove_file(&ballast).unwrap();
    store.export(0, &path).unwrap().unwrap();

    fill(&ballast);
    let error = PartitionFile::check(&path, 0).unwrap_err();
    assert!(matches!(error, StoreError::DiskFull { .. }) && error.is_retriable(), "{error}");
    fs::remove_file(&ballast).unwrap();
    let file = PartitionFile::check(&path, 0).unwrap();
    fill(&ballast);
    let error = store.import(file).unwrap_err();
    assert!(matches!(error, StoreError::DiskFull { .. }) && error.is_retriable(), "{error}");
    store.commit(commit_of(10), Durability::Buffered).unwrap();
    fs::remove_file(&ballast).unwrap();
    store.import(PartitionFile::check(&path, 0).unwrap()).unwrap();
    assert_eq!((store.header(0).unwrap().unwrap().position, store.all_states(0, 0).count()), (at(10), 10));
}

#[test]
fn a_commit_on_a_full_disk_fails_and_succeeds_once_there_is_space() {
    if !may_mount("a_commit_on_a_full_disk_fails_and_succeeds_once_there_is_space") {
        return;
    }
    let disk = SmallDisk::mount("128m");
    let (directory, ballast) = (disk.0.path().join("store"), disk.0.path().join("ballast"));
    let store = open(&directory).unwrap();
    store.commit(commit_of(0), Durability::Synced).unwrap();
    fill(&ballast);
    let mut offset = 1;
    let error = loop {
        match store.commit(commit_of(offset), Durability::Synced) {
            Ok(()) => offset += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::DiskFull { .. }) && error.is_retriable(), "{error}");
    assert_eq!(store.header(0).unwrap().unwrap().position, at(offset));
    assert_eq!(state(&store, 0, u128::from(offset)), None);

    fs::remove_file(&ballast).unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while let Err(error) = store.commit(commit_of(offset), Durability::Synced) {
        assert!(error.is_retriable(), "{error}");
        assert!(Instant::now() < deadline, "still refused a minute after there was space: {error}");
        std::thread::sleep(Duration::from_millis(100));
    }
    drop(store);
    let store = open(&directory).unwrap();
    assert_eq!(store.header(0).unwrap().unwrap().position, at(offset + 1));
    assert_eq!(store.all_states(0, 0).count() as u64, offset + 1);
}
