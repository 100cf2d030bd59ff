//! Which customers' published health a step changes.
//!
//! Nothing is kept about what was published: a step begins at a committed state, and that state says what was published last. So each step
//! compares the customers that it touches before and after.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bellwether_codec::health_record::{HealthRecord, digest};
use bellwether_codec::signal::BinaryOutput;
use bellwether_engine::customer::Customer;
use bellwether_engine::event::CustomerKey;
use bellwether_engine::rule_set::RuleSet;

/// The record that a customer's health comes to.
pub(crate) struct HealthUpdate {
    /// The customer id.
    pub customer: Box<str>,
    /// The record; none for a customer that was erased.
    pub record: Option<BinaryOutput>,
}

/// The changes of health in one step of a partition.
#[derive(Default)]
pub(crate) struct HealthChanges {
    is_active: bool,
    /// Digests of the customers that the step may touch, in the order of their keys.
    before: Vec<(CustomerKey, u64)>,
    updates: Vec<HealthUpdate>,
    scratch: Vec<u8>,
}

impl HealthChanges {
    /// Before a step; one whose health was published before is not looked at.
    pub fn begin(&mut self, is_published: bool) {
        self.is_active = !is_published;
        self.before.clear();
        self.updates.clear();
    }

    /// How a customer is before the step, under the rules in force until then. To be called in the order of keys.
    /// A customer that the step touches without this call is told in any case.
    pub fn before(&mut self, key: CustomerKey, customer: &Customer, rules: &RuleSet) {
        if self.is_active {
            self.before.push((key, digest(customer, rules, &mut self.scratch)));
        }
    }

    /// A customer was erased in the step.
    pub fn erased(&mut self, customer: &str) {
        if self.is_active {
            self.updates.push(HealthUpdate { customer: customer.into(), record: None });
        }
    }

    /// How a customer is after the step.
    pub fn after(&mut self, key: CustomerKey, customer: &Customer, rules: &RuleSet) {
        if !self.is_active {
            return;
        }
        let known = self.before.binary_search_by_key(&key, |(key, _)| *key);
        if known.is_ok_and(|index| self.before[index].1 == digest(customer, rules, &mut self.scratch)) {
            return;
        }
        // Of a customer whose review was left out because it panicked, this may panic just so. What was published then stays.
        let record = catch_unwind(AssertUnwindSafe(|| HealthRecord::of(customer, rules).to_binary())).ok();
        if record.is_some() {
            self.updates.push(HealthUpdate { customer: customer.id.clone(), record });
        }
    }

    /// Hands over what has changed, in the order of keys.
    pub fn take(&mut self) -> Vec<HealthUpdate> {
        std::mem::take(&mut self.updates)
    }
}
