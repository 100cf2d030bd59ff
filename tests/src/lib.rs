//! Tools for the tests of the whole: seeded event logs, and folding them in every way that must not matter.

pub mod company;
pub mod folding;
pub mod world;
