//! Running the review of a customer: what time alone changes, and what new rules ask for.

use super::Work;
use crate::customer::Customer;
use crate::evaluate::{DAY, Evaluation, MIDNIGHT};
use crate::kpi;
use crate::rule_set::RuleSet;
use crate::signal::Output;
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

/// Runs the review of a customer that is due.
pub(super) fn review(customer: &mut Customer, rules: &RuleSet, frozen: u128, due: Time, outputs: &mut Vec<Output>, work: &mut Work) {
    let mut evaluation = Evaluation { rules, frozen, now: due, outputs, evaluated: 0, due: Time::NEVER };
    if customer.clock_due <= due {
        evaluation.everything(customer);
    } else {
        let last_day = customer.clock.day();
        let mut dirty = MIDNIGHT;
        if customer.week(last_day) == customer.week(due.day()) {
            dirty = DAY;
        }
        evaluation.changed(customer, dirty);
    }
    work.rules_evaluated += evaluation.evaluated;
    work.rules_possible += rules.rules.len() as u64;
    if customer.midnight_due <= due {
        let today = due.day();
        let quiet_until = || kpi::next_change(customer, today).map_or(Time::NEVER, |day| day.start());
        customer.midnight_due = if customer.is_quiet(today) { quiet_until() } else { today.next().start() };
    }
    assert!(customer.next_review() > due, "a review schedules the next one strictly later");
}
