//! Snapshots: copies of partitions in a directory or an object store, from which a lost or moved partition goes on.
//!
//! A snapshot is two objects, `<journal id>/<partition>/<fold version>/<offset>-<checksum>` with `.sst` and `.json`: the partition as
//! [`Store::export`](bellwether_store::Store::export) writes it, and its [`Manifest`]. The manifest is written last, so a snapshot without
//! one does not exist. Names hold the checksum, so nothing is ever overwritten, not even by two processes at once.
//!
//! All calls block and are for worker threads: they panic within an async runtime. Memory is bounded by a part of [`PART_BYTES`].

mod catalogue;
mod embedded;
mod error;
mod manifest;
mod prune;
mod restore;
mod take;
mod transfer;

use std::fmt;
use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use tokio::runtime::{Builder, Runtime};
use url::Url;

pub use catalogue::{DamagedSnapshot, Listing, MAX_OBJECTS, Wanted};
pub use embedded::EmbeddedJournal;
pub use error::SnapshotError;
pub use manifest::{MAX_MANIFEST_BYTES, Manifest};
pub use prune::Pruned;
pub use restore::Restored;
pub use take::{STRAY_AGE_MS, TakeOptions, Taken};
pub use transfer::{MAX_PARTS, PART_BYTES};

/// A place where snapshots of any number of journals are kept.
pub struct Repository {
    store: Arc<dyn ObjectStore>,
    /// How people know it.
    place: String,
    /// Where it is, if it is a directory: what an upload that was killed leaves there is not shown by the object store.
    directory: Option<PathBuf>,
    runtime: Runtime,
}

impl Repository {
    /// In any object store; `place` is what error texts call it.
    ///
    /// # Errors
    /// When the system gives no runtime to wait with.
    pub fn new(store: Arc<dyn ObjectStore>, place: impl Into<String>) -> Result<Self, SnapshotError> {
        let place = place.into();
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| SnapshotError::Repository { place: place.clone(), reason: error.to_string() })?;
        Ok(Self { store, place, directory: None, runtime })
    }

    /// In a directory that is there, given as a path or as a `file://` URL.
    ///
    /// # Errors
    /// [`SnapshotError::Place`] when there is none, or when it is a URL of another kind.
    pub fn open(place: &str) -> Result<Self, SnapshotError> {
        let directory = directory_of(place)?;
        let misplaced = |reason: String| SnapshotError::Place { place: place.to_owned(), reason };
        // Whatever was written is on the disk when a call returns, as it is with any other object store.
        let store = LocalFileSystem::new_with_prefix(&directory).map_err(|error| misplaced(error.to_string()))?.with_fsync(true);
        Ok(Self { directory: Some(directory), ..Self::new(Arc::new(store), place)? })
    }

    /// Whether a text has the form of a place, be it there or not.
    ///
    /// # Errors
    /// [`SnapshotError::Place`] when it is a URL of a kind that is not supported.
    pub fn check_place(place: &str) -> Result<(), SnapshotError> {
        directory_of(place).map(drop)
    }

    /// As [`open`](Self::open), but makes the directory if there is none.
    ///
    /// # Errors
    /// [`SnapshotError::Place`] when it cannot be made, or when it is a URL of another kind.
    pub fn create(place: &str) -> Result<Self, SnapshotError> {
        let made = fs::create_dir_all(directory_of(place)?);
        made.map_err(|error| SnapshotError::Place { place: place.to_owned(), reason: error.to_string() })?;
        Self::open(place)
    }

    /// Waits for the object store.
    fn wait<T>(&self, operation: impl Future<Output = object_store::Result<T>>) -> Result<T, SnapshotError> {
        self.runtime.block_on(operation).map_err(|error| SnapshotError::from_object_store(&self.place, &error))
    }
}

impl fmt::Debug for Repository {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Repository").field("place", &self.place).finish_non_exhaustive()
    }
}

fn directory_of(place: &str) -> Result<PathBuf, SnapshotError> {
    if !place.contains("://") {
        return Ok(Path::new(place).to_owned());
    }
    let misplaced = |reason: String| SnapshotError::Place { place: place.to_owned(), reason };
    let url = Url::parse(place).map_err(|error| misplaced(error.to_string()))?;
    if url.scheme() != "file" {
        return Err(misplaced(format!("`{}` is not supported in this version: give a directory or a file:// URL", url.scheme())));
    }
    url.to_file_path().map_err(|()| misplaced("the URL names no directory of this machine".to_owned()))
}
