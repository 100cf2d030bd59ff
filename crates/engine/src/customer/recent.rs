//! The identities of a customer's last events, by which duplicates are recognised.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::packed::{PackedReader, unpack};

/// How many event identities are remembered per customer (`recent_ids`).
pub const RECENT_IDS: usize = 32;

/// Bytes kept of each 64-bit identity: 48 bits make one false duplicate in 10^13 events.
const IDENTITY_BYTES: usize = 6;

/// A ring of the last [`RECENT_IDS`] identities.
#[derive(Clone, Debug, PartialEq, Eq)]
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
        // Free places hold u64::MAX, which no 48-bit identity equals; without an early exit this compiles to vector compares.
        if self.ring.iter().fold(false, |found, known| found | (*known == identity)) {
            return false;
        }
        self.ring[usize::from(self.next) % RECENT_IDS] = identity;
        self.next = (self.next + 1) % RECENT_IDS as u8;
        self.filled = (self.filled + 1).min(RECENT_IDS as u8);
        true
    }
}

impl Serialize for RecentIds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bytes = Vec::with_capacity(RECENT_IDS * IDENTITY_BYTES);
        let oldest = usize::from(self.next) + RECENT_IDS - usize::from(self.filled);
        for place in oldest..oldest + usize::from(self.filled) {
            bytes.extend_from_slice(&self.ring[place % RECENT_IDS].to_le_bytes()[..IDENTITY_BYTES]);
        }
        serializer.serialize_bytes(&bytes)
    }
}

impl<'de> Deserialize<'de> for RecentIds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        fn read(reader: &mut PackedReader<'_>) -> Option<RecentIds> {
            let mut recent = RecentIds::default();
            for chunk in reader.0.chunks(IDENTITY_BYTES) {
                let mut bytes = [0; 8];
                bytes[8 - IDENTITY_BYTES..].copy_from_slice(chunk.get(..IDENTITY_BYTES)?);
                recent.remember(u64::from_le_bytes(bytes)).then_some(())?;
            }
            reader.0 = &[];
            Some(recent)
        }
        unpack(deserializer, read)
    }
}
