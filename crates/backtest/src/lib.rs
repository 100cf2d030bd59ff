//! Replays and rule tests: the engine over event logs, with states in memory.

mod crew;
pub mod error;
pub mod journal;
pub mod replay;
pub mod rule_tests;
mod shard;
pub mod stories;
pub mod trial;
