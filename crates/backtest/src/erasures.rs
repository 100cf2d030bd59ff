//! Erasures among the records of a partition, which every reader of a journal knows before it reads it.

use std::collections::BTreeMap;

use bellwether_codec::journal::Records;
use bellwether_engine::event::CustomerKey;
use bellwether_engine::time::Time;

/// Who was erased, and where.
#[derive(Debug, Default)]
pub(crate) struct Erasures {
    /// The offset of the last erasure of each customer.
    pub offsets: BTreeMap<CustomerKey, u64>,
    /// Its time.
    latest: BTreeMap<CustomerKey, Time>,
}

impl Erasures {
    /// An erasure dated before one that is known erases nothing.
    pub fn note(&mut self, records: &Records<'_>) {
        for (offset, key, time) in records.erasures() {
            let latest = self.latest.entry(key).or_insert(Time::MIN);
            if time > *latest {
                *latest = time;
                self.offsets.insert(key, offset);
            }
        }
    }
}
