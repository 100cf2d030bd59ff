//! The checks between a directory and a store: not damaged, not another's, of our format, and where each partition stands.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use rocksdb::{ColumnFamilyDescriptor, DB, DEFAULT_COLUMN_FAMILY_NAME, IteratorMode, ReadOptions, WriteOptions};

use crate::error::StoreError;
use crate::keys::{self, MAX_PARTITION};
use crate::options::StoreOptions;
use crate::position::Position;
use crate::values::{self, FORMAT_VERSION};

/// Opens the database, creating it where the directory is empty or absent.
pub(crate) fn open(path: &Path, options: &StoreOptions) -> Result<DB, StoreError> {
    create_directory(path).map_err(|error| StoreError::from_io(path, &error))?;
    refuse_lost_database(path)?;
    let options = options.to_rocksdb();
    // Opened as a family, though there is only one: the batched `multi_get` asks for its handle.
    let family = ColumnFamilyDescriptor::new(DEFAULT_COLUMN_FAMILY_NAME, options.clone());
    let database = DB::open_cf_descriptors(&options, path, [family]).map_err(|error| StoreError::from_rocksdb(path, error))?;
    check_format_version(&database)?;
    Ok(database)
}

/// Opens a database that exists, without locking or changing anything. All of its files are opened now, so that it does not matter if whoever
/// writes to it takes some away.
pub(crate) fn open_to_read(path: &Path) -> Result<DB, StoreError> {
    let mut options = StoreOptions::default().to_rocksdb();
    options.create_if_missing(false);
    options.set_max_open_files(-1);
    let family = ColumnFamilyDescriptor::new(DEFAULT_COLUMN_FAMILY_NAME, options.clone());
    let database =
        DB::open_cf_descriptors_read_only(&options, path, [family], false).map_err(|error| StoreError::from_rocksdb(path, error))?;
    let key = keys::format_version();
    match database.get(&key).map_err(|error| StoreError::from_rocksdb(path, error))? {
        Some(value) => check_format_version_value(path, &key, &value)?,
        None => return Err(StoreError::NotAStore { path: path.into() }),
    }
    Ok(database)
}

/// Position of every partition that has a header: one seek per partition.
pub(crate) fn load_positions(database: &DB) -> Result<BTreeMap<u16, Position>, StoreError> {
    let mut positions = BTreeMap::new();
    let mut entries = database.raw_iterator_opt(ReadOptions::default());
    let mut next_partition = 0;
    while next_partition <= MAX_PARTITION {
        entries.seek(keys::header(next_partition));
        let Some((key, value)) = entries.item() else {
            break;
        };
        let malformed = |reason| StoreError::from_malformed(database.path(), key, reason);
        let Some(partition) = keys::partition_of(key).map_err(malformed)? else {
            break;
        };
        if key == keys::header(partition) {
            positions.insert(partition, values::header_position(value).map_err(malformed)?);
        }
        next_partition = partition + 1;
    }
    entries.status().map_err(|error| StoreError::from_rocksdb(database.path(), error))?;
    Ok(positions)
}

/// Creates the directory so that its name survives the loss of power as well as what will be in it.
fn create_directory(path: &Path) -> io::Result<()> {
    let missing = path.ancestors().take_while(|directory| !directory.as_os_str().is_empty() && !directory.exists());
    let missing: Vec<_> = missing.collect();
    fs::create_dir_all(path)?;
    for directory in missing {
        let parent = directory.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(parent.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

/// Refuses a directory with data whose pointer file is lost: RocksDB would begin anew there and delete the data.
fn refuse_lost_database(path: &Path) -> Result<(), StoreError> {
    if path.join("CURRENT").exists() {
        return Ok(());
    }
    let entries = fs::read_dir(path).map_err(|error| StoreError::from_io(path, &error))?;
    for entry in entries {
        let file = entry.map_err(|error| StoreError::from_io(path, &error))?.path();
        // Both are made only after CURRENT, so a creation that was cut short passes.
        if file.extension().is_some_and(|extension| extension == "sst" || extension == "log") {
            let reason = format!("the file CURRENT is missing, yet there is {}", file.display());
            return Err(StoreError::from_files(path, reason));
        }
    }
    Ok(())
}

fn check_format_version(database: &DB) -> Result<(), StoreError> {
    let path = database.path();
    let from_rocksdb = |error| StoreError::from_rocksdb(path, error);
    let key = keys::format_version();
    let Some(value) = database.get_pinned(&key).map_err(from_rocksdb)? else {
        if database.iterator(IteratorMode::Start).next().transpose().map_err(from_rocksdb)?.is_some() {
            return Err(StoreError::NotAStore { path: path.into() });
        }
        let mut synced = WriteOptions::default();
        synced.set_sync(true);
        let version = values::encode_format_version(FORMAT_VERSION);
        return database.put_opt(key, version, &synced).map_err(from_rocksdb);
    };
    check_format_version_value(path, &key, &value)
}

fn check_format_version_value(path: &Path, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
    match values::decode_format_version(value) {
        Ok(FORMAT_VERSION) => Ok(()),
        Ok(found) => Err(StoreError::FormatVersion { path: path.into(), expected: FORMAT_VERSION, found }),
        Err(malformed) => Err(StoreError::from_malformed(path, key, malformed)),
    }
}
