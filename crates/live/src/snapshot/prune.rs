//! Pruning: the newest snapshots stay, older ones go, and so does what interrupted uploads left.

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::UNIX_EPOCH;

use bellwether_engine::time::Time;
use object_store::{ObjectMeta, ObjectStoreExt};

use super::Repository;
use super::catalogue::{Examined, Objects};
use super::error::SnapshotError;
use super::manifest::{Manifest, checked_journal_id};

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Snapshots that newer ones replace.
    pub snapshots: u64,
    /// Objects that belong to no complete snapshot.
    pub strays: u64,
}

impl Repository {
    /// Keeps the newest snapshots of each partition of a journal, by position and then fold version, and removes the others. Of what belongs
    /// to no complete snapshot, what was last written before `strays_before` goes: later it may be on its way. Objects that are not named like
    /// ours stay. On an object store, let a rule of the bucket remove unfinished multipart uploads.
    ///
    /// # Errors
    /// When the repository fails; the newest snapshots are there in any case.
    pub fn prune(&self, journal_id: &str, keep: NonZeroUsize, strays_before: Time) -> Result<Pruned, SnapshotError> {
        let prefix = checked_journal_id(journal_id)?;
        let mut partitions = BTreeMap::<u16, Vec<(Manifest, Objects)>>::new();
        for (name, objects) in self.objects(prefix)? {
            if let Some(Ok(manifest)) = self.examine(&name, &objects)? {
                partitions.entry(manifest.partition).or_default().push((manifest, objects));
            }
        }
        let mut pruned = Pruned::default();
        for mut snapshots in partitions.into_values() {
            snapshots.sort_by_key(|(manifest, _)| std::cmp::Reverse((manifest.position, manifest.fold_version, manifest.created_at)));
            for (_, objects) in snapshots.drain(keep.get().min(snapshots.len())..) {
                // The manifest first: without it the snapshot is gone, with it and no table it would be a damaged one.
                for object in [objects.manifest, objects.table].into_iter().flatten() {
                    self.remove(&object)?;
                }
                pruned.snapshots += 1;
            }
        }
        pruned.strays = self.remove_strays(prefix, strays_before, |snapshot| !matches!(snapshot, Some(Ok(_))))?;
        Ok(pruned)
    }

    /// Removes the objects of what is stray, and unfinished uploads, if last written before a time. Tells how many objects.
    pub(super) fn remove_strays(&self, prefix: &str, before: Time, is_stray: fn(&Examined) -> bool) -> Result<u64, SnapshotError> {
        let mut removed = 0;
        for (name, objects) in self.objects(prefix)? {
            if !is_stray(&self.examine(&name, &objects)?) {
                continue;
            }
            let found = [objects.manifest, objects.table].into_iter().flatten();
            for object in found.filter(|object| object.last_modified.timestamp_millis() < before.0) {
                self.remove(&object)?;
                removed += 1;
            }
        }
        if let Some(directory) = &self.directory {
            let path = directory.join(prefix);
            removed += remove_unfinished(&path, before).map_err(|error| SnapshotError::Scratch { path, error })?;
        }
        Ok(removed)
    }

    fn remove(&self, object: &ObjectMeta) -> Result<(), SnapshotError> {
        match self.runtime.block_on(self.store.delete(&object.location)) {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(SnapshotError::from_object_store(&self.place, &error)),
        }
    }
}

/// In a directory, an upload that was killed leaves a file whose name goes on with `#` and a number.
fn remove_unfinished(directory: &Path, before: Time) -> std::io::Result<u64> {
    let mut removed = 0;
    if !directory.is_dir() {
        return Ok(0);
    }
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            removed += remove_unfinished(&entry.path(), before)?;
            continue;
        }
        let name = entry.file_name();
        let rest = name.to_str().and_then(|name| name.split_once(".sst#").or_else(|| name.split_once(".json#")));
        let is_unfinished = rest.is_some_and(|(_, number)| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()));
        let modified = entry.metadata()?.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        if is_unfinished && i128::from(before.0) > modified.as_millis() as i128 {
            fs::remove_file(entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}
