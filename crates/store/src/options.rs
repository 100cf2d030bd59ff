//! Tuning: one number of bytes, and what RocksDB is told because of it.

use rocksdb::{BlockBasedOptions, Cache, DBCompressionType, DBRecoveryMode, Options, ReadOptions, WriteBufferManager};

const MIB: u64 = 1 << 20;

/// Least memory that works well; smaller wishes are raised to it.
const MIN_MEMORY_BYTES: u64 = 32 * MIB;
/// One part in so many of the memory is for writes not yet in files. It is charged to the block cache, so the
/// cache is as large as the whole and shrinks while writes are buffered.
const WRITE_BUFFERS_PART: u64 = 4;
/// How many write buffers share that part: one filling, the others on their way to the disk.
const WRITE_BUFFERS: u64 = 4;
const MIN_WRITE_BUFFER_BYTES: u64 = 16 * MIB;
const MAX_WRITE_BUFFER_BYTES: u64 = 64 * MIB;

/// Ten bits find an absent key without reading it, but for one in a hundred.
const BLOOM_BITS_PER_KEY: f64 = 10.0;
/// Pinned, not "the newest": files must stay readable by the release before.
const TABLE_FORMAT_VERSION: i32 = 6;
/// One flush and one compaction at a time; the rest of a small machine folds.
const MAX_BACKGROUND_JOBS: i32 = 2;
/// Dirty pages go to the disk in such steps instead of all at once.
const BYTES_PER_SYNC: u64 = MIB;
/// RocksDB's own log: a few files of bounded size instead of a thousand.
const LOG_FILES: usize = 4;
const LOG_FILE_BYTES: usize = 8 << 20;

/// How a store is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreOptions {
    /// Memory for cache, indexes, filters and write buffers together; at least 32 MiB are used.
    pub memory_bytes: u64,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { memory_bytes: 256 * MIB }
    }
}

/// How the memory is divided.
#[derive(Debug, PartialEq, Eq)]
struct Split {
    cache_bytes: usize,
    all_write_buffers_bytes: usize,
    write_buffer_bytes: usize,
}

impl StoreOptions {
    fn split(&self) -> Split {
        let memory = self.memory_bytes.max(MIN_MEMORY_BYTES);
        let all_write_buffers = memory / WRITE_BUFFERS_PART;
        let write_buffer = (all_write_buffers / WRITE_BUFFERS).clamp(MIN_WRITE_BUFFER_BYTES, MAX_WRITE_BUFFER_BYTES);
        let size = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        Split { cache_bytes: size(memory), all_write_buffers_bytes: size(all_write_buffers), write_buffer_bytes: size(write_buffer) }
    }

    /// What RocksDB is told, for the database and for its only column family.
    pub(crate) fn to_rocksdb(&self) -> Options {
        let split = self.split();
        let cache = Cache::new_hyper_clock_cache(split.cache_bytes, 0);
        let mut options = Options::default();
        options.create_if_missing(true);
        options.set_block_based_table_factory(&table_options(&cache));
        tune_writes(&mut options, &split, cache);
        tune_levels(&mut options);
        // After a crash: the commits up to the first one that did not reach the disk whole, and none after it.
        options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
        options.set_track_and_verify_wals_in_manifest(true);
        options.set_keep_log_file_num(LOG_FILES);
        options.set_max_log_file_size(LOG_FILE_BYTES);
        options
    }
}

/// Reads of long ranges: bounded, and without pushing the working set out of the cache.
pub(crate) fn scan_options(from: Vec<u8>, to: Vec<u8>) -> ReadOptions {
    let mut options = ReadOptions::default();
    options.set_iterate_lower_bound(from);
    options.set_iterate_upper_bound(to);
    options.fill_cache(false);
    options
}

/// Tables outside the store: written like those within, and read without memory that stays.
pub(crate) fn file_options() -> Options {
    let mut table = table_format();
    table.disable_cache();
    let mut options = Options::default();
    options.create_if_missing(true);
    options.set_block_based_table_factory(&table);
    options.set_compression_type(DBCompressionType::Lz4);
    options.set_keep_log_file_num(1);
    options
}

fn table_options(cache: &Cache) -> BlockBasedOptions {
    let mut table = table_format();
    table.set_block_cache(cache);
    // Within the budget instead of beside it; the newest files' stay, or a flush would slow every read down.
    table.set_cache_index_and_filter_blocks(true);
    table.set_pin_l0_filter_and_index_blocks_in_cache(true);
    table
}

fn table_format() -> BlockBasedOptions {
    let mut table = BlockBasedOptions::default();
    table.set_bloom_filter(BLOOM_BITS_PER_KEY, false);
    table.set_whole_key_filtering(true);
    table.set_optimize_filters_for_memory(true);
    table.set_format_version(TABLE_FORMAT_VERSION);
    table
}

fn tune_writes(options: &mut Options, split: &Split, cache: Cache) {
    // Over the budget it flushes earlier; it never stalls the writer.
    let buffers = WriteBufferManager::new_write_buffer_manager_with_cache(split.all_write_buffers_bytes, false, cache);
    options.set_write_buffer_manager(&buffers);
    options.set_write_buffer_size(split.write_buffer_bytes);
    options.set_max_write_buffer_number(WRITE_BUFFERS as i32);
    options.set_bytes_per_sync(BYTES_PER_SYNC);
    options.set_wal_bytes_per_sync(BYTES_PER_SYNC);
    options.set_max_background_jobs(MAX_BACKGROUND_JOBS);
}

fn tune_levels(options: &mut Options) {
    options.set_level_compaction_dynamic_level_bytes(true);
    // States are rewritten all the time, and compaction shares the cores with the fold: lz4 everywhere. Journal blocks arrive
    // compressed: RocksDB sees that a block does not shrink by an eighth and keeps it as it is.
    options.set_compression_type(DBCompressionType::Lz4);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(memory_mib: u64) -> [u64; 3] {
        let split = StoreOptions { memory_bytes: memory_mib * MIB }.split();
        [split.cache_bytes, split.all_write_buffers_bytes, split.write_buffer_bytes].map(|bytes| bytes as u64 / MIB)
    }

    #[test]
    fn memory_is_split_in_proportion_within_bounds() {
        assert_eq!(split(0), [32, 8, 16]);
        assert_eq!(split(256), [256, 64, 16]);
        assert_eq!(split(512), [512, 128, 32]);
        assert_eq!(split(8192), [8192, 2048, 64]);
    }
}
