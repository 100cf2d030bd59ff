//! A full disk, under the scratch directory or under the repository: an error that says so, and nothing half done.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Command;

use bellwether_live::snapshot::{Repository, SnapshotError, TakeOptions, Taken};
use bellwether_store::StoreError;
use serde_json::Value;
use tempfile::TempDir;

use crate::{EVERYTHING, JOURNAL, NOW, PARTITION, Place, advance, at, contents, open, wanted};

/// Set in the child that may mount: the same test, in mount and user namespaces of its own, so that nobody needs to be root.
const CHILD: &str = "BELLWETHER_LIVE_TEST_CHILD_MOUNTS";

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

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

/// Fills a disk to the last byte.
fn fill(file: &Path) {
    let mut file = File::create(file).unwrap();
    let mut bytes = vec![1; 1 << 20];
    while !bytes.is_empty() {
        if file.write_all(&bytes).is_err() {
            bytes.truncate(bytes.len() / 2);
        }
    }
}

fn take(place: &Place, repository: &Repository, scratch: &Path) -> Result<Taken, SnapshotError> {
    let options = TakeOptions { journal_id: JOURNAL, scratch, created_at: NOW, attachment: &|_| Ok(Value::Null) };
    repository.take(&place.store, PARTITION, &options)
}

#[test]
fn a_full_scratch_directory_is_told_and_left_clean() {
    if !may_mount("a_full_scratch_directory_is_told_and_left_clean") {
        return;
    }
    let place = Place::new();
    advance(&place.store, at(5), 4_000);
    let disk = SmallDisk::mount("16m");
    let (scratch, ballast) = (disk.path("scratch"), disk.path("ballast"));
    fs::create_dir(&scratch).unwrap();
    fill(&ballast);
    let error = take(&place, &place.repository, &scratch).unwrap_err();
    assert!(matches!(error, SnapshotError::Store(StoreError::DiskFull { .. })) && error.is_retriable(), "{error}");
    assert_eq!(fs::read_dir(&scratch).unwrap().count(), 0);
    assert!(place.repository.best(wanted(EVERYTHING)).unwrap().is_none());

    fs::remove_file(&ballast).unwrap();
    let Taken::New(manifest) = take(&place, &place.repository, &scratch).unwrap() else { panic!("no new snapshot") };
    fill(&ballast);
    let other = open(&place.path("other"));
    advance(&other, at(1), 5);
    let before = contents(&other);
    let error = place.repository.restore(&other, &manifest, &scratch).unwrap_err();
    assert!(matches!(error, SnapshotError::Scratch { .. }) && error.is_retriable(), "{error}");
    assert!(error.to_string().contains("No space left"), "{error}");
    assert_eq!(fs::read_dir(&scratch).unwrap().count(), 0);
    assert!(contents(&other) == before);
    fs::remove_file(&ballast).unwrap();
    place.repository.restore(&other, &manifest, &scratch).unwrap();
    assert!(contents(&other) == contents(&place.store));
}

#[test]
fn a_full_repository_is_told_and_has_no_half_snapshot() {
    if !may_mount("a_full_repository_is_told_and_has_no_half_snapshot") {
        return;
    }
    let place = Place::new();
    advance(&place.store, at(5), 4_000);
    let disk = SmallDisk::mount("16m");
    let (snapshots, ballast) = (disk.path("snapshots"), disk.path("ballast"));
    let repository = Repository::create(snapshots.to_str().unwrap()).unwrap();
    fs::write(&ballast, vec![1; 14 << 20]).unwrap();
    let error = take(&place, &repository, &place.scratch()).unwrap_err();
    assert!(matches!(error, SnapshotError::RepositoryFull { .. }) && error.is_retriable(), "{error}");
    place.check_scratch();
    let listing = repository.list(JOURNAL).unwrap();
    assert!(listing.snapshots.is_empty() && listing.damaged.is_empty());
    fs::remove_file(&ballast).unwrap();
    assert!(matches!(take(&place, &repository, &place.scratch()).unwrap(), Taken::New(_)));
}
