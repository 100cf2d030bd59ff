//! Which of our errors a failure of RocksDB or of the operating system is.

use std::io;
use std::path::Path;

use rocksdb::ErrorKind;

use crate::error::StoreError;

impl StoreError {
    pub(crate) fn from_io(path: &Path, error: &io::Error) -> Self {
        let (path, reason) = (path.into(), error.to_string());
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path, reason },
            _ => Self::Io { path, reason },
        }
    }

    pub(crate) fn from_rocksdb(path: &Path, error: rocksdb::Error) -> Self {
        Self::classify(path, error.kind(), error.into_string())
    }

    /// RocksDB's binding hands over only the text of a status, so the text decides; the tests pin it.
    fn classify(path: &Path, kind: ErrorKind, reason: String) -> Self {
        let says = |parts: &[&str]| parts.iter().any(|part| reason.contains(part));
        match kind {
            ErrorKind::IOError if says(&["No space left on device", "Space limit reached", "Disk quota exceeded"]) => {
                Self::DiskFull { path: path.into(), reason }
            }
            ErrorKind::IOError if says(&["lock hold by current process"]) => Self::Locked { path: path.into() },
            ErrorKind::IOError if says(&["While lock file"]) && says(&["Resource temporarily unavailable"]) => {
                Self::Locked { path: path.into() }
            }
            ErrorKind::IOError if says(&["No such file or directory"]) => Self::from_files(path, reason),
            ErrorKind::IOError => Self::Io { path: path.into(), reason },
            ErrorKind::Corruption => Self::from_files(path, reason),
            ErrorKind::Busy | ErrorKind::TimedOut | ErrorKind::TryAgain | ErrorKind::Incomplete | ErrorKind::ShutdownInProgress => {
                Self::Busy { path: path.into(), reason }
            }
            _ => Self::Refused { path: path.into(), reason },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classified(kind: ErrorKind, reason: &str) -> StoreError {
        StoreError::classify(Path::new("/data"), kind, reason.into())
    }

    #[test]
    fn a_full_disk_is_told_from_other_trouble_with_it() {
        let full = classified(
            ErrorKind::IOError,
            "IO error: No space left on device: While appending to file: /data/000004.log: No space left on device",
        );
        assert!(matches!(full, StoreError::DiskFull { .. }) && full.is_retriable());
        assert!(full.to_string().contains("/data is full: free some space"), "{full}");

        let broken = classified(ErrorKind::IOError, "IO error: While fsync: /data/000004.log: Input/output error");
        assert!(matches!(broken, StoreError::Io { .. }) && !broken.is_retriable());
        let full = StoreError::from_io(Path::new("/data"), &io::ErrorKind::StorageFull.into());
        assert!(matches!(full, StoreError::DiskFull { .. }));
    }

    #[test]
    fn a_file_system_without_locks_is_not_a_lock_held() {
        let without = classified(ErrorKind::IOError, "IO error: While lock file: /data/LOCK: No locks available");
        assert!(matches!(without, StoreError::Io { .. }));
    }

    #[test]
    fn what_rocksdb_asks_to_try_again_is_retriable() {
        assert!(classified(ErrorKind::TryAgain, "Operation failed. Try again.: ").is_retriable());
        assert!(!classified(ErrorKind::InvalidArgument, "Invalid argument: Column families not opened: x").is_retriable());
    }
}
