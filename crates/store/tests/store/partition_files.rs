//! A partition in a file: written as of one moment, brought back byte for byte in place of what was there, and refused when damaged.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use bellwether_store::{Commit, Durability, MAX_PARTITION, PartitionFile, Position, Store, StoreError};
use rocksdb::{DB, IteratorMode, Options, SstFileWriter};
use tempfile::TempDir;

use crate::{at, new_store, open, state};

/// Commits so many customers with states of this byte, their timers and a journal block, and brings a partition to an offset.
pub(crate) fn fill(store: &Store, partition: u16, end: u64, customers: std::ops::Range<u128>, byte: u8) {
    let start = store.header(partition).unwrap().map(|header| header.position).unwrap_or_default();
    let mut commit = Commit::new();
    commit.advance(partition, start, Position { review_due: 7, customer: 9, ..at(end) }, &[byte; 5]);
    for customer in customers {
        commit.put_state(partition, customer, &[byte; 200]);
        commit.put_timer(partition, customer, i64::from(byte));
    }
    commit.append_journal_block(partition, start.offset, &[byte]);
    store.commit(commit, Durability::Buffered).unwrap();
}

/// All entries of a partition, the journal apart, read without the store, which is closed for it.
fn raw_entries(directory: &Path, partition: u16) -> (Vec<Entry>, Vec<Entry>) {
    let database = DB::open_for_read_only(&Options::default(), directory, false).unwrap();
    let entries = database.iterator(IteratorMode::Start).map(|entry| entry.unwrap());
    entries.filter(|(key, _)| key.starts_with(&partition.to_be_bytes())).partition(|(key, _)| key[2] != 4)
}

type Entry = (Box<[u8]>, Box<[u8]>);

/// A file of partition 3 in a directory of its own.
fn exported(store: &Store) -> (TempDir, PathBuf) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("partition.sst");
    store.export(3, &path).unwrap().expect("there is a header");
    (directory, path)
}

fn import(store: &Store, path: &Path) {
    store.import(PartitionFile::check(path, 3).unwrap()).unwrap();
}

#[test]
fn a_partition_comes_back_byte_for_byte_in_another_store() {
    for flushed in [false, true] {
        let (from, store) = new_store();
        [2, 3, 4, MAX_PARTITION].iter().for_each(|partition| fill(&store, *partition, 10, 0..500, *partition as u8));
        drop(store);
        let erasure = [0, 3, 7, 1, 2, 3];
        DB::open(&Options::default(), from.path()).unwrap().put(erasure, b"erased").unwrap();
        let store = open(from.path()).unwrap();
        if flushed {
            store.flush().unwrap();
        }
        let files = TempDir::new().unwrap();
        let path = files.path().join("partition.sst");
        let contents = store.export(3, &path).unwrap().unwrap();
        assert_eq!((contents.header.position.offset, contents.header.position.customer), (10, 9));
        assert_eq!((contents.entries, contents.bytes), (1 + 500 + 500 + 1, fs::metadata(&path).unwrap().len()));
        drop(store);

        let (to, store) = new_store();
        let file = PartitionFile::check(&path, 3).unwrap();
        assert_eq!(file.contents(), &contents);
        store.import(file).unwrap();
        assert_eq!(store.partitions(), [3]);
        assert_eq!(store.header(3).unwrap(), Some(contents.header));
        drop(store);
        let ((before, journal), (after, no_journal)) = (raw_entries(from.path(), 3), raw_entries(to.path(), 3));
        assert_eq!((before.len(), journal.len(), no_journal.len()), (1_002, 1, 0));
        assert!(before == after && before.iter().any(|(key, _)| **key == erasure));
        assert_eq!(fs::read_dir(files.path()).unwrap().count(), 0, "nothing is left beside the file, nor the file");
    }
}

#[test]
fn a_partition_that_was_never_applied_has_no_file() {
    let (_directory, store) = new_store();
    fill(&store, 4, 10, 0..3, 4);
    let files = TempDir::new().unwrap();
    let path = files.path().join("partition.sst");
    assert_eq!(store.export(3, &path).unwrap(), None);
    assert!(!path.exists());
}

#[test]
fn a_file_is_of_one_moment_though_commits_go_on() {
    let (_directory, store) = new_store();
    fill(&store, 3, 1, 0..2_000, 1);
    let ended = AtomicBool::new(false);
    let (files, offset) = std::thread::scope(|scope| {
        scope.spawn(|| {
            for offset in (2..250).cycle().take_while(|_| !ended.load(Ordering::Relaxed)) {
                let end = store.header(3).unwrap().unwrap().position.offset + 1;
                fill(&store, 3, end, 0..2_000, offset as u8);
            }
        });
        while store.header(3).unwrap().unwrap().position.offset < 5 {}
        let exported = exported(&store);
        let offset = store.header(3).unwrap().unwrap().position.offset;
        while store.header(3).unwrap().unwrap().position.offset == offset {}
        ended.store(true, Ordering::Relaxed);
        (exported, offset)
    });
    let (_other, other) = new_store();
    import(&other, &files.1);
    let header = other.header(3).unwrap().unwrap();
    assert!(header.position.offset >= 5 && header.position.offset <= offset);
    let byte = header.body[0];
    let states = other.all_states(3, 0).map(|state| state.unwrap().1);
    assert_eq!(states.filter(|state| state == &[byte; 200]).count(), 2_000, "all states are of the header's commit");
    assert!(other.timers(3).all(|timer| timer.unwrap().0 == i64::from(byte)));
}

#[test]
fn an_import_replaces_all_but_the_journal_and_the_neighbours() {
    for flushed in [false, true] {
        let (_from, from) = new_store();
        fill(&from, 3, 10, 100..300, 1);
        let (_files, path) = exported(&from);
        let (directory, store) = new_store();
        fill(&store, 3, 20, 0..1_000, 2);
        fill(&store, 2, 20, 0..10, 2);
        fill(&store, 4, 20, 0..10, 2);
        if flushed {
            store.flush().unwrap();
            fill(&store, 3, 30, 0..1_500, 3);
        }
        import(&store, &path);
        let check = |store: &Store| {
            assert_eq!(store.partitions(), [2, 3, 4]);
            assert_eq!(store.header(3).unwrap(), from.header(3).unwrap());
            assert!(store.all_states(3, 0).map(Result::unwrap).eq(from.all_states(3, 0).map(Result::unwrap)));
            assert!(store.timers(3).map(Result::unwrap).eq(from.timers(3).map(Result::unwrap)));
            assert_eq!((state(store, 3, 99), state(store, 3, 299)), (None, Some(vec![1; 200])));
            assert_eq!(store.journal_blocks(3, 0).count(), if flushed { 2 } else { 1 });
            assert_eq!([2, 4].map(|partition| store.all_states(partition, 0).count()), [10, 10]);
        };
        check(&store);
        store.flush().unwrap();
        drop(store);
        check(&open(directory.path()).unwrap());
        // Compaction rewrites what clears the partition together with what is in it.
        DB::open(&Options::default(), directory.path()).unwrap().compact_range::<&[u8], &[u8]>(None, None);
        check(&open(directory.path()).unwrap());
    }
}

#[test]
fn a_commit_from_before_an_import_is_refused() {
    let (_directory, store) = new_store();
    fill(&store, 3, 10, 0..10, 1);
    let (_files, path) = exported(&store);
    fill(&store, 3, 20, 0..10, 2);
    let before = store.header(3).unwrap().unwrap().position;
    import(&store, &path);
    let restored = store.header(3).unwrap().unwrap().position;
    let commit = |start: Position| {
        let mut commit = Commit::new();
        commit.advance(3, start, at(30), b"");
        commit.put_state(3, 1, b"new");
        store.commit(commit, Durability::Synced)
    };
    let error = commit(before).unwrap_err();
    assert!(matches!(error, StoreError::Stale { partition: 3, found, .. } if found == restored), "{error}");
    assert_eq!(state(&store, 3, 1), Some(vec![1; 200]));
    commit(restored).unwrap();
    assert_eq!(state(&store, 3, 1).as_deref(), Some(&b"new"[..]));
}

#[test]
fn a_dropped_partition_starts_anew_and_its_journal_stays() {
    for flushed in [false, true] {
        let (directory, store) = new_store();
        [2, 3, 4].iter().for_each(|partition| fill(&store, *partition, 10, 0..2_000, 1));
        if flushed {
            store.flush().unwrap();
        }
        let before = store.header(3).unwrap().unwrap().position;
        store.drop_partition(3).unwrap();
        store.drop_partition(7).unwrap();
        let mut commit = Commit::new();
        commit.advance(3, before, at(20), b"");
        assert!(matches!(store.commit(commit, Durability::Synced), Err(StoreError::Stale { .. })));
        let check = |store: &Store| {
            assert_eq!((store.partitions(), store.header(3).unwrap()), (vec![2, 4], None));
            assert_eq!(store.all_states(3, 0).count() + store.timers(3).count(), 0);
            assert_eq!((store.journal_blocks(3, 0).count(), store.all_states(4, 0).count()), (1, 2_000));
        };
        check(&store);
        drop(store);
        let store = open(directory.path()).unwrap();
        check(&store);
        fill(&store, 3, 5, 0..3, 9);
        assert_eq!(store.all_states(3, 0).count(), 3);
    }
}

#[track_caller]
fn assert_bad(path: &Path, partition: u16, reason: &str) {
    let error = PartitionFile::check(path, partition).unwrap_err();
    let StoreError::BadFile { partition: named, .. } = &error else { panic!("{error:?}") };
    let text = error.to_string();
    assert!(*named == partition && !error.is_retriable() && text.contains(path.to_str().unwrap()), "{text}");
    assert!(text.contains(reason), "`{reason}` is not in {text}");
}

#[test]
fn a_file_of_another_partition_or_of_nothing_is_refused() {
    let (_directory, store) = new_store();
    fill(&store, 3, 10, 0..10, 1);
    let (files, path) = exported(&store);
    assert_bad(&path, 4, "another partition");
    let other = files.path().join("other");
    for bytes in [&b""[..], b"no table", &[0; 5_000]] {
        fs::write(&other, bytes).unwrap();
        assert_bad(&other, 3, "");
    }
    let error = PartitionFile::check(files.path().join("none"), 3).unwrap_err();
    assert!(matches!(error, StoreError::Io { .. }) && error.to_string().contains("No such file"), "{error}");
    assert_eq!(fs::read_dir(files.path()).unwrap().count(), 2, "nothing is left beside the files");
}

#[test]
fn what_a_fold_does_not_make_is_refused() {
    let files = TempDir::new().unwrap();
    let path = files.path().join("made.sst");
    let written = |write: &dyn Fn(&mut SstFileWriter<'_>)| {
        let options = Options::default();
        let mut writer = SstFileWriter::create(&options);
        writer.open(&path).unwrap();
        writer.put([0, 3, 1], [0; 32]).unwrap();
        write(&mut writer);
        writer.finish().unwrap();
    };
    written(&|_| {});
    assert_eq!(PartitionFile::check(&path, 3).unwrap().contents().header.position, Position::from_bytes([0; 32]));
    let customer = [0; 16];
    for (kind, rest, value, reason) in [
        (2, &customer[..15], &b"state"[..], "0003|02|0000"),
        (3, &customer[..], b"short", "a timer has 8 bytes"),
        (4, &customer[..8], b"block", "no kind that a fold makes"),
        (9, &[], b"", "no kind that a fold makes"),
    ] {
        written(&|writer| writer.put([&[0, 3, kind], rest].concat(), value).unwrap());
        assert_bad(&path, 3, reason);
    }
    written(&|writer| writer.put([0, 4, 1], [0; 32]).unwrap());
    assert_bad(&path, 3, "another partition");
    written(&|writer| writer.delete([&[0, 3, 2], &customer[..]].concat()).unwrap());
    assert_bad(&path, 3, "deletes");
    written(&|writer| writer.delete_range([0, 4, 0], [0xff, 0xff, 0xff]).unwrap());
    assert_bad(&path, 3, "deletes");

    let options = Options::default();
    let mut writer = SstFileWriter::create(&options);
    writer.open(&path).unwrap();
    writer.put([&[0, 3, 2], &customer[..]].concat(), b"state").unwrap();
    writer.finish().unwrap();
    assert_bad(&path, 3, "no header");
}

#[test]
fn any_flipped_bit_is_an_error_or_harmless() {
    let (_directory, store) = new_store();
    fill(&store, 3, 10, 0..2_000, 1);
    let (files, path) = exported(&store);
    let (bytes, contents) = (fs::read(&path).unwrap(), PartitionFile::check(&path, 3).unwrap().contents().clone());
    let damaged = files.path().join("damaged.sst");
    let mut errors = 0;
    for place in (0..bytes.len()).step_by(bytes.len().div_ceil(60)) {
        let mut bytes = bytes.clone();
        bytes[place] ^= 0x40;
        fs::write(&damaged, &bytes).unwrap();
        match PartitionFile::check(&damaged, 3) {
            Ok(file) => assert_eq!(file.contents(), &contents, "at {place}"),
            Err(StoreError::BadFile { .. }) => errors += 1,
            Err(error) => panic!("at {place}: {error:?}"),
        }
    }
    assert!(errors > 50, "the damage was found: {errors}");
    for length in [1, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&damaged, &bytes[..length]).unwrap();
        assert_bad(&damaged, 3, "");
    }
    fs::remove_file(&damaged).unwrap();
    assert_eq!(fs::read_dir(files.path()).unwrap().count(), 1, "nothing is left beside the file");
}

#[test]
fn an_import_that_fails_leaves_the_partition_as_it_was() {
    let (directory, store) = new_store();
    fill(&store, 3, 10, 0..10, 1);
    let (_files, path) = exported(&store);
    fill(&store, 3, 20, 0..20, 2);
    let before = store.header(3).unwrap();
    let file = PartitionFile::check(&path, 3).unwrap();
    fs::remove_file(&path).unwrap();
    let error = store.import(file).unwrap_err();
    assert!(error.to_string().contains("No such file"), "{error}");
    assert_eq!((store.header(3).unwrap(), store.all_states(3, 0).count()), (before, 20));
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 0);
    fill(&store, 3, 30, 0..30, 3);
    drop(store);
    assert_eq!(open(directory.path()).unwrap().all_states(3, 0).count(), 30);
}
