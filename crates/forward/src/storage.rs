//! Small files of our own that are replaced whole: after any kind of end there is the old one or the new one.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::ForwardError;

/// Reads a file; nothing where there is none.
pub(crate) fn load<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, ForwardError> {
    let damaged = |problem: String| ForwardError::Damaged { path: path.to_owned(), problem };
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(damaged(error.to_string())),
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| damaged(error.to_string())),
    }
}

/// Replaces a file, on the disk.
pub(crate) fn replace<T: Serialize>(path: &Path, value: &T) -> Result<(), ForwardError> {
    let write = || -> io::Result<()> {
        let new = path.with_extension("new");
        let mut file = File::create(&new)?;
        file.write_all(&serde_json::to_vec(value)?)?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    };
    write().map_err(|error| ForwardError::Write { path: path.to_owned(), error })
}
