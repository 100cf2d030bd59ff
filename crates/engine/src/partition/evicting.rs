//! Keeping the customers in memory to a size.

use super::Partition;
use crate::event::CustomerKey;

impl Partition {
    /// Tells how much memory a customer takes, bytes. Until then a loaded one counts for nothing, and a new one for its size without collections.
    pub fn set_bytes(&mut self, key: CustomerKey, bytes: u32) {
        let Some(entry) = self.index.get(key).and_then(|slot| self.slots[slot as usize].as_mut()) else { return };
        self.held_bytes = self.held_bytes + u64::from(bytes) - u64::from(entry.bytes);
        entry.bytes = bytes;
    }

    /// The memory that the customers take, as told, bytes.
    #[must_use]
    pub fn held_bytes(&self) -> u64 {
        self.held_bytes
    }

    /// Takes customers that were not looked at lately out of memory until those left take at most `limit_bytes`. Their timers stay.
    ///
    /// Call it after [`Self::take_changed`]: customers changed since are kept.
    pub fn evict_idle(&mut self, limit_bytes: u64) {
        let mut looked_at = 0;
        while self.held_bytes > limit_bytes && looked_at < 2 * self.slots.len() {
            looked_at += 1;
            self.hand = (self.hand + 1) % self.slots.len();
            let Some(entry) = self.slots[self.hand].as_mut() else { continue };
            if entry.used || entry.changed {
                entry.used = false;
                continue;
            }
            self.index.remove(CustomerKey::of(&entry.customer.id));
            self.vacate(self.hand as u32);
            self.work.evicted += 1;
        }
    }

    /// Frees the slot of a customer that the index does not lead to any more.
    pub(super) fn vacate(&mut self, slot: u32) {
        if let Some(entry) = self.slots[slot as usize].take() {
            self.held_bytes -= u64::from(entry.bytes);
            self.free.push(slot);
        }
    }
}
