//! The identities of a customer's last events, by which duplicates are recognised.

use super::packed::{Packed, PackedReader, PackedWriter};

/// How many event identities are remembered per customer (`recent_ids`).
pub const RECENT_IDS: usize = 32;

/// Bytes kept of each 64-bit identity: 40 bits make one false duplicate in 3 x 10^10 events.
const IDENTITY_BYTES: usize = 5;

/// A ring of the last [`RECENT_IDS`] identities.
#[derive(Clone, Debug, Default)]
pub struct RecentIds {
    /// The low 32 bits of each, apart from the others: then eight vector compares tell nearly always that an identity is new.
    low: [u32; RECENT_IDS],
    high: [u8; RECENT_IDS],
    filled: u8,
    next: u8,
}

impl RecentIds {
    /// Remembers an identity. Returns false when it is among the last ones already.
    pub fn remember(&mut self, identity: u64) -> bool {
        let identity = identity >> (64 - 8 * IDENTITY_BYTES);
        let (low, high) = (identity as u32, (identity >> 32) as u8);
        // Without an early exit this compiles to vector compares.
        let may_be_known = self.low.iter().fold(false, |found, known| found | (*known == low));
        if may_be_known && (0..usize::from(self.filled)).any(|place| self.low[place] == low && self.high[place] == high) {
            return false;
        }
        let place = usize::from(self.next) % RECENT_IDS;
        (self.low[place], self.high[place]) = (low, high);
        self.next = (self.next + 1) % RECENT_IDS as u8;
        self.filled = (self.filled + 1).min(RECENT_IDS as u8);
        true
    }
}

impl Packed for RecentIds {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.put(u64::from(self.filled));
        let oldest = usize::from(self.next) + RECENT_IDS - usize::from(self.filled);
        for place in (oldest..oldest + usize::from(self.filled)).map(|place| place % RECENT_IDS) {
            writer.bytes.extend_from_slice(&self.low[place].to_le_bytes());
            writer.bytes.push(self.high[place]);
        }
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        let mut recent = Self::default();
        for _ in 0..reader.take()? {
            let mut bytes = [0; 8];
            bytes[8 - IDENTITY_BYTES..].copy_from_slice(&reader.take_array::<IDENTITY_BYTES>()?);
            recent.remember(u64::from_le_bytes(bytes)).then_some(())?;
        }
        Some(recent)
    }
}

/// Two rings are equal when they remember the same identities in the same order.
impl PartialEq for RecentIds {
    fn eq(&self, other: &Self) -> bool {
        let packed = |recent: &Self| {
            let mut writer = PackedWriter::new();
            recent.pack(&mut writer);
            writer.bytes
        };
        packed(self) == packed(other)
    }
}
