//! What can go wrong: whose fault it is, what to do, and whether trying again may help.

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::keys;
use crate::position::Position;
use crate::values::Malformed;

/// Every failure of the store. The texts are for operators: what happened, where, and what to do about it.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Someone has the database open; one process may, once. The operator's to sort out.
    #[error("the store {} is open already, in another process or in this one: stop that one, or use another data directory", path.display())]
    Locked {
        /// Directory of the database.
        path: PathBuf,
    },

    /// The disk is full. The operator's to sort out; nothing is lost and the same commit may be repeated. RocksDB looks
    /// every five seconds and takes writes again once there is space for a whole write buffer (16 to 64 MiB).
    #[error("the disk of the store {} is full: free some space, then try again ({reason})", path.display())]
    DiskFull {
        /// Directory of the database.
        path: PathBuf,
        /// What the operating system or RocksDB said.
        reason: String,
    },

    /// Stored bytes are not what was written. The disk's fault, or that of someone who changed the files.
    #[error("the store {} is damaged at {place}: {reason}; restore a snapshot or rebuild it from the journal", path.display())]
    Corrupt {
        /// Directory of the database.
        path: PathBuf,
        /// The partition whose entry is damaged, which may be dropped by itself; none: the database as a whole cannot be relied on.
        partition: Option<u16>,
        /// The key in hexadecimal, or which files.
        place: String,
        /// What is wrong there.
        reason: String,
    },

    /// The database was written by another version of the store. The operator's to sort out.
    #[error("the store {} has format {found}, this program reads format {expected}: use the program that wrote it, or rebuild the store from the journal", path.display())]
    FormatVersion {
        /// Directory of the database.
        path: PathBuf,
        /// What this program reads and writes.
        expected: u32,
        /// What the database says.
        found: u32,
    },

    /// There is a RocksDB, but not one of ours. The operator's to sort out.
    #[error("{} holds a RocksDB database of another program: use another data directory", path.display())]
    NotAStore {
        /// Directory of the database.
        path: PathBuf,
    },

    /// A commit does not start where its partition stands; nothing was written. The caller's to sort out, by
    /// reading the header and folding from there.
    #[error("a commit of partition {partition} starts at {expected}, but the partition stands at {found}; nothing was written")]
    Stale {
        /// The partition.
        partition: u16,
        /// Where the commit expected the partition to stand.
        expected: Position,
        /// Where the partition stands.
        found: Position,
    },

    /// A commit ends before it starts; nothing was written. A mistake in the program.
    #[error("a commit of partition {partition} leads back from {start} to {end}; nothing was written")]
    Backwards {
        /// The partition.
        partition: u16,
        /// Where the commit starts.
        start: Position,
        /// Where the commit ends.
        end: Position,
    },

    /// A file cannot be what [`PartitionFile::check`](crate::PartitionFile::check) was told that it is; the store was
    /// not touched. The fault of the disk or the way that it came from: take another copy.
    #[error("{} is no whole file of partition {partition}: {reason}; take another copy of it, or another file", path.display())]
    BadFile {
        /// The file.
        path: PathBuf,
        /// The partition that it was to be of.
        partition: u16,
        /// What is wrong with it.
        reason: String,
    },

    /// RocksDB cannot do it now. Nobody's fault; try again.
    #[error("the store {} is busy: {reason}; try again", path.display())]
    Busy {
        /// Directory of the database.
        path: PathBuf,
        /// What RocksDB said.
        reason: String,
    },

    /// The operating system refused to read or write. The operator's to sort out; open the store anew afterwards.
    #[error("the store {} cannot be read or written: {reason}; check the disk, the owner and the limits, then restart", path.display())]
    Io {
        /// Directory of the database.
        path: PathBuf,
        /// What the operating system or RocksDB said.
        reason: String,
    },

    /// RocksDB refused the call itself. A mistake in the program, or a database that this RocksDB cannot read.
    #[error("RocksDB refused the call on {}: {reason}", path.display())]
    Refused {
        /// Directory of the database.
        path: PathBuf,
        /// What RocksDB said.
        reason: String,
    },
}

impl StoreError {
    /// Whether the same call may succeed later, with the same program, the same store and the same arguments.
    pub fn is_retriable(&self) -> bool {
        match self {
            Self::Locked { .. } | Self::DiskFull { .. } | Self::Busy { .. } => true,
            Self::Corrupt { .. }
            | Self::FormatVersion { .. }
            | Self::NotAStore { .. }
            | Self::Stale { .. }
            | Self::Backwards { .. }
            | Self::BadFile { .. }
            | Self::Io { .. }
            | Self::Refused { .. } => false,
        }
    }

    pub(crate) fn from_malformed(path: &Path, key: &[u8], Malformed(reason): Malformed) -> Self {
        let partition = keys::partition_of(key).ok().flatten();
        Self::Corrupt { path: path.into(), partition, place: format!("key {}", keys::describe(key)), reason: reason.into() }
    }

    pub(crate) fn from_files(path: &Path, reason: String) -> Self {
        Self::Corrupt { path: path.into(), partition: None, place: "its files".into(), reason }
    }
}
