//! From customer keys to slots. A hash map that can only be asked, never walked: its order cannot leak into the fold.

#![expect(clippy::disallowed_types, reason = "no iteration: the order of the map is invisible")]

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::event::CustomerKey;

/// Takes the low half of the key, which is a good hash already.
#[derive(Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 << 8) | u64::from(*byte);
        }
    }

    fn write_u128(&mut self, key: u128) {
        self.0 = (key >> 64) as u64 ^ key as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Slots by key.
#[derive(Debug, Default)]
pub(crate) struct Index(HashMap<CustomerKey, u32, BuildHasherDefault<KeyHasher>>);

impl Index {
    pub fn get(&self, key: CustomerKey) -> Option<u32> {
        self.0.get(&key).copied()
    }

    pub fn insert(&mut self, key: CustomerKey, slot: u32) {
        self.0.insert(key, slot);
    }

    pub fn remove(&mut self, key: CustomerKey) -> Option<u32> {
        self.0.remove(&key)
    }
}
