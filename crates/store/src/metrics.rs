//! What to watch: the few properties of RocksDB that tell whether it keeps up and what it holds.

use rocksdb::{DB, properties};

use crate::error::StoreError;

/// Level zero is where flushed writes wait for compaction; many files there slow reads, then writes, down.
const FILES_AT_LEVEL_ZERO: &str = "rocksdb.num-files-at-level0";

/// The state of the database at one moment, as RocksDB counts it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoreMetrics {
    /// Entries of all kinds and partitions, estimated.
    pub estimated_keys: u64,
    /// Bytes of all data files.
    pub files_bytes: u64,
    /// Bytes that compaction has still to rewrite.
    pub pending_compaction_bytes: u64,
    /// Files that wait for their first compaction.
    pub level_zero_files: u64,
    /// Bytes in the block cache, with indexes, filters and what the write buffers are charged.
    pub block_cache_bytes: u64,
    /// Bytes of the block cache that cannot be evicted now.
    pub block_cache_pinned_bytes: u64,
    /// Bytes of writes not yet in files.
    pub write_buffers_bytes: u64,
    /// Bytes that open files hold outside the block cache.
    pub table_readers_bytes: u64,
    /// The rate to which writes are slowed down, in bytes per second; zero when they are not.
    pub delayed_write_bytes_per_second: u64,
    /// Whether writes are stopped until compaction catches up.
    pub writes_stopped: bool,
    /// Flushes and compactions that failed since the store was opened.
    pub background_errors: u64,
}

pub(crate) fn read(database: &DB) -> Result<StoreMetrics, StoreError> {
    let number = |name| match database.property_int_value(name) {
        Ok(value) => Ok(value.unwrap_or_default()),
        Err(error) => Err(StoreError::from_rocksdb(database.path(), error)),
    };
    Ok(StoreMetrics {
        estimated_keys: number(properties::ESTIMATE_NUM_KEYS)?,
        files_bytes: number(properties::TOTAL_SST_FILES_SIZE)?,
        pending_compaction_bytes: number(properties::ESTIMATE_PENDING_COMPACTION_BYTES)?,
        level_zero_files: level_zero_files(database)?,
        block_cache_bytes: number(properties::BLOCK_CACHE_USAGE)?,
        block_cache_pinned_bytes: number(properties::BLOCK_CACHE_PINNED_USAGE)?,
        write_buffers_bytes: number(properties::SIZE_ALL_MEM_TABLES)?,
        table_readers_bytes: number(properties::ESTIMATE_TABLE_READERS_MEM)?,
        delayed_write_bytes_per_second: number(properties::ACTUAL_DELAYED_WRITE_RATE)?,
        writes_stopped: number(properties::IS_WRITE_STOPPED)? != 0,
        background_errors: number(properties::BACKGROUND_ERRORS)?,
    })
}

/// RocksDB gives this one only as text.
fn level_zero_files(database: &DB) -> Result<u64, StoreError> {
    match database.property_value(FILES_AT_LEVEL_ZERO) {
        Ok(value) => Ok(value.and_then(|text| text.parse().ok()).unwrap_or_default()),
        Err(error) => Err(StoreError::from_rocksdb(database.path(), error)),
    }
}
