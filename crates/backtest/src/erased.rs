//! Who was erased in a journal: what it holds of them from before is never read out again.

use std::collections::BTreeMap;

use bellwether_codec::erasures::Erasures;
use bellwether_codec::event::Decoder;
use bellwether_codec::journal::{JournalRecord, Piece, Pieces};
use bellwether_engine::event::CustomerKey;
use bellwether_engine::time::Time;
use memchr::memmem::Finder;
use rayon::prelude::*;

use crate::error::ReplayError;
use crate::journal::Journal;

/// The erasures of a journal, by partition.
pub(crate) struct Erased {
    partitions: Vec<ErasedOfPartition>,
}

/// The erasures of a partition.
#[derive(Default)]
pub(crate) struct ErasedOfPartition {
    /// The offset of the last erasure of each customer: what stands before is a blank.
    pub offsets: BTreeMap<CustomerKey, u64>,
    /// Each erasure by the hash of its customer, purged ones among them: stragglers dated before are dropped.
    pub hashes: Vec<(u128, Time)>,
}

impl Erased {
    /// Looks through a journal.
    pub(crate) fn of(journal: &dyn Journal, decoder: &Decoder) -> Result<Self, ReplayError> {
        let numbers: Vec<u16> = (0..journal.partitions()).collect();
        let of_partition = |number: &u16| ErasedOfPartition::of(journal, *number, decoder);
        Ok(Self { partitions: numbers.par_iter().map(of_partition).collect::<Result<_, _>>()? })
    }

    pub(crate) fn of_partition(&self, number: u16) -> &BTreeMap<CustomerKey, u64> {
        &self.partitions[usize::from(number)].offsets
    }
}

/// What stands in every erasure.
pub(crate) const ERASURE: &str = "\"customer.erased\"";

/// Whether a record may be an erasure, and is to be decoded.
pub(crate) fn may_erase(record: &JournalRecord<'_>, erasure: &Finder<'_>) -> bool {
    record.value.is_some_and(|value| erasure.find(value).is_some())
}

impl ErasedOfPartition {
    /// Looks through a partition. Only the records that name an erasure are decoded.
    pub(crate) fn of(journal: &dyn Journal, number: u16, decoder: &Decoder) -> Result<Self, ReplayError> {
        let (mut erasures, mut hashes) = (Erasures::default(), Vec::new());
        let erasure = Finder::new(ERASURE);
        let mut visit = |records: &[JournalRecord<'_>]| {
            for piece in Pieces::decode(records.iter().filter(|record| may_erase(record, &erasure)).copied(), decoder).pieces {
                match piece {
                    Piece::Records(records) => {
                        erasures.note(&records);
                        hashes.extend(records.erased_customers().map(|(id, time)| (decoder.erasure_key().hash(id), time)));
                    }
                    Piece::Erased(_, erasure) => hashes.push((erasure.hash, erasure.time)),
                    _ => {}
                }
            }
            true
        };
        journal.read(number, &mut visit).map_err(ReplayError::Journal)?;
        Ok(Self { offsets: erasures.into_offsets(), hashes })
    }
}
