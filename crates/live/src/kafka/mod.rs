//! The live product beside Kafka: input topics into the journal, the journal into signals.
//!
//! # Layout
//! - `process`: [`Processor`], a processing worker; its `fold` is prefetch, apply, publish, commit.
//! - `owned`: a partition at work. `open`: what must hold before it may be. `publish`, `dead_letters`: what goes out.
//! - `rule_sets`: the rules that the journal brings. `metadata`: what stands beside committed offsets.
//! - `patience`: waiting between tries. `error`: what nobody but an operator can mend.

mod dead_letters;
mod error;
mod metadata;
mod open;
mod options;
mod owned;
mod patience;
mod process;
mod publish;
mod rule_sets;

pub use dead_letters::header as dead_letter_header;
pub use error::JournalError;
pub use options::{ProcessOptions, Topics, Turn};
pub use process::Processor;
pub use rule_sets::RuleSets;
