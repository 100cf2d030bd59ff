//! Restoring and verifying: fetch, compare with the manifest, read all of it, and only then replace the partition.

use std::path::Path;

use bellwether_codec::state::{FOLD_VERSION, decode_header};
use bellwether_store::{PartitionFile, Store, StoreError};

use super::Repository;
use super::catalogue::{DamagedSnapshot, Wanted};
use super::error::SnapshotError;
use super::manifest::Manifest;
use super::transfer::{ScratchFile, restore_prefix};

/// What came of restoring the best snapshot.
#[derive(Debug, Default)]
pub struct Restored {
    /// The one that the partition now is. None: there is no usable one, and the partition is as it was.
    pub used: Option<Manifest>,
    /// Better ones, and those without a readable manifest, which could not be used. Worth telling the operator.
    pub damaged: Vec<DamagedSnapshot>,
}

impl Repository {
    /// Replaces a partition by the best snapshot of it that is whole. Where the repository fails in the middle of one, or the process ends, the
    /// next call with this scratch directory goes on from there.
    ///
    /// # Errors
    /// When the store, the scratch directory or the repository fails; then the partition is as it was. A damaged snapshot is no error.
    pub fn restore_best(&self, store: &Store, wanted: Wanted<'_>, scratch: &Path) -> Result<Restored, SnapshotError> {
        self.restore_best_after(store, wanted, scratch, &|_| Ok(()), &|_, _| {})
    }

    /// As [`restore_best`](Self::restore_best), but first does what each snapshot needs; one that turns out to be damaged then is passed over.
    /// `fetched` is told how many bytes of a snapshot are here.
    ///
    /// # Errors
    /// As there, and those of `prepare`.
    pub fn restore_best_after(
        &self,
        store: &Store,
        wanted: Wanted<'_>,
        scratch: &Path,
        prepare: &dyn Fn(&Manifest) -> Result<(), SnapshotError>,
        fetched: &dyn Fn(&Manifest, u64),
    ) -> Result<Restored, SnapshotError> {
        let candidates = self.candidates(wanted)?;
        let mut restored = Restored { used: None, damaged: candidates.damaged };
        for manifest in candidates.snapshots.into_iter().rev() {
            match prepare(&manifest).and_then(|()| self.replace(store, &manifest, scratch, &|bytes| fetched(&manifest, bytes))) {
                Ok(()) => {
                    restored.used = Some(manifest);
                    break;
                }
                Err(SnapshotError::Damaged(damaged)) => restored.damaged.push(damaged),
                Err(error) => return Err(error),
            }
        }
        Ok(restored)
    }

    /// Replaces a partition by a snapshot; the scratch directory needs room for it, and is best on the store's file system.
    ///
    /// # Errors
    /// [`SnapshotError::Damaged`] when the snapshot is not whole, and others; then the partition is as it was.
    pub fn restore(&self, store: &Store, manifest: &Manifest, scratch: &Path) -> Result<(), SnapshotError> {
        self.replace(store, manifest, scratch, &|_| {})
    }

    fn replace(&self, store: &Store, manifest: &Manifest, scratch: &Path, fetched: &dyn Fn(u64)) -> Result<(), SnapshotError> {
        if manifest.fold_version != FOLD_VERSION {
            return Err(SnapshotError::FoldVersion { snapshot: manifest.name(), found: manifest.fold_version });
        }
        let mut file = ScratchFile::to_resume(scratch, &restore_prefix(manifest.partition), &format!("-{}.sst", manifest.checksum))?;
        let fetched = self.fetch(manifest, &file.path, fetched);
        if matches!(fetched, Err(SnapshotError::Repository { .. })) {
            file.keep();
        }
        Ok(store.import(fetched?)?)
    }

    /// Fetches a snapshot and reads all of it. Whether the states in it decode is not looked at.
    ///
    /// # Errors
    /// [`SnapshotError::Damaged`] when it is not whole, and others when that could not be found out.
    pub fn verify(&self, manifest: &Manifest, scratch: &Path) -> Result<(), SnapshotError> {
        let file = ScratchFile::new(scratch, &format!("verify-{:05}.sst", manifest.partition))?;
        self.fetch(manifest, &file.path, &|_| {}).map(drop)
    }

    fn fetch(&self, manifest: &Manifest, path: &Path, fetched: &dyn Fn(u64)) -> Result<PartitionFile, SnapshotError> {
        let damaged = |reason: String| SnapshotError::Damaged(DamagedSnapshot { name: manifest.name(), reason });
        self.download(manifest, path, fetched)?;
        let file = PartitionFile::check(path, manifest.partition).map_err(|error| match error {
            StoreError::BadFile { reason, .. } => damaged(format!("its table is bad: {reason}")),
            error => error.into(),
        })?;
        let contents = file.contents();
        if (contents.header.position, contents.entries) != (manifest.position, manifest.entries) {
            let found = format!("{} entries at {}", contents.entries, contents.header.position);
            return Err(damaged(format!("its table has {found}, its manifest says {} at {}", manifest.entries, manifest.position)));
        }
        if manifest.fold_version == FOLD_VERSION {
            match decode_header(&contents.header.body) {
                Ok(header) if header.journal_time == manifest.journal_time => {}
                Ok(_) => return Err(damaged("its table has another journal time than its manifest says".to_owned())),
                Err(error) => return Err(damaged(error.to_string())),
            }
        }
        Ok(file)
    }
}
