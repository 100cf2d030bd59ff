//! The store: one RocksDB that keeps bytes per partition and moves each partition's position together with them.
//!
//! It knows no customer, no rule and no format but its own: callers hand over encoded states, headers and journal blocks.
//!
//! # Layout
//! - `store`: [`Store`], what can be read, and the one way to write.
//! - `commit`: [`Commit`], the write batch in the making, and [`Durability`].
//! - `position`: [`Position`], how far a partition was applied.
//! - `scan`: the iterators over ordered ranges.
//! - `partition_file`: a partition as one file, written, checked and brought back.
//! - `keys`, `values`: every byte the store itself decides, pinned by `tests/golden`.
//! - `open`: the checks between a directory and a [`Store`].
//! - `options`, `metrics`: tuning from one number, and what to watch.
//! - `error`, `classify`: what can go wrong, and how RocksDB's texts become that.
//!
//! # Invariants
//! - A partition's header and everything that was folded up to its position change in one write batch, or not at all.
//! - A commit is refused unless it starts where its partition stands, so nothing is applied twice or skipped.
//! - A partition is replaced from a file, or dropped, in one step: after a crash it is the old one or the new one, never a mixture.
//! - What is read back after a crash is a prefix of the commits; every `Synced` commit that returned is in it.
//! - Absent on purpose: column families, merge operators, prefix extractors, a storage trait, any clock.

mod classify;
mod commit;
mod error;
mod keys;
mod metrics;
mod open;
mod options;
mod partition_file;
mod position;
mod scan;
mod store;
mod values;

pub use commit::{Commit, Durability};
pub use error::StoreError;
pub use keys::MAX_PARTITION;
pub use metrics::StoreMetrics;
pub use options::StoreOptions;
pub use partition_file::{PartitionContents, PartitionFile};
pub use position::Position;
pub use scan::Scan;
pub use store::{StateBytes, Store};
pub use values::{FORMAT_VERSION, PartitionHeader};
