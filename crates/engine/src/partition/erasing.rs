//! Erasing a customer from a partition, and keeping out what is dated before.

use super::{Partition, Slot};
use crate::aggregates;
use crate::customer::Customer;
use crate::erasure::{Erased, ErasureKey};
use crate::evaluate;
use crate::event::{CustomerKey, Event};
use crate::review::review;
use crate::signal::{Expiry, Output};
use crate::time::Time;
use crate::trace_parent;

impl Partition {
    /// The same under the secret by which it remembers erased customers. Partitions of one journal have the same.
    #[must_use]
    pub fn with_erasure_key(self, key: ErasureKey) -> Self {
        Self { erasure_key: key, ..self }
    }

    /// Remembers an erasure of which only the hash is left in the journal.
    pub fn remember_erasure(&mut self, hash: u128, time: Time) {
        self.header.erasures.insert(hash, time);
    }

    /// The customers erased since the last call, for a commit that removes what the store has of them.
    pub fn take_erased(&mut self) -> Vec<Erased> {
        std::mem::take(&mut self.erased)
    }

    /// A customer of whom there is no state yet; `None` for a straggler from before its erasure.
    pub(super) fn admit(&mut self, event: &Event<'_>) -> Option<Customer> {
        let mut customer = Customer::new(&event.customer, event.time);
        if !self.header.erasures.is_empty() {
            customer.erased_at = self.header.erasures.get(self.erasure_key.hash(&event.customer));
        }
        if is_straggler(&customer, event) {
            self.header.aggregates.events += 1;
            self.header.aggregates.stragglers += 1;
            return None;
        }
        Some(customer)
    }

    /// Ends what is open about a customer, and forgets it: state, timer and contributions.
    pub(super) fn erase(&mut self, key: CustomerKey, event: &Event<'_>, outputs: &mut Vec<Output>) {
        self.header.aggregates.events += 1;
        if !self.header.erasures.insert(self.erasure_key.hash(&event.customer), event.time) {
            self.header.aggregates.stragglers += 1;
            return;
        }
        self.erased.push(Erased { key, customer: (&*event.customer).into() });
        let Some(slot) = self.index.get(key) else { return };
        let Some(Slot { customer, timer, .. }) = self.slots[slot as usize].as_mut() else { return };
        let now = self.header.journal_time.max(event.time).max(customer.clock);
        while customer.next_review() <= now {
            let due = customer.next_review();
            review(customer, &self.rules, self.frozen, due, outputs, &mut self.header.aggregates, &mut self.work);
        }
        let first = outputs.len();
        customer.episodes.iter().for_each(|episode| self.header.aggregates.outcomes.open.remove(episode));
        evaluate::expire(customer, &self.rules, None, now, outputs, Expiry::Erased, |_| true);
        trace_parent::carry(event, &mut outputs[first..]);
        aggregates::withdraw(customer, &mut self.header.aggregates);
        self.timers.set(key, *timer, Time::NEVER);
        self.index.remove(key);
        self.vacate(slot);
    }
}

/// Whether an event is from before the erasure of its customer.
pub(super) fn is_straggler(customer: &Customer, event: &Event<'_>) -> bool {
    customer.erased_at.is_some_and(|erased_at| event.time <= erased_at)
}
