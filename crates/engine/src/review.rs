//! The review of a customer: the passing of time alone, as of the instant at which it may change something.

use crate::aggregates::Aggregates;
use crate::customer::Customer;
use crate::episode::Phase;
use crate::evaluate::{DAY, Evaluation, MIDNIGHT};
use crate::kpi;
use crate::partition::Work;
use crate::rule_set::RuleSet;
use crate::signal::Output;
use crate::time::Time;
use crate::view::begins_baseline;

/// Runs the review of a customer that is due.
pub(crate) fn review(
    customer: &mut Customer,
    rules: &RuleSet,
    frozen: u128,
    due: Time,
    outputs: &mut Vec<Output>,
    aggregates: &mut Aggregates,
    work: &mut Work,
) {
    rules.settings.poison.take_review(customer, due);
    let mut evaluation = Evaluation::new(rules, frozen, due, outputs, &mut aggregates.outcomes);
    if customer.clock_due <= due {
        evaluation.everything(customer);
    } else {
        let last_day = customer.clock.day();
        let is_week_over = customer.week(last_day) != customer.week(due.day()) || begins_baseline(customer, due.day());
        evaluation.changed(customer, if is_week_over { MIDNIGHT } else { DAY });
    }
    work.rules_evaluated += evaluation.evaluated;
    work.rules_possible += rules.rules.len() as u64;
    aggregates.limited += u64::from(evaluation.limited);
    // What holds an episode back may end at a midnight at which nothing of the customer's own changes, as a holiday does.
    let is_awaited = rules.reads_holidays || customer.episodes.iter().any(|episode| episode.phase == Phase::Held);
    if customer.midnight_due <= due || is_awaited {
        let today = due.day();
        let quiet_until = || kpi::next_change(customer, today).map_or(Time::NEVER, |day| day.start());
        customer.midnight_due = if customer.is_quiet(today) && !is_awaited { quiet_until() } else { today.next().start() };
    }
    assert!(customer.next_review() > due, "a review schedules the next one strictly later");
}
