//! A partition as a file: one sorted table of all that its fold has made, to keep elsewhere and to bring back.

use std::fs;
use std::path::{Path, PathBuf};

use rocksdb::{DB, IngestExternalFileOptions, SstFileWriter};

use crate::error::StoreError;
use crate::keys::{self, Kind};
use crate::options::{file_options, scan_options};
use crate::values::{self, Malformed, PartitionHeader};

/// What a partition file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionContents {
    /// How far the partition was applied, and what the caller keeps beside that.
    pub header: PartitionHeader,
    /// How many entries there are, the header among them.
    pub entries: u64,
    /// Length of the file.
    pub bytes: u64,
}

/// A file of [`Store::export`](crate::Store::export) that was read from end to end and found to be whole.
#[derive(Debug)]
pub struct PartitionFile {
    pub(crate) path: PathBuf,
    pub(crate) partition: u16,
    contents: PartitionContents,
}

impl PartitionFile {
    /// Reads all of a file, which is to be of a partition and must not change from here on.
    ///
    /// RocksDB's checksums, the order of the keys and their kinds are looked at, and nothing but entries may be in it.
    /// Needs a little space beside the file, for a directory with its name that ends in `.check`.
    ///
    /// # Errors
    /// [`StoreError::BadFile`] when it is damaged, of another partition, or no such file at all.
    pub fn check(path: impl Into<PathBuf>, partition: u16) -> Result<Self, StoreError> {
        let path = path.into();
        let contents = read(&path, partition).map_err(|error| match error {
            StoreError::Corrupt { reason, place, .. } => {
                StoreError::BadFile { path: path.clone(), partition, reason: format!("{place}: {reason}") }
            }
            StoreError::Refused { reason, .. } => StoreError::BadFile { path: path.clone(), partition, reason },
            error => error,
        })?;
        Ok(Self { path, partition, contents })
    }

    /// What is in it.
    pub fn contents(&self) -> &PartitionContents {
        &self.contents
    }
}

/// Writes all that the fold of a partition has made, as of one moment; nothing if the partition has no header.
pub(crate) fn export(database: &DB, partition: u16, path: &Path) -> Result<Option<PartitionContents>, StoreError> {
    let snapshot = database.snapshot();
    let in_database = |error| StoreError::from_rocksdb(database.path(), error);
    let in_file = |error| StoreError::from_rocksdb(path, error);
    let key = keys::header(partition);
    let Some(header) = snapshot.get(key).map_err(in_database)? else {
        return Ok(None);
    };
    let header = values::decode_header(&header).map_err(|reason| StoreError::from_malformed(database.path(), &key, reason))?;
    let options = file_options();
    let mut writer = SstFileWriter::create(&options);
    writer.open(path).map_err(in_file)?;
    let mut written = 0;
    for (from, to) in keys::fold_spans(partition) {
        let mut entries = snapshot.raw_iterator_opt(scan_options(from.to_vec(), to.to_vec()));
        entries.seek_to_first();
        while let Some((key, value)) = entries.item() {
            writer.put(key, value).map_err(in_file)?;
            written += 1;
            entries.next();
        }
        entries.status().map_err(in_database)?;
    }
    writer.finish().map_err(in_file)?;
    Ok(Some(PartitionContents { header, entries: written, bytes: length(path)? }))
}

/// Puts a checked file in the place of all that a partition has, in one step, and removes the file.
///
/// Two files are taken in at once: one that clears the partition, and over it the one with its new entries. RocksDB makes
/// both count by one record, so a crash leaves the old entries or the new ones.
pub(crate) fn import(database: &DB, file: &PartitionFile) -> Result<(), StoreError> {
    let clearing = Temporary::file(beside(&file.path, ".clear"));
    let in_file = |error| StoreError::from_rocksdb(&clearing.path, error);
    let options = file_options();
    let mut writer = SstFileWriter::create(&options);
    writer.open(&clearing.path).map_err(in_file)?;
    for (from, to) in keys::fold_spans(file.partition) {
        writer.delete_range(from, to).map_err(in_file)?;
    }
    writer.finish().map_err(in_file)?;
    let ingested = database.ingest_external_file_opts(&moving(), vec![&clearing.path, &file.path]);
    ingested.map_err(|error| StoreError::from_rocksdb(database.path(), error))
}

/// Reads a file by way of an empty database that takes it in, since RocksDB's binding has no reader of tables.
fn read(path: &Path, partition: u16) -> Result<PartitionContents, StoreError> {
    let bytes = length(path)?;
    let directory = Temporary::directory(beside(path, ".check"))?;
    let linked = directory.path.join("file.sst");
    // Most file systems give a file a second name; where one does not, a copy serves as well.
    fs::hard_link(path, &linked).or_else(|_| fs::copy(path, &linked).map(drop)).map_err(|error| StoreError::from_io(path, &error))?;
    let in_file = |error| StoreError::from_rocksdb(path, error);
    let database = DB::open(&file_options(), directory.path.join("database")).map_err(in_file)?;
    database.ingest_external_file_opts(&moving(), vec![&linked]).map_err(in_file)?;
    let (header, entries) = read_entries(&database, path, partition)?;
    // What a scan does not show: entries that delete, of which a range may reach anywhere.
    let written = |file: &rocksdb::LiveFile| (file.num_entries, file.num_deletions);
    let found: Vec<_> = database.live_files().map_err(in_file)?.iter().map(written).collect();
    if found != [(entries, 0)] {
        return Err(StoreError::from_files(path, "it deletes entries".into()));
    }
    Ok(PartitionContents { header, entries, bytes })
}

fn read_entries(database: &DB, path: &Path, partition: u16) -> Result<(PartitionHeader, u64), StoreError> {
    let mut entries = database.raw_iterator_opt(scan_options(Vec::new(), vec![0xff; 20]));
    entries.seek_to_first();
    let (mut header, mut count, mut previous) = (None, 0, Vec::new());
    while let Some((key, value)) = entries.item() {
        let malformed = |reason| StoreError::from_malformed(path, key, reason);
        match keys::fold_kind_of(key, partition).map_err(malformed)? {
            Kind::Header => header = Some(values::decode_header(value).map_err(malformed)?),
            Kind::Timer => drop(values::decode_timer(value).map_err(malformed)?),
            _ => {}
        }
        if key <= previous.as_slice() {
            return Err(malformed(Malformed("the keys are not in order")));
        }
        previous.clear();
        previous.extend_from_slice(key);
        count += 1;
        entries.next();
    }
    entries.status().map_err(|error| StoreError::from_rocksdb(path, error))?;
    let header = header.ok_or_else(|| StoreError::from_files(path, "it has no header".into()))?;
    Ok((header, count))
}

/// Files are given another name instead of being copied, where the file system can do that.
fn moving() -> IngestExternalFileOptions {
    let mut options = IngestExternalFileOptions::default();
    options.set_move_files(true);
    options
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn length(path: &Path) -> Result<u64, StoreError> {
    fs::metadata(path).map(|found| found.len()).map_err(|error| StoreError::from_io(path, &error))
}

/// A file or directory that is not there before and not there after. What a killed process left of one is removed.
struct Temporary {
    path: PathBuf,
}

impl Temporary {
    fn file(path: PathBuf) -> Self {
        drop(fs::remove_file(&path));
        Self { path }
    }

    fn directory(path: PathBuf) -> Result<Self, StoreError> {
        drop(fs::remove_dir_all(&path));
        fs::create_dir_all(&path).map_err(|error| StoreError::from_io(&path, &error))?;
        Ok(Self { path })
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        drop(if self.path.is_dir() { fs::remove_dir_all(&self.path) } else { fs::remove_file(&self.path) });
    }
}
