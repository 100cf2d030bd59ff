//! Taking a snapshot: export, checksum, upload, and the manifest last.

use std::path::Path;

use bellwether_codec::state::{FOLD_VERSION, decode_header};
use bellwether_engine::time::{HOUR_MS, Time};
use bellwether_store::{Store, StoreError};
use object_store::{ObjectStoreExt, PutPayload};

use super::Repository;
use super::error::SnapshotError;
use super::manifest::{Manifest, partition_prefix};
use super::transfer::{ScratchFile, checksum, remove_partial};

/// How old the table of an interrupted snapshot is when a new one removes it: before that it may be on its way.
pub const STRAY_AGE_MS: i64 = 24 * HOUR_MS;

/// What a snapshot is taken with.
#[derive(Clone, Copy)]
pub struct TakeOptions<'a> {
    /// The journal that the partition was folded from.
    pub journal_id: &'a str,
    /// A directory with room for the partition. Each partition is taken by one thread at a time.
    pub scratch: &'a Path,
    /// The present.
    pub created_at: Time,
    /// What to keep beside it, told for the number of the rule set that is in force in the copy.
    pub attachment: &'a dyn Fn(u32) -> Result<serde_json::Value, StoreError>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Taken {
    /// There is a new snapshot.
    New(Manifest),
    /// There was one at this position.
    Present(Manifest),
    /// The partition was never applied, so there is nothing to take.
    Nothing,
}

impl Repository {
    /// Takes a snapshot of a partition as it stands, while commits go on. One that was interrupted is simply taken again.
    ///
    /// # Errors
    /// When the store, the scratch directory or the repository fails; then there is no new snapshot.
    pub fn take(&self, store: &Store, partition: u16, options: &TakeOptions<'_>) -> Result<Taken, SnapshotError> {
        let Some(header) = store.header(partition)? else { return Ok(Taken::Nothing) };
        let prefix = partition_prefix(options.journal_id, partition, FOLD_VERSION)?;
        let mut present = self.list_below(&prefix)?.snapshots.into_iter();
        if let Some(manifest) = present.find(|manifest| manifest.position == header.position) {
            return Ok(Taken::Present(manifest));
        }
        let scratch = ScratchFile::new(options.scratch, &format!("take-{partition:05}.sst"))?;
        remove_partial(options.scratch, partition)?;
        // Whether commits went on since then makes no difference: what counts is what the file says.
        let Some(contents) = store.export(partition, &scratch.path)? else { return Ok(Taken::Nothing) };
        let header = decode_header(&contents.header.body).map_err(|error| SnapshotError::State { partition, error })?;
        let manifest = Manifest {
            journal_id: options.journal_id.to_owned(),
            partition,
            fold_version: FOLD_VERSION,
            position: contents.header.position,
            journal_time: header.journal_time,
            created_at: options.created_at,
            entries: contents.entries,
            bytes: contents.bytes,
            checksum: checksum(&scratch.path, contents.bytes)?,
            attachment: (options.attachment)(header.rule_set)?,
        };
        let json = manifest.to_json()?;
        self.upload(&scratch.path, &manifest.table(), manifest.bytes)?;
        let path = object_store::path::Path::from(format!("{}.json", manifest.name()));
        self.wait(self.store.put(&path, PutPayload::from(json)))?;
        // What is damaged stays until somebody prunes: a check should find it first.
        self.remove_strays(&prefix, options.created_at.plus_ms(-STRAY_AGE_MS), Option::is_none)?;
        Ok(Taken::New(manifest))
    }
}
