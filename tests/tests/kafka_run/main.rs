//! The binary beside a real Kafka: what it publishes is the replay of its journal, whatever dies.

mod access;
mod erased;
mod fire;
mod fleet;
mod heard;
mod keeping;
mod measured;
mod membership;
mod mishaps;
mod others;
mod progress;
mod raw;
mod stopping;
mod stored_fold;
mod straight;
mod support;
mod traced;
mod upgrades;
mod wrong;
