//! Tools for the tests of the whole: seeded event logs, folding them in every way that must not matter, and a real Kafka.

pub mod broker;
pub mod company;
pub mod contracts;
pub mod eventful;
pub mod feed;
pub mod folding;
pub mod former_fold;
pub mod journal_of_run;
pub mod machine;
pub mod node;
pub mod one_customer;
pub mod product;
pub mod proxy;
pub mod python;
pub mod raw_record;
pub mod recomputed;
pub mod sample_logs;
pub mod states;
pub mod world;
