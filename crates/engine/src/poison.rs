//! What panics, for tests of what happens then.

use std::sync::Arc;

use crate::customer::Customer;
use crate::time::Time;

/// What panics under a rule set. No rule file can set it.
#[derive(Clone, Debug, Default)]
pub struct Poison {
    /// The event of this identity.
    pub event: Option<u64>,
    /// Reviews of this customer at this time or later, also those that a new rule set asks for.
    pub review: Option<(Arc<str>, Time)>,
    /// Bringing the sums up to this customer when it is evaluated at this time or later.
    pub contribution: Option<(Arc<str>, Time)>,
    /// Telling that episodes of this customer ended because their rule is gone.
    pub expiry: Option<Arc<str>>,
    /// The end of the UTC day that ends at this time.
    pub day_end: Option<Time>,
}

impl Poison {
    pub(crate) fn take_event(&self, identity: u64) {
        assert!(self.event != Some(identity), "the event that a test has poisoned");
    }

    pub(crate) fn take_review(&self, customer: &Customer, now: Time) {
        assert!(!is_of(self.review.as_ref(), customer, now), "the review that a test has poisoned");
    }

    pub(crate) fn take_contribution(&self, customer: &Customer) {
        assert!(!is_of(self.contribution.as_ref(), customer, customer.clock), "the contribution that a test has poisoned");
    }

    pub(crate) fn take_expiry(&self, customer: &Customer) {
        assert!(self.expiry.as_deref() != Some(&customer.id), "the end of episodes that a test has poisoned");
    }

    pub(crate) fn take_day_end(&self, end: Time) {
        assert!(self.day_end != Some(end), "the day that a test has poisoned");
    }
}

fn is_of(poison: Option<&(Arc<str>, Time)>, customer: &Customer, now: Time) -> bool {
    poison.is_some_and(|(id, from)| **id == *customer.id && *from <= now)
}
