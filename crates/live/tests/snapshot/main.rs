//! Snapshots through their interface: taken from one store, kept in a directory or an object store, restored into another.

mod damaged;
mod disk_full;
mod kept;
mod kill;
mod resumed;
mod round_trip;

use std::path::{Path, PathBuf};

use bellwether_codec::state::{FOLD_VERSION, encode_header};
use bellwether_engine::partition::Header;
use bellwether_engine::time::{DAY_MS, Time};
use bellwether_live::snapshot::{Manifest, Repository, TakeOptions, Taken, Wanted};
use bellwether_store::{Commit, Durability, Position, Store, StoreOptions};
use tempfile::TempDir;

const JOURNAL: &str = "journal-1";
const PARTITION: u16 = 3;
const NOW: Time = Time(20_000 * DAY_MS);
/// After everything that a test writes, whatever the clock says.
const FAR_AHEAD: Time = Time(200_000 * DAY_MS);
const EVERYTHING: Position = Position { offset: u64::MAX, review_due: i64::MAX, customer: u128::MAX };

/// Two stores, a repository and a scratch directory.
struct Place {
    directory: TempDir,
    store: Store,
    repository: Repository,
}

impl Place {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let store = open(&directory.path().join("store"));
        let repository = Repository::create(directory.path().join("snapshots").to_str().unwrap()).unwrap();
        Self { directory, store, repository }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn scratch(&self) -> PathBuf {
        self.path("scratch")
    }

    /// Brings the partition to an offset and takes a snapshot there.
    fn take_at(&self, offset: u64) -> Manifest {
        advance(&self.store, at(offset), 50);
        let Taken::New(manifest) = take(&self.repository, &self.store, &self.scratch()) else { panic!("no new snapshot") };
        self.check_scratch();
        manifest
    }

    fn check_scratch(&self) {
        let left: Vec<_> =
            self.scratch().read_dir().map(|entries| entries.map(|entry| entry.unwrap().path()).collect()).unwrap_or_default();
        assert_eq!(left, [] as [PathBuf; 0], "the scratch directory is clean");
    }

    /// One of the two objects of a snapshot.
    fn object(&self, manifest: &Manifest, ending: &str) -> PathBuf {
        self.path("snapshots").join(format!("{}.{ending}", manifest.name()))
    }
}

fn open(path: &Path) -> Store {
    Store::open(path, &StoreOptions { memory_bytes: 32 << 20 }).unwrap()
}

fn at(offset: u64) -> Position {
    Position { offset, ..Position::default() }
}

fn wanted(at_most: Position) -> Wanted<'static> {
    Wanted { journal_id: JOURNAL, partition: PARTITION, fold_version: FOLD_VERSION, at_least: Position::default(), at_most }
}

fn take(repository: &Repository, store: &Store, scratch: &Path) -> Taken {
    let attachment = serde_json::json!({ "rules": "signals: []" });
    repository
        .take(store, PARTITION, &TakeOptions { journal_id: JOURNAL, scratch, created_at: NOW, attachment: &|_| Ok(attachment.clone()) })
        .unwrap()
}

/// Commits customers whose states depend on the position, and noise, so that sizes are what they seem.
fn advance(store: &Store, end: Position, customers: u128) {
    let mut body = Vec::new();
    encode_header(&Header { journal_time: Time(end.offset as i64), ..Header::default() }, &mut body).unwrap();
    let start = store.header(PARTITION).unwrap().map(|header| header.position).unwrap_or_default();
    let mut commit = Commit::new();
    commit.advance(PARTITION, start, end, &body);
    for customer in 0..customers {
        let seed = (customer as u64) << 20 ^ end.offset;
        let noise = (0..1_000_u64).map(|index| ((index ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as u8);
        commit.put_state(PARTITION, customer, &noise.collect::<Vec<_>>());
        commit.put_timer(PARTITION, customer, end.offset as i64);
    }
    commit.append_journal_block(PARTITION, start.offset, b"block");
    store.commit(commit, Durability::Buffered).unwrap();
}

type Contents = (Option<bellwether_store::PartitionHeader>, Vec<(u128, Vec<u8>)>, Vec<(i64, u128)>);

fn contents(store: &Store) -> Contents {
    let states = store.all_states(PARTITION, 0).map(Result::unwrap).collect();
    (store.header(PARTITION).unwrap(), states, store.timers(PARTITION).map(Result::unwrap).collect())
}
