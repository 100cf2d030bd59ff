//! What can go wrong with snapshots: whose fault it is, and what to do.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use bellwether_codec::state::{FOLD_VERSION, StateError};
use bellwether_store::StoreError;

use super::catalogue::DamagedSnapshot;

/// A snapshot that could not be taken, found or restored. The partition in the store is as it was before.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The store, or a file beside it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is stored of the partition cannot be read by this program, so a snapshot of it would be of no use.
    #[error("partition {partition}: {error}")]
    State {
        /// The partition.
        partition: u16,
        /// What is wrong.
        error: StateError,
    },
    /// The operator's: no such place.
    #[error("{place} is no place for snapshots: {reason}")]
    Place {
        /// Directory or URL.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The operator's: the repository's disk is full. Nothing is lost; try again when there is room.
    #[error("the disk of the snapshots in {place} is full: make room, or keep fewer snapshots, then try again ({reason})")]
    RepositoryFull {
        /// Directory or URL.
        place: String,
        /// What was said.
        reason: String,
    },
    /// The network's or the operator's. Nothing is lost; try again.
    #[error("the snapshots in {place} cannot be read or written: {reason}; check the place and the permissions, then try again")]
    Repository {
        /// Directory or URL.
        place: String,
        /// What was said.
        reason: String,
    },
    /// The operator's: no room or no permission for the files that are made on the way.
    #[error("cannot use {} on the way of a snapshot: {error}; make room or mend the permissions, then try again", path.display())]
    Scratch {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The snapshot is not what was written. The fault of the repository's disk, or of someone who changed it: take another one.
    #[error(transparent)]
    Damaged(#[from] DamagedSnapshot),
    /// The snapshot was taken by another version of the fold. Take one of this version, or start the program that took it.
    #[error("snapshot {snapshot} is of fold version {found}, this program has version {FOLD_VERSION}: restore one of that version")]
    FoldVersion {
        /// The snapshot.
        snapshot: String,
        /// Its fold version.
        found: u8,
    },
    /// A mistake in the program or the configuration.
    #[error("`{id}` cannot be the journal of snapshots: a journal id has 1 to 128 letters, digits, dots, hyphens and underscores")]
    JournalId {
        /// The id.
        id: String,
    },
    /// Rule texts that are too long to be kept with a snapshot. The caller's to shorten.
    #[error(
        "the manifest of a snapshot of partition {partition} would have {bytes} bytes, over the limit of {limit}: its attachment is too long"
    )]
    ManifestTooLong {
        /// The partition.
        partition: u16,
        /// Length.
        bytes: usize,
        /// The most.
        limit: usize,
    },
    /// The operator's: more objects than anybody keeps on purpose.
    #[error("there are more than {limit} objects of one journal in {place}: keep fewer snapshots, or another place for each journal")]
    TooManyObjects {
        /// Directory or URL.
        place: String,
        /// The most.
        limit: usize,
    },
}

impl SnapshotError {
    /// Whether the same call may succeed later, with the same arguments.
    #[must_use]
    pub fn is_retriable(&self) -> bool {
        match self {
            Self::Store(error) => error.is_retriable(),
            Self::RepositoryFull { .. } | Self::Repository { .. } | Self::Scratch { .. } => true,
            Self::State { .. }
            | Self::Place { .. }
            | Self::Damaged(_)
            | Self::FoldVersion { .. }
            | Self::JournalId { .. }
            | Self::ManifestTooLong { .. }
            | Self::TooManyObjects { .. } => false,
        }
    }

    pub(super) fn from_object_store(place: &str, error: &object_store::Error) -> Self {
        let (place, reason) = (place.to_owned(), error.to_string());
        if is_full(error) { Self::RepositoryFull { place, reason } } else { Self::Repository { place, reason } }
    }
}

/// Whether a full disk is at the bottom of it.
fn is_full(error: &object_store::Error) -> bool {
    let mut cause: Option<&dyn Error> = Some(error);
    while let Some(error) = cause {
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        if matches!(kind, Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)) {
            return true;
        }
        cause = error.source();
    }
    false
}
