//! What a new rule set asks of a customer before its review.

use crate::customer::Customer;
use crate::rule_set::RuleSet;
use crate::time::Time;

/// Brings what the customer's state knows for own features in line with those of the rule set in force.
pub(super) fn adopt_own(customer: &mut Customer, rules: &RuleSet, now: Time) {
    let own = &rules.settings.own;
    if own.is_empty() {
        customer.own = None;
    } else {
        customer.own.get_or_insert_default().adopt(own, now.day());
    }
}
