//! The client of a real Kafka, against a real Kafka: what its interface promises, and what happens when things go wrong.

mod administration;
mod faults;
mod late;
mod reading;
mod rebalances;
mod security;
mod steps;
mod support;
mod transactions;
mod unanswered;
