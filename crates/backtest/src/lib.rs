//! Replays, backtests and rule tests: the engine over event logs, with states in memory.

mod crew;
mod erased;
pub mod error;
pub mod evaluate;
pub mod explain;
pub mod export;
pub mod fit;
pub mod gate;
pub mod html;
pub mod inspect;
pub mod journal;
pub mod merged;
pub mod months;
pub mod observe;
pub mod outcomes;
mod part;
pub mod pass;
pub mod plan;
pub mod replay;
pub mod report;
pub mod rule_tests;
mod share;
mod spill;
pub mod stories;
mod told;
pub mod trial;
