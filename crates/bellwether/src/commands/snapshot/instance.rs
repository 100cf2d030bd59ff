//! A stopped instance: its store, and which journal it belongs to.

use std::path::{Path, PathBuf};

use bellwether_engine::time::Time;
use bellwether_live::snapshot::{EmbeddedJournal, Listing, Manifest, Repository};
use bellwether_store::{Store, StoreOptions};

use crate::failure::{Failure, Outcome};
use crate::inputs::ingest_clock;
use crate::sizes::{count, memory};
use crate::terminal::tell;

/// The directory of the store within a data directory.
const STORE: &str = "state";

/// The directory for files on their way, within a data directory.
const SCRATCH: &str = "snapshot-scratch";

/// An instance that is stopped.
pub struct Instance {
    /// Its store.
    pub store: Store,
    /// Its journal, if it keeps that itself.
    pub embedded: Option<EmbeddedJournal>,
    /// The journal's id.
    pub journal_id: String,
    data: PathBuf,
}

impl Instance {
    /// Opens the store of a data directory; only an instance whose journal is elsewhere may come back from nothing.
    pub fn open(data: &Path, journal: Option<&str>, may_be_new: bool) -> Result<Self, Failure> {
        let path = data.join(STORE);
        let is_there = path.is_dir() || (may_be_new && journal.is_some());
        if !is_there {
            return Err(Failure::Usage(format!("{} is no data directory: there is no {STORE} in it", data.display())));
        }
        let store = Store::open(path, &StoreOptions::default())?;
        let embedded = EmbeddedJournal::read(&store)?;
        let journal_id = match (&embedded, journal) {
            (Some(embedded), Some(asked)) if embedded.journal_id != asked => {
                let text = format!("{} has the journal {}, not {asked}: leave --journal out", data.display(), embedded.journal_id);
                return Err(Failure::Usage(text));
            }
            (Some(embedded), _) => embedded.journal_id.clone(),
            (None, Some(asked)) => asked.to_owned(),
            (None, None) => {
                let text = format!("{} does not keep its journal itself: say with --journal which one it is", data.display());
                return Err(Failure::Usage(text));
            }
        };
        Ok(Self { store, embedded, journal_id, data: data.to_owned() })
    }

    /// A directory on the store's file system.
    pub fn scratch(&self) -> PathBuf {
        self.data.join(SCRATCH)
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // Only when it is empty, which it is unless something went wrong that was told.
        drop(std::fs::remove_dir(self.scratch()));
    }
}

/// The snapshots of one journal, or of all; damaged ones are told.
pub fn listing(repository: &Repository, journal: Option<&str>) -> Result<Listing, Failure> {
    let journals = journal.map_or_else(|| repository.journals(), |journal| Ok(vec![journal.to_owned()]))?;
    let mut all = Listing::default();
    for journal in journals {
        let found = repository.list(&journal)?;
        all.snapshots.extend(found.snapshots);
        all.damaged.extend(found.damaged);
    }
    all.damaged.iter().for_each(|damaged| tell(&damaged.to_string()));
    Ok(all)
}

/// The real clock.
pub fn now() -> Result<Time, Failure> {
    ingest_clock().ok_or_else(|| Failure::Run("the clock of this machine is before 1970: set it".to_owned()))
}

/// What a snapshot holds: `offset 1,234, 56 entries, 7 MiB`.
pub fn in_words(manifest: &Manifest) -> String {
    let Manifest { position, entries, bytes, .. } = manifest;
    format!("offset {}, {} entries, {}", count(position.offset), count(*entries), memory(*bytes))
}

/// Done, unless something is wrong.
pub fn judged(findings: usize) -> Outcome {
    Outcome::of(findings > 0)
}
