//! The section `kafka` of the configuration: its fields with their defaults and meanings, and what is read from it.
//!
//! Start with [`KafkaSettings`] and [`read_kafka`]. `sources` has the topics that are read and how; `client` what is handed on to the
//! client library, secrets among it; `snapshots` where copies of states are kept; `topics` the rules for names of topics.

mod client;
mod kafka;
mod snapshots;
mod sources;
mod tables;
mod topics;

pub use client::{ClientFileError, ClientProperty, PropertyValue};
pub use kafka::{BreakerSettings, JournalSettings, KafkaSettings, OutputTopics, read_kafka};
pub use snapshots::SnapshotSettings;
pub use sources::{SourceSettings, UnknownTypes, UserLookupSettings};
pub use tables::KAFKA;
pub use topics::TopicPattern;
