//! What stays of customers that were erased: a keyed hash of the id and the time. What is dated before that is dropped.

use std::collections::BTreeMap;
use std::hash::Hasher;

use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128, SipHasher24};

use crate::time::Time;

/// Erasures that a partition remembers; beyond that the oldest is forgotten, and stragglers from before it would count again.
pub const MAX_ERASURES: usize = 20_000;

/// The secret under which ids of erased customers are hashed. Without it a hash cannot be tested against a list of known ids.
#[derive(Clone, Copy, Default)]
pub struct ErasureKey(pub [u8; 16]);

impl ErasureKey {
    /// The hash under which an erased customer is remembered: SipHash-2-4 with 128 bits.
    #[must_use]
    pub fn hash(&self, customer: &str) -> u128 {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        hasher.write(customer.as_bytes());
        hasher.finish128().as_u128()
    }
}

/// Secrets are not shown.
impl std::fmt::Debug for ErasureKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("ErasureKey")
    }
}

/// The erasures of a partition, by the keyed hash of the customer's id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasures(BTreeMap<u128, Time>);

impl Erasures {
    /// Remembers an erasure. Returns whether it is news: a later one than any known of that customer.
    pub fn insert(&mut self, hash: u128, time: Time) -> bool {
        if self.0.get(&hash).is_some_and(|known| *known >= time) {
            return false;
        }
        if self.0.len() >= MAX_ERASURES && !self.0.contains_key(&hash) {
            let oldest = self.0.iter().min_by_key(|(hash, time)| (**time, **hash)).map(|(hash, _)| *hash);
            oldest.map(|oldest| self.0.remove(&oldest));
        }
        self.0.insert(hash, time);
        true
    }

    /// When a customer was erased.
    #[must_use]
    pub fn get(&self, hash: u128) -> Option<Time> {
        self.0.get(&hash).copied()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nobody was erased.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A customer that was erased since the last commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erased {
    /// Its key.
    pub key: crate::event::CustomerKey,
    /// Its id, to tell subscribers.
    pub customer: Box<str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_erasure_counts_and_the_oldest_customer_is_forgotten() {
        let mut erasures = Erasures::default();
        assert!(erasures.insert(7, Time(5)) && !erasures.insert(7, Time(4)) && !erasures.insert(7, Time(5)));
        (1..MAX_ERASURES as u128).for_each(|hash| assert!(erasures.insert(hash << 8, Time(10 + hash as i64))));
        assert!(erasures.insert(7, Time(6)), "it is known, and needs no room");
        assert!(erasures.insert(9, Time(7)));
        assert_eq!((erasures.len(), erasures.get(7), erasures.get(9)), (MAX_ERASURES, None, Some(Time(7))));
    }

    #[test]
    fn hashes_depend_on_the_key() {
        let [one, other] = [ErasureKey([1; 16]), ErasureKey([2; 16])];
        assert_eq!(one.hash("c-1"), one.hash("c-1"));
        assert!(one.hash("c-1") != one.hash("c-2") && one.hash("c-1") != other.hash("c-1"));
    }
}
