//! The identities of a customer's last events, by which duplicates are recognised.

use super::packed::{Packed, PackedReader, PackedWriter};

/// How many event identities are remembered per customer (`recent_ids`).
pub const RECENT_IDS: usize = 32;

/// Bytes kept of each 64-bit identity: 40 bits make one false duplicate in 3 x 10^10 events.
const IDENTITY_BYTES: usize = 5;

/// A ring of the last [`RECENT_IDS`] identities.
#[derive(Clone, Debug)]
pub struct RecentIds {
    ring: [u64; RECENT_IDS],
    filled: u8,
    next: u8,
}

impl Default for RecentIds {
    fn default() -> Self {
        Self { ring: [u64::MAX; RECENT_IDS], filled: 0, next: 0 }
    }
}

impl RecentIds {
    /// Remembers an identity. Returns false when it is among the last ones already.
    pub fn remember(&mut self, identity: u64) -> bool {
        let identity = identity >> (64 - 8 * IDENTITY_BYTES);
        // Free places hold u64::MAX, which no 40-bit identity equals; without an early exit this compiles to vector compares.
        if self.ring.iter().fold(false, |found, known| found | (*known == identity)) {
            return false;
        }
        self.ring[usize::from(self.next) % RECENT_IDS] = identity;
        self.next = (self.next + 1) % RECENT_IDS as u8;
        self.filled = (self.filled + 1).min(RECENT_IDS as u8);
        true
    }
}

impl Packed for RecentIds {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.put(u64::from(self.filled));
        let oldest = usize::from(self.next) + RECENT_IDS - usize::from(self.filled);
        for place in oldest..oldest + usize::from(self.filled) {
            writer.bytes.extend_from_slice(&self.ring[place % RECENT_IDS].to_le_bytes()[..IDENTITY_BYTES]);
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
            let mut writer = PackedWriter::default();
            recent.pack(&mut writer);
            writer.bytes
        };
        packed(self) == packed(other)
    }
}
