//! The live product: the loop that takes events in, folds them, publishes signals and commits, exactly once.
//!
//! Read [`embedded::run`] first: prefetch, apply, publish, commit. Then `worker` (one journal partition),
//! `journal` (the bytes of journal blocks; [`journal_directory`] reads them), `process_state` (what a commit remembers beside the partitions),
//! `opening_store` (waiting for whoever has it), `output` (files that are cut back to their committed length), `outbox` (what waits for its turn
//! there), `health_changes` (whose published health a step changes) and `metrics`.
//! [`erasing`] removes a customer; `erased_lines` does it in files that others read. [`snapshot`] keeps copies of partitions elsewhere.
//! [`rewriting`] writes a journal anew; `rebuilding` makes states of an older fold anew, which `older_fold` finds. [`readers`] is what others may see
//! of the committed states; [`arrivals`] brings events of a listener to the loop, and `serving` takes them in. [`kafka`] is the same beside a broker;
//! `config` is what it is told.

pub mod arrivals;
mod client_metrics;
pub mod config;
pub mod currency_labels;
pub mod embedded;
mod erased_lines;
pub mod erasing;
pub mod error;
#[cfg(test)]
mod golden;
mod health_changes;
pub mod http_metrics;
mod journal;
pub mod journal_directory;
mod journey_metrics;
pub mod kafka;
mod kpi_metrics;
mod lag_metrics;
pub mod metrics;
pub mod metrics_page;
mod older_fold;
mod open_episode_metrics;
mod opening_store;
pub mod options;
mod outbox;
mod outcome_metrics;
mod output;
mod output_files;
pub mod pipeline;
mod process_state;
pub mod readers;
mod rebuilding;
pub mod registry;
mod response_metrics;
mod restore_progress;
pub mod rewriting;
mod rules_change;
mod serving;
mod session;
mod set_histograms;
mod signal_metrics;
mod silence_metrics;
pub mod snapshot;
pub mod state_event;
mod store_metrics;
mod worker;
