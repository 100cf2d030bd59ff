//! Who was erased in a journal: what it holds of them from before is never read out again.

use std::collections::BTreeMap;

use bellwether_codec::event::Decoder;
use bellwether_codec::journal::{JournalRecord, Piece, Pieces};
use bellwether_engine::event::CustomerKey;
use bellwether_engine::time::Time;
use memchr::memmem::Finder;
use rayon::prelude::*;

use crate::error::ReplayError;
use crate::journal::Journal;

/// The offset of the last erasure of each customer, by partition.
pub(super) struct Erased {
    partitions: Vec<BTreeMap<CustomerKey, u64>>,
}

impl Erased {
    /// Looks through a journal.
    pub(super) fn of(journal: &dyn Journal, decoder: &Decoder) -> Result<Self, ReplayError> {
        let numbers: Vec<u16> = (0..journal.partitions()).collect();
        let partitions = numbers.par_iter().map(|number| in_partition(journal, *number, decoder)).collect::<Result<_, _>>()?;
        Ok(Self { partitions })
    }

    pub(super) fn of_partition(&self, number: u16) -> &BTreeMap<CustomerKey, u64> {
        &self.partitions[usize::from(number)]
    }
}

fn in_partition(journal: &dyn Journal, number: u16, decoder: &Decoder) -> Result<BTreeMap<CustomerKey, u64>, ReplayError> {
    let mut latest: BTreeMap<CustomerKey, (Time, u64)> = BTreeMap::new();
    let erasure = Finder::new("\"customer.erased\"");
    let mut visit = |records: &[JournalRecord<'_>]| {
        let may_erase = |record: &&JournalRecord<'_>| !record.is_control && record.value.is_some_and(|value| erasure.find(value).is_some());
        for piece in Pieces::decode(records.iter().filter(may_erase).copied(), decoder).pieces {
            let Piece::Records(records) = piece else { continue };
            for (offset, key, time) in records.erasures() {
                // One that is dated before another one that is known erases nothing.
                let known = latest.entry(key).or_insert((Time::MIN, 0));
                if time > known.0 {
                    *known = (time, offset);
                }
            }
        }
        true
    };
    journal.read(number, &mut visit).map_err(ReplayError::Journal)?;
    Ok(latest.into_iter().map(|(key, (_, offset))| (key, offset)).collect())
}
