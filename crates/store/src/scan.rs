//! The iterators over ordered ranges of the store.

use rocksdb::{DB, DBRawIterator};

use crate::error::StoreError;
use crate::keys::{self, Kind};
use crate::options::scan_options;
use crate::values::{self, Malformed};

/// Entries of the store in the order of their keys, as they were when the scan began.
///
/// It ends after the first error. While it lives it keeps old files and buffers alive, so do not hold one for long.
pub struct Scan<'store, Item> {
    database: &'store DB,
    entries: DBRawIterator<'store>,
    decode: Decode<Item>,
    ended: bool,
}

type Decode<Item> = fn(key: &[u8], value: &[u8]) -> Result<Item, Malformed>;

impl<'store, Item> Scan<'store, Item> {
    fn new(database: &'store DB, from: &[u8], to: &[u8], decode: Decode<Item>) -> Self {
        let mut entries = database.raw_iterator_opt(scan_options(from.to_vec(), to.to_vec()));
        entries.seek_to_first();
        Self { database, entries, decode, ended: false }
    }

    /// Begins with the last key that is not after this one, or with the first key if all are after it.
    fn seek_to_last_not_after(&mut self, key: &[u8]) {
        self.entries.seek_for_prev(key);
        if !self.entries.valid() && self.entries.status().is_ok() {
            self.entries.seek_to_first();
        }
    }

    fn take(&mut self) -> Result<Option<Item>, StoreError> {
        let path = self.database.path();
        let Some((key, value)) = self.entries.item() else {
            return self.entries.status().map(|()| None).map_err(|error| StoreError::from_rocksdb(path, error));
        };
        let item = (self.decode)(key, value).map_err(|reason| StoreError::from_malformed(path, key, reason))?;
        self.entries.next();
        Ok(Some(item))
    }
}

impl<Item> Iterator for Scan<'_, Item> {
    type Item = Result<Item, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let item = self.take().transpose();
        self.ended = !matches!(item, Some(Ok(_)));
        item
    }
}

/// Due time and customer of every timer, ordered by customer.
pub(crate) fn timers(database: &DB, partition: u16) -> Scan<'_, (i64, u128)> {
    let (from, to) = (keys::start(partition, Kind::Timer), keys::end(partition, Kind::Timer));
    Scan::new(database, &from, &to, |key, value| Ok((values::decode_timer(value)?, keys::customer_of(key)?)))
}

/// Customer and state of every customer from one on.
pub(crate) fn states(database: &DB, partition: u16, from: u128) -> Scan<'_, (u128, Vec<u8>)> {
    let (from, to) = (keys::state(partition, from), keys::end(partition, Kind::State));
    Scan::new(database, &from, &to, |key, value| Ok((keys::customer_of(key)?, value.to_vec())))
}

/// First offset and bytes of every journal block, from the one that contains an offset on.
pub(crate) fn journal_blocks(database: &DB, partition: u16, from_offset: u64) -> Scan<'_, (u64, Vec<u8>)> {
    let (from, to) = (keys::start(partition, Kind::JournalBlock), keys::end(partition, Kind::JournalBlock));
    let mut scan = Scan::new(database, &from, &to, |key, value| Ok((keys::first_offset_of(key)?, value.to_vec())));
    scan.seek_to_last_not_after(&keys::journal_block(partition, from_offset));
    scan
}

/// Name and progress of every input.
pub(crate) fn inputs(database: &DB) -> Scan<'_, (String, Vec<u8>)> {
    let (from, to) = keys::inputs();
    Scan::new(database, &from, &to, |key, value| Ok((keys::input_name_of(key)?, value.to_vec())))
}
