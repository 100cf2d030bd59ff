//! The log in memory keeps Kafka's rules: topics, transactions, groups, faults, and all of them together at random.

mod copier;
mod faults;
mod groups;
mod random;
mod support;
mod sweep;
mod topics;
mod transactions;
