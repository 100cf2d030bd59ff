//! The binary beside a real Kafka: what it publishes is the replay of its journal, whatever dies.

mod fire;
mod fleet;
mod keeping;
mod mishaps;
mod others;
mod raw;
mod straight;
mod support;
mod upgrades;
mod wrong;
