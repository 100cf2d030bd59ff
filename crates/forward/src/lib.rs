//! Forwards signals to webhooks: signed, retried, at least once, and never silently dropped.
//!
//! A route is a reader of its own: it has its own position, its own queue and its own dead letters, so that one receiver that is down holds up
//! nobody else. Read [`run()`] first, then `route`, the loop of a route of signals, and `digest_route`, that of a daily digest.
//!
//! # Layout
//! - `config`: what the section `forward` says.
//! - `source`: signals read from a file that grows, or from a topic. `notice`: one of them. `tracker`: up to where all are settled.
//! - `lanes`: threads that deliver, each customer's signals in their order. `webhook`: one attempt. `backoff`: how long to wait before the next.
//! - `signature`: Standard Webhooks. `letters`: dead letters. `metrics`: what happened.
//! - `open`: the signals that are open. `digest`: the message made of them. `calendar`: when a digest is due. `log_reader`: the whole log, read on.
//! - [`contract`]: what receivers and operators read, as schemas.
//! - `storage`: small files that are replaced whole.

mod backoff;
mod calendar;
pub mod config;
pub mod contract;
mod digest;
mod digest_route;
mod error;
mod lanes;
mod letters;
mod log_reader;
pub mod metrics;
mod notice;
mod open;
mod route;
mod run;
pub mod signature;
mod source;
mod storage;
mod tracker;
mod webhook;

pub use error::ForwardError;
pub use run::{Counts, ForwardOptions, Origin, run};
