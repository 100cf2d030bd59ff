//! The erasures of a journal partition, as its readers need them: known before the first record, so that earlier records of a customer are blanks.

use std::collections::BTreeMap;

use bellwether_engine::event::CustomerKey;
use bellwether_engine::time::Time;

use crate::journal::Records;

/// Erasures noted in the order of the journal.
#[derive(Clone, Debug, Default)]
pub struct Erasures {
    offsets: BTreeMap<CustomerKey, u64>,
    latest: BTreeMap<CustomerKey, Time>,
}

impl Erasures {
    /// Notes the erasures among these records. One dated before another that is known erases nothing.
    pub fn note(&mut self, records: &Records<'_>) {
        for (offset, key, time) in records.erasures() {
            let latest = self.latest.entry(key).or_insert(Time::MIN);
            if time > *latest {
                *latest = time;
                self.offsets.insert(key, offset);
            }
        }
    }

    /// The offset of the last erasure of each customer.
    #[must_use]
    pub fn offsets(&self) -> &BTreeMap<CustomerKey, u64> {
        &self.offsets
    }

    /// As [`Self::offsets`].
    #[must_use]
    pub fn into_offsets(self) -> BTreeMap<CustomerKey, u64> {
        self.offsets
    }
}
