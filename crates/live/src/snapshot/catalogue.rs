//! Which snapshots there are: complete ones, damaged ones, and strays.

use std::collections::BTreeMap;

use bellwether_store::Position;
use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt};

use super::Repository;
use super::error::SnapshotError;
use super::manifest::{MAX_MANIFEST_BYTES, Manifest, checked_journal_id, partition_prefix};

/// The most objects of a journal that are looked at; a snapshot is two.
pub const MAX_OBJECTS: usize = 200_000;

/// Which snapshots would do.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Of this journal.
    pub journal_id: &'a str,
    /// Of this partition.
    pub partition: u16,
    /// By this version of the fold.
    pub fold_version: u8,
    /// Not before this position, because the partition is there already.
    pub at_least: Position,
    /// Not beyond this position, because no more is committed.
    pub at_most: Position,
}

/// A snapshot that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("snapshot {name} is damaged: {reason}; use another one")]
pub struct DamagedSnapshot {
    /// Its name.
    pub name: String,
    /// What is wrong with it.
    pub reason: String,
}

/// The snapshots of a journal.
#[derive(Debug, Default)]
pub struct Listing {
    /// Those that look complete, by partition, position and fold version. Their tables were not read.
    pub snapshots: Vec<Manifest>,
    /// Those of which something is missing or cannot be read.
    pub damaged: Vec<DamagedSnapshot>,
}

/// The objects of one name.
#[derive(Debug, Default)]
pub(super) struct Objects {
    pub table: Option<ObjectMeta>,
    pub manifest: Option<ObjectMeta>,
}

/// A snapshot as its manifest and the list of objects show it; none without a manifest.
pub(super) type Examined = Option<Result<Manifest, DamagedSnapshot>>;

impl Repository {
    /// Ids of the journals that have snapshots, in order.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub fn journals(&self) -> Result<Vec<String>, SnapshotError> {
        let found = self.wait(self.store.list_with_delimiter(None))?.common_prefixes;
        let names = found.into_iter().map(|prefix| prefix.as_ref().to_owned());
        Ok(names.filter(|name| checked_journal_id(name).is_ok()).collect())
    }

    /// All snapshots of a journal.
    ///
    /// # Errors
    /// When the repository cannot be read. A damaged snapshot is no error.
    pub fn list(&self, journal_id: &str) -> Result<Listing, SnapshotError> {
        self.list_below(checked_journal_id(journal_id)?)
    }

    /// The snapshot to restore: of those that would do, the one that is farthest on.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub fn best(&self, wanted: Wanted<'_>) -> Result<Option<Manifest>, SnapshotError> {
        Ok(self.candidates(wanted)?.snapshots.pop())
    }

    /// Those that would do, the best one last, and the damaged ones beside them.
    pub(super) fn candidates(&self, wanted: Wanted<'_>) -> Result<Listing, SnapshotError> {
        let Wanted { journal_id, partition, fold_version, at_least, at_most } = wanted;
        let mut found = self.list_below(&partition_prefix(journal_id, partition, fold_version)?)?;
        found.snapshots.retain(|manifest| (at_least..=at_most).contains(&manifest.position));
        Ok(found)
    }

    pub(super) fn list_below(&self, prefix: &str) -> Result<Listing, SnapshotError> {
        let mut listing = Listing::default();
        for (name, objects) in self.objects(prefix)? {
            match self.examine(&name, &objects)? {
                Some(Ok(manifest)) => listing.snapshots.push(manifest),
                Some(Err(damaged)) => listing.damaged.push(damaged),
                None => {}
            }
        }
        listing.snapshots.sort_by_key(|manifest| (manifest.partition, manifest.position, manifest.fold_version));
        Ok(listing)
    }

    /// The objects below a path, by name; what is not named like ours is left out.
    pub(super) fn objects(&self, prefix: &str) -> Result<BTreeMap<String, Objects>, SnapshotError> {
        let listed = self.store.list(Some(&Path::from(prefix))).take(MAX_OBJECTS + 1).try_collect::<Vec<_>>();
        let listed = self.wait(listed)?;
        if listed.len() > MAX_OBJECTS {
            return Err(SnapshotError::TooManyObjects { place: self.place.clone(), limit: MAX_OBJECTS });
        }
        let mut found = BTreeMap::<String, Objects>::new();
        for object in listed {
            let Some((name, ending)) = object.location.as_ref().rsplit_once('.') else { continue };
            let name = name.to_owned();
            match ending {
                "sst" if is_name(&name) => found.entry(name).or_default().table = Some(object),
                "json" if is_name(&name) => found.entry(name).or_default().manifest = Some(object),
                _ => {}
            }
        }
        Ok(found)
    }

    /// The manifest of a snapshot whose objects are both there and fit; nothing if there is no manifest, hence no snapshot.
    pub(super) fn examine(&self, name: &str, objects: &Objects) -> Result<Examined, SnapshotError> {
        let Some(object) = &objects.manifest else { return Ok(None) };
        let damaged = |reason: String| Ok(Some(Err(DamagedSnapshot { name: name.to_owned(), reason })));
        if object.size > MAX_MANIFEST_BYTES as u64 {
            return damaged(format!("its manifest has {} bytes, over the limit of {MAX_MANIFEST_BYTES}", object.size));
        }
        let read = self.runtime.block_on(async { self.store.get(&object.location).await?.bytes().await });
        let bytes = match read {
            Ok(bytes) => bytes,
            // Removed since it was listed.
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(SnapshotError::from_object_store(&self.place, &error)),
        };
        let manifest = match serde_json::from_slice::<Manifest>(&bytes) {
            Ok(manifest) if manifest.name() == name => manifest,
            Ok(manifest) => return damaged(format!("its manifest is that of {}", manifest.name())),
            Err(error) => return damaged(format!("its manifest cannot be read: {error}")),
        };
        match &objects.table {
            Some(table) if table.size == manifest.bytes => Ok(Some(Ok(manifest))),
            Some(table) => damaged(format!("its table has {} bytes, not {}", table.size, manifest.bytes)),
            None => damaged("its table is missing".to_owned()),
        }
    }
}

/// Whether a path without its ending is named as snapshots are.
fn is_name(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    let [journal, partition, fold_version, snapshot] = parts[..] else { return false };
    let is_number = |text: &str, digits: usize| text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some((offset, checksum)) = snapshot.split_once('-') else { return false };
    checked_journal_id(journal).is_ok()
        && is_number(partition, 5)
        && is_number(fold_version, fold_version.len())
        && is_number(offset, 20)
        && checksum.len() == 32
        && checksum.bytes().all(|byte| byte.is_ascii_hexdigit())
}
