//! A seeded log in memory with Kafka's rules, for tests that stop the commit protocol after every single step.
//!
//! # Layout
//! - `cluster`: [`Cluster`], the handle that everything hangs on; its clock moves when a test moves it. `state`: what its lock guards.
//! - `log`: one partition. `topics`: topics by name, and which partition a key belongs to (`partitioner`).
//! - `transactions`: the coordinator. `markers`: how an accepted outcome reaches partitions and groups, one by one.
//! - `groups`: members, generations, who owns what (`assignment`), and `offsets`.
//! - `plan`: numbered steps, and what goes wrong at which. `client`: [`MemoryClient`]. `reading`: what it reads.
//!   `commit`: the messages of its transactions.
//! - `inspect`: what a test looks at.
//!
//! # Invariants
//! - Nothing here reads a clock or starts a thread: the same seed and the same calls give the same log.
//! - The lock is held for one effect at a time, and never while the hook of a pause runs.
//! - A call that waits on a real broker lets outstanding markers be written here; a poll with a timeout of zero waits for nothing.

mod assignment;
mod client;
mod cluster;
mod commit;
mod groups;
mod inspect;
mod log;
mod markers;
mod offsets;
mod partitioner;
mod plan;
mod reading;
mod state;
mod topics;
mod transactions;

pub use client::{ClientOptions, MemoryClient};
pub use cluster::Cluster;
pub use inspect::Ends;
pub use log::Record;
pub use plan::{Fault, Fired, Hook, Message, Plan};
pub use topics::TimestampType;
