//! The live product beside Kafka: input topics into the journal, the journal into signals.
//!
//! # Layout
//! - `run`: [`run()`], which starts the workers. `check`: what must hold before. `connect`: their clients. `control`: making a journal, and publishing rules.
//! - `ingest`: [`Ingest`], an ingest worker. `sources`: its topics. `starts`: where it goes on in them. `take_in`: a batch of it. `breaker`: what stops a flood of bad records.
//!   `watermark`, `ticks`: how time passes. `drift`, `waiting`: inputs that are ahead wait for those behind. `arrivals`, `silences`: whose silence is a source's and no customer's.
//! - `process`: [`Processor`], a processing worker; its `fold` is prefetch, apply, publish, commit. Below it
//!   `opening`, partitions that come, and `mishaps`, a full disk and damage.
//! - `owned`: a partition at work. `open`: what must hold before it may be. `publish`, `dead_letters`: what goes out.
//! - `safekeeping`: what the workers share about stored states. `copying`: taking snapshots. `restoring`: starting from one. `erasures`: who is left out then. `quarantine`: damage.
//! - `letters`: dead letters read back, and put back. `import`: history into a journal before its first day. `learn`: whose users there are.
//! - `posted`: events that came over HTTP, on their way to an input topic. `latest`: the end of the journal, for who looks at a customer.
//! - `rule_sets`: the rules that the journal brings. `metadata`: what stands beside committed offsets. `owners`: whose partitions are whose, from there.
//! - `lag`: what is told to the metrics. `patience`: waiting between tries. `holding`: what is not read while somebody has paused a worker. `error`: what nobody but an operator can mend.

mod arrivals;
mod breaker;
mod check;
mod connect;
mod control;
mod copying;
mod dead_letters;
mod drift;
mod erasures;
mod error;
mod holding;
mod import;
mod ingest;
mod lag;
mod latest;
mod learn;
mod letters;
mod metadata;
mod open;
mod options;
mod owned;
mod owners;
mod patience;
mod posted;
mod process;
mod publish;
mod quarantine;
mod restoring;
mod rule_sets;
mod run;
mod safekeeping;
mod silences;
mod sources;
mod starts;
mod take_in;
mod ticks;
mod waiting;
mod watermark;

pub use arrivals::{Arrivals, SilentAfter, families as arrival_families, is_silent};
pub use breaker::BreakerLimits;
pub use check::key_id;
pub use connect::Connect;
pub use control::{create_journal, publish_erasure, publish_rules, read_created, rules_in_force};
pub use copying::Copier;
pub use dead_letters::header as dead_letter_header;
pub use erasures::ErasureReader;
pub use error::JournalError;
pub use import::{ImportOptions, Imported, import};
pub use ingest::Ingest;
pub use latest::JournalTopic;
pub use letters::{
    Letter, LetterFilter, PutBack, partitions as letter_partitions, put_back as put_back_letters, to_put_back as letters_to_put_back,
};
pub use options::{Clock, IngestOptions, ProcessOptions, Topics, Turn, WriteBehind};
pub use owners::Owner;
pub use posted::{Intake, MAX_POSTED_EVENT_BYTES};
pub use process::{Processor, journal_record};
pub use quarantine::{MAX_DAMAGED_STORES, MAX_DROPS};
pub use rule_sets::{RuleSets, keep_rule_texts, rule_texts};
pub use run::{Role, RunOptions, run};
pub use safekeeping::{MAX_RECORDS_BEHIND, Replacing, Safekeeping, Snapshots};
pub use sources::{Source, Sources};
