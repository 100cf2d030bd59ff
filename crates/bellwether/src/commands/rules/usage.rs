//! How long customers were customers on a log, and which rules had anything to look at.

use bellwether_engine::customer::{Customer, Entry};
use bellwether_engine::partition::Partition;
use bellwether_engine::rule::Rule;
use bellwether_engine::time::{DAY_MS, Time};

/// The mean length of a month.
const MONTH_DAYS: f64 = 30.4375;

/// The time that all customers together were customers, in months.
pub fn customer_months(partitions: &[Partition]) -> f64 {
    let log_end = partitions.iter().map(|partition| partition.header.journal_time).max().unwrap_or(Time::MIN);
    let customers = partitions.iter().flat_map(Partition::customers);
    let days = customers.map(|customer| end_of(customer, log_end).since_ms(customer.since).max(0) as f64 / DAY_MS as f64);
    days.sum::<f64>() / MONTH_DAYS
}

/// When a customer stopped being one: when the last subscription ended, if none runs.
fn end_of(customer: &Customer, log_end: Time) -> Time {
    if customer.billing.active().next().is_some() {
        return log_end;
    }
    customer.billing.subscriptions.iter().filter_map(Entry::ended_at).max().unwrap_or(log_end)
}

/// Whether there is a customer of whom all the events came that a rule needs.
pub fn has_source(rule: &Rule, partitions: &[Partition]) -> bool {
    let mut customers = partitions.iter().flat_map(Partition::customers);
    rule.needs.is_empty() || customers.any(|customer| rule.needs.iter().all(|types| customer.seen.intersects(*types)))
}
