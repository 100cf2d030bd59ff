//! The store itself: everything that can be read, and the one way to write.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rocksdb::{
    BottommostLevelCompaction, ColumnFamily, CompactOptions, DB, DBPinnableSlice, DEFAULT_COLUMN_FAMILY_NAME, WriteBatch, WriteOptions,
};

use crate::commit::{Advance, Commit, Durability};
use crate::error::StoreError;
use crate::keys;
use crate::metrics::{self, StoreMetrics};
use crate::open;
use crate::options::StoreOptions;
use crate::partition_file::{self, PartitionContents, PartitionFile};
use crate::position::Position;
use crate::scan::{self, Scan};
use crate::values::{self, PartitionHeader};

/// One open database, shared by all partitions of the process. Its calls block; it may be used from many threads.
///
/// Methods that take a partition panic when it is beyond [`MAX_PARTITION`](crate::MAX_PARTITION).
pub struct Store {
    database: DB,
    /// Where every partition with a header stands. Locked across check and write, so that both are one step.
    positions: Mutex<BTreeMap<u16, Position>>,
}

impl Store {
    /// Opens the store in a directory, creating it where there is none.
    pub fn open(path: impl AsRef<Path>, options: &StoreOptions) -> Result<Self, StoreError> {
        let database = open::open(path.as_ref(), options)?;
        let positions = Mutex::new(open::load_positions(&database)?);
        Ok(Self { database, positions })
    }

    /// Opens a store that exists, as it is now, to read it; another process may have it open and go on. Every commit is refused.
    pub fn open_to_read(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let database = open::open_to_read(path.as_ref())?;
        let positions = Mutex::new(open::load_positions(&database)?);
        Ok(Self { database, positions })
    }

    /// Writes all of a commit, or refuses it and writes nothing.
    ///
    /// After any error but [`StoreError::Stale`] and [`StoreError::Backwards`] reads do not see the commit and the same
    /// one may be repeated; but if the process ends before that, the next opening may find it, whole.
    pub fn commit(&self, commit: Commit, durability: Durability) -> Result<(), StoreError> {
        // A thread that panicked here cannot have left the map half changed.
        let mut positions = self.positions.lock().unwrap_or_else(PoisonError::into_inner);
        let advanced = check_advances(&positions, &commit.advances)?;
        let mut options = WriteOptions::default();
        options.set_sync(durability == Durability::Synced);
        self.database.write_opt(commit.batch, &options).map_err(|error| self.failure(error))?;
        positions.extend(advanced);
        Ok(())
    }

    /// Header of a partition, if anything was ever applied to it.
    pub fn header(&self, partition: u16) -> Result<Option<PartitionHeader>, StoreError> {
        let key = keys::header(partition);
        let Some(value) = self.database.get_pinned(key).map_err(|error| self.failure(error))? else {
            return Ok(None);
        };
        let header = values::decode_header(&value);
        header.map(Some).map_err(|reason| StoreError::from_malformed(self.path(), &key, reason))
    }

    /// The partitions that have headers, in order.
    pub fn partitions(&self) -> Vec<u16> {
        self.positions.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }

    /// States of customers, in the order asked, read in one go. Ascending customers are fastest.
    pub fn states(&self, partition: u16, customers: &[u128]) -> Result<Vec<Option<StateBytes<'_>>>, StoreError> {
        let keys: Vec<_> = customers.iter().map(|customer| keys::state(partition, *customer)).collect();
        let values = self.database.batched_multi_get_cf(self.family(), &keys, customers.is_sorted());
        let states = values.into_iter().map(|value| Ok(value?.map(StateBytes)));
        states.collect::<Result<_, _>>().map_err(|error| self.failure(error))
    }

    /// Customers and their states from one customer on, in the order of customers.
    pub fn all_states(&self, partition: u16, from: u128) -> Scan<'_, (u128, Vec<u8>)> {
        scan::states(&self.database, partition, from)
    }

    /// Due times and customers of all timers, in the order of customers.
    pub fn timers(&self, partition: u16) -> Scan<'_, (i64, u128)> {
        scan::timers(&self.database, partition)
    }

    /// First offsets and bytes of journal blocks, from the last one that starts at or before an offset on, or else
    /// from the first one.
    pub fn journal_blocks(&self, partition: u16, from_offset: u64) -> Scan<'_, (u64, Vec<u8>)> {
        scan::journal_blocks(&self.database, partition, from_offset)
    }

    /// Progress of an input of the process.
    pub fn input(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.database.get(keys::input(name)).map_err(|error| self.failure(error))
    }

    /// Names and progress of all inputs, in the order of names.
    pub fn inputs(&self) -> Scan<'_, (String, Vec<u8>)> {
        scan::inputs(&self.database)
    }

    /// Writes all that the fold of a partition has made into a file, as of one moment: header, states, timers and erasures,
    /// but not the journal. Tells what is in it; nothing, and no file, if the partition has no header.
    ///
    /// Commits may go on meanwhile. After an error there may be a part of the file.
    pub fn export(&self, partition: u16, path: impl AsRef<Path>) -> Result<Option<PartitionContents>, StoreError> {
        partition_file::export(&self.database, partition, path.as_ref())
    }

    /// Puts a checked file in the place of all that the fold of its partition has made, and takes the file away.
    ///
    /// When this returns, it is on the disk, and commits that start elsewhere are refused. After a crash or an error the
    /// partition is as it was or as it should be, and nothing between. Its journal blocks stay.
    pub fn import(&self, file: PartitionFile) -> Result<(), StoreError> {
        let mut positions = self.positions.lock().unwrap_or_else(PoisonError::into_inner);
        partition_file::import(&self.database, &file)?;
        positions.insert(file.partition, file.contents().header.position);
        Ok(())
    }

    /// Removes all that the fold of a partition has made, for good when this returns, so that it starts at the default
    /// position again. Its journal blocks stay.
    pub fn drop_partition(&self, partition: u16) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        keys::fold_spans(partition).iter().for_each(|(from, to)| batch.delete_range(from, to));
        let mut options = WriteOptions::default();
        options.set_sync(true);
        let mut positions = self.positions.lock().unwrap_or_else(PoisonError::into_inner);
        self.database.write_opt(batch, &options).map_err(|error| self.failure(error))?;
        positions.remove(&partition);
        // Files with nothing else in them give their space back at once, the rest when they are compacted.
        let mut spans = keys::fold_spans(partition).into_iter();
        spans.try_for_each(|(from, to)| self.database.delete_file_in_range(from, to)).map_err(|error| self.failure(error))
    }

    /// Brings every commit so far into files on the disk, so that nothing needs to be recovered at the next start.
    pub fn flush(&self) -> Result<(), StoreError> {
        self.database.flush().map_err(|error| self.failure(error))
    }

    /// Rewrites every file, so that no bytes are left of what was deleted or overwritten before. It takes about as long as copying the store.
    pub fn purge(&self) -> Result<(), StoreError> {
        self.flush()?;
        let mut options = CompactOptions::default();
        options.set_exclusive_manual_compaction(true);
        options.set_bottommost_level_compaction(BottommostLevelCompaction::Force);
        self.database.compact_range_opt(None::<&[u8]>, None::<&[u8]>, &options);
        self.flush()
    }

    /// What to watch.
    pub fn metrics(&self) -> Result<StoreMetrics, StoreError> {
        metrics::read(&self.database)
    }

    /// Bytes of memory in use: the block cache, which pays for the write buffers too, and what open files hold beside it.
    pub fn memory_usage(&self) -> Result<u64, StoreError> {
        let metrics = self.metrics()?;
        Ok(metrics.block_cache_bytes + metrics.table_readers_bytes)
    }

    /// Directory of the store.
    pub fn path(&self) -> &Path {
        self.database.path()
    }

    fn family(&self) -> &ColumnFamily {
        self.database.cf_handle(DEFAULT_COLUMN_FAMILY_NAME).expect("the database was opened with this family")
    }

    fn failure(&self, error: rocksdb::Error) -> StoreError {
        StoreError::from_rocksdb(self.path(), error)
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Store").field("path", &self.path()).finish_non_exhaustive()
    }
}

/// A customer's state where RocksDB keeps it, not copied. It pins memory of the cache, so decode it and let it go.
pub struct StateBytes<'store>(DBPinnableSlice<'store>);

impl Deref for StateBytes<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for StateBytes<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.deref().fmt(formatter)
    }
}

/// Where the partitions will stand after these steps, or which step does not fit.
fn check_advances(positions: &BTreeMap<u16, Position>, advances: &[Advance]) -> Result<BTreeMap<u16, Position>, StoreError> {
    let mut advanced = BTreeMap::new();
    for &Advance { partition, start, end } in advances {
        let found = advanced.get(&partition).or_else(|| positions.get(&partition)).copied().unwrap_or_default();
        if start != found {
            return Err(StoreError::Stale { partition, expected: start, found });
        }
        if end < start {
            return Err(StoreError::Backwards { partition, start, end });
        }
        advanced.insert(partition, end);
    }
    Ok(advanced)
}
