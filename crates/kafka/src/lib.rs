//! Kafka at arm's length: batches of bytes in, transactions of bytes out, and rebalances as values. It knows no customer and no rule.
//!
//! # Layout
//! - `client`: [`Client`], all that a worker asks of Kafka; every call belongs to one thread.
//! - `batch`: what was read. `transaction`: what is to be written, with the offsets that count together with it.
//! - `broker`: the client of a real Kafka, and plain readers. `admin`: topics. `memory`: a seeded log in memory with Kafka's rules, for tests of the protocol.
//! - `statistics`: how the client library is doing. `error`: what can go wrong, and what to do then.
//!
//! # Invariants
//! - No transaction is open between two calls: [`Client::commit`] begins and ends it.
//! - A rebalance takes effect only when the worker has been told, and has answered.
//! - After [`CommitError::Lost`] the client is rebuilt before anything else is asked of it.

mod admin;
mod batch;
mod broker;
mod client;
mod error;
pub mod memory;
mod statistics;
mod transaction;

pub use admin::{Admin, AdminError, TopicDescription, TopicSettings};
pub use batch::{Batch, Received, TopicPartition};
pub use broker::{BrokerClient, BrokerOptions, ConnectionOptions, Follower, MAX_RECORD_BYTES, Place, RESERVED_PROPERTIES, Reader};
pub use client::{Client, CommittedOffset, Polled};
pub use error::{CommitError, KafkaError, Remedy};
pub use statistics::ClientStatistics;
pub use transaction::{Outgoing, Transaction};
