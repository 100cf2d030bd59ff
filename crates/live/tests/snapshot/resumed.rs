//! A restore that breaks off in the middle of a table goes on from there, in another process too.

use std::cell::RefCell;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use bellwether_live::snapshot::{Manifest, PART_BYTES, Repository, Restored, SnapshotError, Taken};
use bellwether_store::Store;

use crate::{EVERYTHING, PARTITION, Place, advance, at, contents, open, take, wanted};

/// A snapshot of some parts, and a store that it is to be restored to.
struct Broken {
    place: Place,
    manifest: Manifest,
    other: Store,
    /// How far each try that was told of was.
    fetched: RefCell<Vec<u64>>,
}

impl Broken {
    /// The repository has lost the table when its first part was here.
    fn new() -> Self {
        let place = Place::new();
        advance(&place.store, at(7), 30_000);
        let Taken::New(manifest) = take(&place.repository, &place.store, &place.scratch()) else { panic!("no new snapshot") };
        assert!(manifest.bytes > 2 * PART_BYTES && manifest.bytes < 3 * PART_BYTES, "{}", manifest.bytes);
        let other = open(&place.path("other"));
        let broken = Self { place, manifest, other, fetched: RefCell::default() };
        let (table, away) = (broken.table(), broken.place.path("away"));
        let lose = |bytes| {
            if bytes == PART_BYTES {
                fs::rename(&table, &away).unwrap();
            }
        };
        let error = broken.restore(&lose).unwrap_err();
        assert!(matches!(error, SnapshotError::Repository { .. }) && error.is_retriable(), "{error}");
        assert_eq!((broken.told(), broken.other.header(PARTITION).unwrap()), (vec![0, PART_BYTES], None));
        fs::rename(&away, &table).unwrap();
        broken
    }

    fn table(&self) -> PathBuf {
        self.place.object(&self.manifest, "sst")
    }

    /// What is here of it.
    fn partial(&self) -> PathBuf {
        let files: Vec<PathBuf> = self.place.scratch().read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
        let [partial] = &files[..] else { panic!("one file, not {files:?}") };
        partial.clone()
    }

    /// As by a process that has just started.
    fn restore(&self, meanwhile: &dyn Fn(u64)) -> Result<Restored, SnapshotError> {
        let repository = Repository::open(self.place.path("snapshots").to_str().unwrap()).unwrap();
        let fetched = |_: &Manifest, bytes| {
            self.fetched.borrow_mut().push(bytes);
            meanwhile(bytes);
        };
        repository.restore_best_after(&self.other, wanted(EVERYTHING), &self.place.scratch(), &|_| Ok(()), &fetched)
    }

    /// Restores it, and returns how far it was, step by step.
    fn assert_restored(&self) -> Vec<u64> {
        let restored = self.restore(&|_| ()).unwrap();
        assert_eq!((restored.used.as_ref(), restored.damaged), (Some(&self.manifest), vec![]));
        assert!(contents(&self.other) == contents(&self.place.store), "all entries are the same");
        self.place.check_scratch();
        self.told()
    }

    fn told(&self) -> Vec<u64> {
        self.fetched.take()
    }
}

fn overwrite_beginning(path: &PathBuf) {
    File::options().write(true).open(path).unwrap().write_all_at(&[7; 1_000], 0).unwrap();
}

#[test]
fn what_is_here_is_not_fetched_again() {
    let broken = Broken::new();
    // The part that is here is damaged there: it is not looked at any more.
    overwrite_beginning(&broken.table());
    let bytes = broken.manifest.bytes;
    assert_eq!(broken.assert_restored(), [PART_BYTES, 2 * PART_BYTES, bytes]);
}

#[test]
fn what_is_here_and_damaged_is_fetched_again() {
    let broken = Broken::new();
    overwrite_beginning(&broken.partial());
    let bytes = broken.manifest.bytes;
    assert_eq!(broken.assert_restored(), [PART_BYTES, 2 * PART_BYTES, bytes, 0, PART_BYTES, 2 * PART_BYTES, bytes]);
    // So is a file that is longer than the table.
    let broken = Broken::new();
    File::options().write(true).open(broken.partial()).unwrap().set_len(bytes + 1).unwrap();
    assert_eq!(broken.assert_restored(), [0, PART_BYTES, 2 * PART_BYTES, bytes]);
}

#[test]
fn what_is_damaged_there_is_told_and_nothing_is_kept() {
    let broken = Broken::new();
    let last = broken.manifest.bytes - 1;
    File::options().write(true).open(broken.table()).unwrap().write_all_at(&[7; 1], last).unwrap();
    let restored = broken.restore(&|_| ()).unwrap();
    assert!(restored.used.is_none() && restored.damaged[0].to_string().contains("has the checksum"), "{:?}", restored.damaged);
    broken.place.check_scratch();
}

#[test]
fn what_is_here_of_another_snapshot_is_removed() {
    let broken = Broken::new();
    assert!(broken.partial().exists());
    // Where the partition is copied again, nobody restores it.
    advance(&broken.place.store, at(8), 10);
    assert!(matches!(take(&broken.place.repository, &broken.place.store, &broken.place.scratch()), Taken::New(_)));
    broken.place.check_scratch();

    // There is a better one by now.
    let broken = Broken::new();
    advance(&broken.place.store, at(8), 10);
    let Taken::New(better) = take(&broken.place.repository, &broken.place.store, &broken.place.path("elsewhere")) else { panic!("none") };
    assert_eq!(broken.restore(&|_| ()).unwrap().used, Some(better));
    assert!(contents(&broken.other) == contents(&broken.place.store));
    broken.place.check_scratch();
}
