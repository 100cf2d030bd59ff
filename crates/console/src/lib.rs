//! HTTP: metrics and probes on a plain listener; events, queries, administration and a page for people on a guarded one.
//!
//! Start with `guarded::routes`, the table of what there is. A request goes through `guard` (limits, host, token) to its handler: `events` takes in,
//! `customers`, `signals`, `timeline`, `kpis` and `partitions` read the committed states on a thread that may block, `admin` changes how the process
//! runs. `problem` is how all of them refuse, `redirect` how they send to another instance. [`settings`] is what the listener is told, `tokens` who may do what, `api` the OpenAPI document,
//! `page` the files of the page, `server` the listener itself, and `tls` what it proves itself with.
//!
//! # Invariants
//! - Readers see what is committed, whole commits at a time, and no loop waits for them.
//! - What a request may cost is bounded: its size, its time, the states and records that it looks at, and how many there are at once.
//! - No text of a request goes into a header of an answer, but for the path of a redirect, and no token into a log.

mod admin;
mod api;
mod board;
mod customers;
mod error;
mod events;
mod guard;
pub mod guarded;
mod kpis;
mod page;
mod partitions;
pub mod plain;
mod problem;
mod reading;
mod reads;
mod redirect;
mod server;
pub mod settings;
mod shared;
mod signals;
mod timeline;
mod tls;
mod tokens;

pub use error::ConsoleError;

/// The OpenAPI document of the guarded listener, as it is served at `/v1/openapi.json`.
///
/// # Panics
///
/// Never: it is plain data.
#[must_use]
pub fn openapi() -> serde_json::Value {
    serde_json::to_value(api::document()).expect("a document is plain data")
}
