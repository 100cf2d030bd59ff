//! Damage and foreign data: a clear error that names the place, never a panic and never a silent new beginning.

use std::fs;
use std::path::{Path, PathBuf};

use bellwether_store::{Commit, Durability, FORMAT_VERSION, Store, StoreError};
use rocksdb::{DB, Options};
use tempfile::TempDir;

use crate::{at, new_store, open, state};

/// The states of a closed store.
fn states() -> impl Iterator<Item = (u128, Vec<u8>)> {
    (0..2_000).map(|customer: u128| (customer, customer.to_be_bytes().repeat(8)))
}

/// A closed store with data in files.
fn closed_store() -> TempDir {
    let (directory, store) = new_store();
    let mut commit = Commit::new();
    commit.advance(0, at(0), at(1), b"body");
    states().for_each(|(customer, state)| commit.put_state(0, customer, &state));
    store.commit(commit, Durability::Synced).unwrap();
    store.flush().unwrap();
    directory
}

/// The only file whose name ends so.
fn file(directory: &TempDir, ending: &str) -> PathBuf {
    let files = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path());
    let mut files = files.filter(|file| file.to_str().unwrap().ends_with(ending));
    let file = files.next().unwrap_or_else(|| panic!("no file {ending}"));
    assert!(files.next().is_none(), "more than one file {ending}");
    file
}

fn flip_byte(file: &Path, place: usize) {
    let mut bytes = fs::read(file).unwrap();
    bytes[place] ^= 0x40;
    fs::write(file, bytes).unwrap();
}

fn assert_corrupt(error: StoreError, directory: &TempDir, place: &str) {
    let text = error.to_string();
    assert!(matches!(error, StoreError::Corrupt { .. }) && !error.is_retriable(), "{error:?}");
    assert!(text.contains(directory.path().to_str().unwrap()) && text.contains(place), "{text}");
}

/// Writes an entry behind the store's back.
fn put_raw(directory: &TempDir, key: &[u8], value: &[u8]) {
    let mut options = Options::default();
    options.create_if_missing(true);
    DB::open(&options, directory.path()).unwrap().put(key, value).unwrap();
}

#[test]
fn a_damaged_pointer_file_is_an_error() {
    for contents in ["", "MANI", "MANIFEST-999999\n", "nonsense\n", "MANIFEST-000001"] {
        let directory = closed_store();
        fs::write(directory.path().join("CURRENT"), contents).unwrap();
        assert_corrupt(open(directory.path()).unwrap_err(), &directory, "its files");
    }
}

#[test]
fn a_lost_pointer_file_is_an_error_and_no_new_beginning() {
    let directory = closed_store();
    fs::remove_file(directory.path().join("CURRENT")).unwrap();
    let table = file(&directory, ".sst");
    assert_corrupt(open(directory.path()).unwrap_err(), &directory, "CURRENT is missing");
    assert!(table.exists());
}

#[test]
fn a_truncated_or_lost_data_file_is_an_error() {
    let directory = closed_store();
    let table = file(&directory, ".sst");
    let bytes = fs::read(&table).unwrap();
    for length in [0, 10, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&table, &bytes[..length]).unwrap();
        assert_corrupt(open(directory.path()).unwrap_err(), &directory, "its files");
    }
    fs::remove_file(&table).unwrap();
    assert_corrupt(open(directory.path()).unwrap_err(), &directory, "its files");
}

#[test]
fn a_flipped_bit_in_a_data_file_is_an_error_when_read() {
    let directory = closed_store();
    let table = file(&directory, ".sst");
    flip_byte(&table, fs::read(&table).unwrap().len() / 3);
    let store = open(directory.path()).unwrap();
    let customers: Vec<u128> = (0..2_000).collect();
    assert_corrupt(store.states(0, &customers).unwrap_err(), &directory, "its files");
    let scanned: Vec<_> = store.all_states(0, 0).collect();
    let (last, before) = scanned.split_last().unwrap();
    assert!(last.is_err() && before.iter().all(Result::is_ok), "a scan ends with the error");
}

#[test]
fn any_flipped_bit_is_an_error_or_harmless() {
    let whole = closed_store();
    let manifest = fs::read_to_string(whole.path().join("CURRENT")).unwrap();
    let mut errors = 0;
    for ending in [".sst", "CURRENT", manifest.trim()] {
        let length = fs::read(file(&whole, ending)).unwrap().len();
        for place in (0..length).step_by(length.div_ceil(40)) {
            let directory = copy_of(&whole);
            flip_byte(&file(&directory, ending), place);
            let read = |store: Store| store.all_states(0, 0).collect::<Result<Vec<_>, _>>();
            match open(directory.path()).and_then(read) {
                Ok(found) => assert!(found.into_iter().eq(states()), "{ending} at {place}"),
                Err(StoreError::Corrupt { .. }) => errors += 1,
                Err(error) => panic!("{ending} at {place}: {error:?}"),
            }
        }
    }
    assert!(errors > 40, "the damage was done: {errors}");
}

/// Every opening changes files, so each kind of damage gets a copy of its own.
fn copy_of(directory: &TempDir) -> TempDir {
    let copy = TempDir::new().unwrap();
    for entry in fs::read_dir(directory.path()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    copy
}

#[test]
fn a_damaged_log_loses_whole_commits_from_its_end_and_no_part_of_one() {
    let (directory, store) = new_store();
    for offset in 0..4 {
        let mut commit = Commit::new();
        commit.advance(0, at(offset), at(offset + 1), b"");
        commit.put_state(0, u128::from(offset), &[7; 1_000]);
        store.commit(commit, Durability::Synced).unwrap();
    }
    drop(store);
    let log = file(&directory, ".log");
    flip_byte(&log, fs::read(&log).unwrap().len() - 1_500);
    let store = open(directory.path()).unwrap();
    assert_eq!(store.header(0).unwrap().unwrap().position, at(2));
    assert_eq!([1, 2, 3].map(|customer| state(&store, 0, customer).is_some()), [true, false, false]);
}

#[test]
fn malformed_values_are_errors_that_name_the_key() {
    let header = closed_store();
    put_raw(&header, &[0, 9, 1], &[0; 31]);
    assert_corrupt(open(header.path()).unwrap_err(), &header, "key 0009|01:");

    let directory = closed_store();
    put_raw(&directory, &[&[0, 0, 3][..], &[0; 16]].concat(), b"short");
    put_raw(&directory, &[0, 1, 3, 0xff], &[0; 8]);
    put_raw(&directory, &[0, 1, 4, 7], b"block");
    put_raw(&directory, &[0xff, 0xff, 5, 0xff], b"progress");
    let store = open(directory.path()).unwrap();
    assert_corrupt(store.timers(0).next().unwrap().unwrap_err(), &directory, "key 0000|03|0000");
    assert_corrupt(store.timers(1).next().unwrap().unwrap_err(), &directory, "key 0001|03|ff");
    assert_corrupt(store.journal_blocks(1, u64::MAX).next().unwrap().unwrap_err(), &directory, "key 0001|04|07");
    assert_corrupt(store.inputs().next().unwrap().unwrap_err(), &directory, "key ffff|05|ff");
    assert_eq!(store.timers(0).count(), 1, "a scan ends with its first error");
    let partition = |error| if let StoreError::Corrupt { partition, .. } = error { partition } else { panic!("{error}") };
    assert_eq!(partition(store.timers(1).next().unwrap().unwrap_err()), Some(1), "this one may be dropped by itself");
    assert_eq!(partition(store.inputs().next().unwrap().unwrap_err()), None);
}

#[test]
fn another_format_version_is_an_error() {
    let directory = closed_store();
    put_raw(&directory, b"\xff\xff\x06format", &2_u32.to_be_bytes());
    let error = open(directory.path()).unwrap_err();
    assert!(matches!(error, StoreError::FormatVersion { expected: FORMAT_VERSION, found: 2, .. }), "{error}");
    put_raw(&directory, b"\xff\xff\x06format", b"one");
    assert_corrupt(open(directory.path()).unwrap_err(), &directory, "key ffff|06|666f726d6174");
}

#[test]
fn the_database_of_another_program_is_left_alone() {
    let directory = TempDir::new().unwrap();
    put_raw(&directory, b"theirs", b"value");
    let error = open(directory.path()).unwrap_err();
    assert!(matches!(error, StoreError::NotAStore { .. }) && !error.is_retriable(), "{error}");
    let database = DB::open_default(directory.path()).unwrap();
    assert_eq!(database.get(b"theirs").unwrap().as_deref(), Some(&b"value"[..]));
}

#[test]
fn a_directory_that_cannot_be_made_is_an_error() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("file"), "").unwrap();
    for path in ["file", "file/below"] {
        let error = open(&directory.path().join(path)).unwrap_err();
        assert!(matches!(error, StoreError::Io { .. }), "{error}");
        assert!(error.to_string().contains(path), "{error}");
    }
    open(&directory.path().join("several/new/levels")).unwrap();
}
