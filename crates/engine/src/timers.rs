//! When each customer is reviewed next, in order.

use std::collections::BTreeSet;

use crate::event::CustomerKey;
use crate::time::Time;

/// Every customer with a review to come, resident or not, in the order (time, customer).
#[derive(Debug, Default)]
pub(crate) struct Timers {
    all: BTreeSet<(Time, CustomerKey)>,
    /// The first of them, kept because every event asks whether it is due.
    first: Option<(Time, CustomerKey)>,
}

impl Timers {
    /// The first review to come.
    pub fn first(&self) -> Option<(Time, CustomerKey)> {
        self.first
    }

    /// Moves a customer's review from one time to another; from or to never, there is none.
    pub fn set(&mut self, key: CustomerKey, from: Time, to: Time) {
        if from != Time::NEVER {
            self.all.remove(&(from, key));
        }
        if to != Time::NEVER {
            self.all.insert((to, key));
        }
        self.first = self.all.first().copied();
    }

    /// Whether a customer has a review at this time.
    pub fn has(&self, key: CustomerKey, due: Time) -> bool {
        self.all.contains(&(due, key))
    }

    /// The customers due at or before a time, in order.
    pub fn due(&self, until: Time) -> impl Iterator<Item = CustomerKey> {
        self.all.range(..=(until, CustomerKey(u128::MAX))).map(|(_, key)| *key)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }
}
