//! Keeping the customers in memory to a number.

use super::Partition;
use crate::event::CustomerKey;

impl Partition {
    /// Takes customers that were not looked at lately out of memory until at most `limit` are left. Their timers stay.
    ///
    /// Call it after [`Self::take_changed`]: customers changed since are kept.
    pub fn evict_idle(&mut self, limit: usize) {
        let mut looked_at = 0;
        while self.resident() > limit && looked_at < 2 * self.slots.len() {
            looked_at += 1;
            self.hand = (self.hand + 1) % self.slots.len();
            let Some(entry) = self.slots[self.hand].as_mut() else { continue };
            if entry.used || entry.changed {
                entry.used = false;
                continue;
            }
            self.index.remove(CustomerKey::of(&entry.customer.id));
            self.slots[self.hand] = None;
            self.free.push(self.hand as u32);
            self.work.evicted += 1;
        }
    }
}
