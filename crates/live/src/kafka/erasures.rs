//! Erasures of a partition, read before its state is made anew: whoever was erased since is not folded again.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::atomic::Ordering;

use bellwether_codec::erasures::Erasures;
use bellwether_codec::event::Decoder;
use bellwether_codec::journal::{Piece, Pieces};
use bellwether_engine::event::CustomerKey;
use bellwether_kafka::{Batch, ConnectionOptions, KafkaError, Reader, TopicPartition};

use super::process::journal_record;

/// Records that are in memory at once.
const MAX_RECORDS: usize = 50_000;
const MAX_BYTES: usize = 32 << 20;

/// The type of the event that erases a customer, as the journal writes it. All others are not decoded.
const MARK: &str = "\"type\":\"customer.erased\"";

/// Reads erasures with a consumer of its own.
pub struct ErasureReader {
    connection: ConnectionOptions,
    decoder: Decoder,
}

impl ErasureReader {
    /// One for the journal at these brokers.
    #[must_use]
    pub fn new(connection: ConnectionOptions, decoder: Decoder) -> Self {
        Self { connection, decoder }
    }

    /// The customers that are erased at these offsets, and where.
    ///
    /// # Errors
    ///
    /// When the journal cannot be read.
    pub(crate) fn read(&self, at: &TopicPartition, offsets: Range<u64>) -> Result<BTreeMap<CustomerKey, u64>, KafkaError> {
        let (end, mut batch, mut erasures) = (offsets.end, Batch::default(), Erasures::default());
        let mut reader = Reader::new(self.connection.clone(), at.clone(), offsets)?;
        let mut more = true;
        while more && !self.connection.stop.load(Ordering::Relaxed) {
            batch.clear();
            more = reader.read(&mut batch, MAX_RECORDS, MAX_BYTES)?;
            let records = batch.records().map(|record| journal_record(&record));
            let records = records.filter(|record| record.offset < end && record.value.is_some_and(is_erasure));
            for piece in Pieces::decode(records, &self.decoder).pieces {
                if let Piece::Records(records) = piece {
                    erasures.note(&records);
                }
            }
        }
        Ok(erasures.into_offsets())
    }
}

/// How to reach the brokers may hold secrets.
impl fmt::Debug for ErasureReader {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ErasureReader").finish_non_exhaustive()
    }
}

fn is_erasure(value: &[u8]) -> bool {
    std::str::from_utf8(value).is_ok_and(|text| text.contains(MARK))
}

#[cfg(test)]
mod tests {
    use bellwether_codec::event::encode_event;
    use bellwether_engine::time::Time;

    use super::*;

    #[test]
    fn the_mark_is_what_the_journal_writes() {
        let mut written = Vec::new();
        encode_event(&crate::erasing::erasure("c-1", Time(0)), &mut written);
        assert!(is_erasure(&written), "{}", String::from_utf8_lossy(&written));
    }
}
