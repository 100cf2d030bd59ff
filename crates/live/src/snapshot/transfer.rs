//! Files to the object store and back, part by part, and the checksum that tells whether one is whole.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use object_store::{MultipartUpload, ObjectStoreExt, PutPayload};
use xxhash_rust::xxh3::Xxh3Default;

use super::Repository;
use super::catalogue::DamagedSnapshot;
use super::error::SnapshotError;
use super::manifest::Manifest;

/// What is sent and fetched at once, bytes; all of the memory that a snapshot takes, unless it is larger than 80 GiB.
pub const PART_BYTES: u64 = 8 << 20;

/// The most parts of one object: S3 allows no more. The parts of larger files are longer.
pub const MAX_PARTS: u64 = 10_000;

impl Repository {
    /// Sends a file, which is seen when all of it has arrived.
    pub(super) fn upload(&self, file: &Path, to: &object_store::path::Path, bytes: u64) -> Result<(), SnapshotError> {
        let mut parts = Parts::open(file, bytes)?;
        let mut upload = self.wait(self.store.put_multipart(to))?;
        let sent = self.send_parts(&mut parts, upload.as_mut()).and_then(|()| self.wait(upload.complete()));
        if sent.is_err() {
            // The first error is the one to tell; what this one leaves goes at the next prune.
            drop(self.wait(upload.abort()));
        }
        sent.map(drop)
    }

    fn send_parts(&self, parts: &mut Parts, upload: &mut dyn MultipartUpload) -> Result<(), SnapshotError> {
        while let Some(part) = parts.next()? {
            self.wait(upload.put_part(PutPayload::from(part)))?;
        }
        Ok(())
    }

    /// Fetches the table of a snapshot into a file, and compares it with the manifest. `fetched` is told how many bytes are here.
    pub(super) fn download(&self, manifest: &Manifest, to: &Path, fetched: &dyn Fn(u64)) -> Result<(), SnapshotError> {
        fetched(0);
        let damaged = |reason: String| SnapshotError::Damaged(DamagedSnapshot { name: manifest.name(), reason });
        let scratch = |error| SnapshotError::Scratch { path: to.to_owned(), error };
        let table = manifest.table();
        let found = match self.runtime.block_on(self.store.head(&table)) {
            Ok(found) => found.size,
            Err(object_store::Error::NotFound { .. }) => return Err(damaged("its table is missing".to_owned())),
            Err(error) => return Err(SnapshotError::from_object_store(&self.place, &error)),
        };
        if found != manifest.bytes {
            return Err(damaged(format!("its table has {found} bytes, not {}", manifest.bytes)));
        }
        let mut file = File::create(to).map_err(scratch)?;
        let mut hasher = Xxh3Default::new();
        let mut start = 0;
        while start < found {
            let end = found.min(start + PART_BYTES);
            let part = self.wait(self.store.get_range(&table, start..end))?;
            hasher.update(&part);
            file.write_all(&part).map_err(scratch)?;
            start = end;
            fetched(start);
        }
        match as_text(&hasher) {
            checksum if checksum == manifest.checksum => Ok(()),
            checksum => Err(damaged(format!("its table has the checksum {checksum}"))),
        }
    }
}

/// The checksum of a file.
pub(super) fn checksum(file: &Path, bytes: u64) -> Result<String, SnapshotError> {
    let mut parts = Parts::open(file, bytes)?;
    let mut hasher = Xxh3Default::new();
    while let Some(part) = parts.next()? {
        hasher.update(&part);
    }
    Ok(as_text(&hasher))
}

fn as_text(hasher: &Xxh3Default) -> String {
    format!("{:032x}", hasher.digest128())
}

/// A file in parts.
struct Parts {
    path: PathBuf,
    file: File,
    part_bytes: u64,
}

impl Parts {
    fn open(path: &Path, bytes: u64) -> Result<Self, SnapshotError> {
        let file = File::open(path).map_err(|error| SnapshotError::Scratch { path: path.to_owned(), error })?;
        Ok(Self { path: path.to_owned(), file, part_bytes: PART_BYTES.max(bytes.div_ceil(MAX_PARTS)) })
    }

    fn next(&mut self) -> Result<Option<Vec<u8>>, SnapshotError> {
        let mut part = Vec::new();
        let read = (&self.file).take(self.part_bytes).read_to_end(&mut part);
        read.map_err(|error| SnapshotError::Scratch { path: self.path.clone(), error })?;
        Ok(if part.is_empty() { None } else { Some(part) })
    }
}

/// A file on the way, which is not there before and not there after.
pub(super) struct ScratchFile {
    pub path: PathBuf,
}

impl ScratchFile {
    /// In a directory that is made if need be. What a try that was killed left of the file is removed.
    pub fn new(directory: &Path, name: &str) -> Result<Self, SnapshotError> {
        let path = directory.join(name);
        let made = fs::create_dir_all(directory).and_then(|()| match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        });
        made.map_err(|error| SnapshotError::Scratch { path: path.clone(), error })?;
        Ok(Self { path })
    }
}

impl Drop for ScratchFile {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.path));
    }
}
