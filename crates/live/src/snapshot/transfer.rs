//! Files to the object store and back, part by part, and the checksum that tells whether one is whole.

use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
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

    /// Fetches the table of a snapshot into a file, and compares it with the manifest. What is there of it from a try before is not fetched
    /// again, unless it turns out to be something else. `fetched` is told how many bytes are here.
    pub(super) fn download(&self, manifest: &Manifest, to: &Path, fetched: &dyn Fn(u64)) -> Result<(), SnapshotError> {
        // The repository may not answer for long: what is here is told before.
        let mut partial = Partial::open(to, manifest.bytes)?;
        fetched(partial.bytes);
        let damaged = |reason: String| SnapshotError::Damaged(DamagedSnapshot { name: manifest.name(), reason });
        let found = match self.runtime.block_on(self.store.head(&manifest.table())) {
            Ok(found) => found.size,
            Err(object_store::Error::NotFound { .. }) => return Err(damaged("its table is missing".to_owned())),
            Err(error) => return Err(SnapshotError::from_object_store(&self.place, &error)),
        };
        if found != manifest.bytes {
            return Err(damaged(format!("its table has {found} bytes, not {}", manifest.bytes)));
        }
        let is_resumed = partial.bytes > 0;
        let mut checksum = self.fetch_rest(manifest, &mut partial, fetched)?;
        if checksum != manifest.checksum && is_resumed {
            // A disk that lost its power may have kept the length and not the bytes.
            partial.begin_anew()?;
            fetched(partial.bytes);
            checksum = self.fetch_rest(manifest, &mut partial, fetched)?;
        }
        if checksum == manifest.checksum { Ok(()) } else { Err(damaged(format!("its table has the checksum {checksum}"))) }
    }

    /// Fetches what a file lacks, and returns the checksum of the whole.
    fn fetch_rest(&self, manifest: &Manifest, partial: &mut Partial<'_>, fetched: &dyn Fn(u64)) -> Result<String, SnapshotError> {
        while partial.bytes < manifest.bytes {
            let end = manifest.bytes.min(partial.bytes + PART_BYTES);
            partial.append(&self.wait(self.store.get_range(&manifest.table(), partial.bytes..end))?)?;
            fetched(partial.bytes);
        }
        Ok(as_text(&partial.hasher))
    }
}

/// A file that grows from its beginning to its end, in several tries if need be.
struct Partial<'p> {
    path: &'p Path,
    file: File,
    /// How many are there.
    bytes: u64,
    /// Of these.
    hasher: Xxh3Default,
}

impl<'p> Partial<'p> {
    /// With what is there. A file that is longer than it should be is another one, and begins anew.
    fn open(path: &'p Path, max_bytes: u64) -> Result<Self, SnapshotError> {
        let scratch = |error| SnapshotError::Scratch { path: path.to_owned(), error };
        let file = File::options().read(true).write(true).create(true).truncate(false).open(path).map_err(scratch)?;
        let mut partial = Self { path, file, bytes: 0, hasher: Xxh3Default::new() };
        if partial.file.metadata().map_err(scratch)?.len() > max_bytes {
            partial.begin_anew()?;
        }
        let mut part = Vec::new();
        loop {
            part.clear();
            let read = (&partial.file).take(PART_BYTES).read_to_end(&mut part).map_err(scratch)?;
            if read == 0 {
                return Ok(partial);
            }
            partial.hasher.update(&part);
            partial.bytes += read as u64;
        }
    }

    fn append(&mut self, part: &[u8]) -> Result<(), SnapshotError> {
        self.file.write_all(part).map_err(|error| SnapshotError::Scratch { path: self.path.to_owned(), error })?;
        self.hasher.update(part);
        self.bytes += part.len() as u64;
        Ok(())
    }

    fn begin_anew(&mut self) -> Result<(), SnapshotError> {
        let emptied = self.file.set_len(0).and_then(|()| self.file.rewind());
        emptied.map_err(|error| SnapshotError::Scratch { path: self.path.to_owned(), error })?;
        (self.bytes, self.hasher) = (0, Xxh3Default::new());
        Ok(())
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

/// A file on the way, which is not there after, unless it is kept.
pub(super) struct ScratchFile {
    pub path: PathBuf,
    is_kept: bool,
}

impl ScratchFile {
    /// In a directory that is made if need be. What a try that was killed left of the file is removed.
    pub fn new(directory: &Path, name: &str) -> Result<Self, SnapshotError> {
        Self::in_directory(directory, name, |entry| entry.starts_with(name))
    }

    /// The same for a file that goes on where a try before it ended; other files whose names begin like it are removed.
    pub fn to_resume(directory: &Path, prefix: &str, rest: &str) -> Result<Self, SnapshotError> {
        let name = format!("{prefix}{rest}");
        Self::in_directory(directory, &name, |entry| entry.starts_with(prefix) && entry != name)
    }

    fn in_directory(directory: &Path, name: &str, is_left: impl Fn(&str) -> bool) -> Result<Self, SnapshotError> {
        let path = directory.join(name);
        let made = fs::create_dir_all(directory).and_then(|()| remove_left(directory, is_left));
        made.map_err(|error| SnapshotError::Scratch { path: path.clone(), error })?;
        Ok(Self { path, is_kept: false })
    }

    /// Leaves it for the next try.
    pub fn keep(&mut self) {
        self.is_kept = true;
    }
}

/// How the names of the files begin to which the snapshots of a partition are fetched.
pub(super) fn restore_prefix(partition: u16) -> String {
    format!("restore-{partition:05}")
}

/// Removes what a restore that was given up has left of a partition, which stands further by now.
pub(super) fn remove_partial(directory: &Path, partition: u16) -> Result<(), SnapshotError> {
    let removed = remove_left(directory, |entry| entry.starts_with(&restore_prefix(partition)));
    removed.map_err(|error| SnapshotError::Scratch { path: directory.to_owned(), error })
}

/// Removes files of a directory by their names.
fn remove_left(directory: &Path, is_left: impl Fn(&str) -> bool) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(&is_left) {
            // What is made beside a file while it is checked may be a directory.
            if entry.file_type()?.is_dir() { fs::remove_dir_all(entry.path()) } else { fs::remove_file(entry.path()) }?;
        }
    }
    Ok(())
}

impl Drop for ScratchFile {
    fn drop(&mut self) {
        if !self.is_kept {
            drop(fs::remove_file(&self.path));
        }
    }
}
