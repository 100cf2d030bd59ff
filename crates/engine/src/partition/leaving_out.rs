//! Reviews that are left out because they panicked.

use std::collections::BTreeSet;

use super::Partition;
use crate::event::CustomerKey;
use crate::time::Time;

impl Partition {
    /// Leaves these reviews out, each told by its due time and customer. The customer then has none until its next event.
    pub fn leave_out(&mut self, reviews: &BTreeSet<(Time, CustomerKey)>) {
        if self.left_out != *reviews {
            self.left_out.clone_from(reviews);
        }
    }

    /// Takes the timer of a customer whose review is left out.
    pub(super) fn quarantine(&mut self, slot: u32, key: CustomerKey) {
        self.header.aggregates.poisoned += 1;
        self.set_timer(slot, key, Time::NEVER);
        if let Some(entry) = self.slots[slot as usize].as_mut().filter(|entry| !entry.changed) {
            entry.changed = true;
            self.touched.push(key);
        }
    }
}
