//! The pass of a backtest over a log, as measurements make it: four partitions, one rule set, nothing rendered.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use bellwether_backtest::error::ReplayError;
use bellwether_backtest::pass::{Pass, PassOptions, observe_files};
use bellwether_backtest::plan::Plan;
use bellwether_backtest::replay::{ReplayOptions, Sink};
use bellwether_codec::event::Decoder;
use bellwether_codec::intake::InputSpec;
use bellwether_codec::rendered::Rendered;

/// Passes over a log under a plan.
///
/// # Errors
///
/// When the log cannot be read.
pub fn observe(path: &Path, plan: &Plan, threads: usize) -> Result<Pass, ReplayError> {
    let inputs = ReplayOptions {
        inputs: vec![InputSpec::from(path)],
        decoder: Decoder::default(),
        rules: plan.rule_set.clone(),
        partitions: 4,
        ingest_clock: None,
        threads: NonZeroUsize::new(threads).unwrap_or(NonZeroUsize::MIN),
    };
    let stop = AtomicBool::new(false);
    let options = PassOptions {
        rule_sets: vec![plan.rule_set.clone()],
        hidden: plan.hidden.clone(),
        renders: false,
        features_every_ms: None,
        max_customers: usize::MAX,
        scratch: Path::new("."),
        until: None,
        stop: &stop,
    };
    observe_files(&inputs, &options, &mut Discard)
}

/// Takes outputs and lets go of them.
pub struct Discard;

impl Sink for Discard {
    fn append(&mut self, rendered: &Rendered) -> std::io::Result<()> {
        std::hint::black_box(rendered.signals.len());
        Ok(())
    }

    fn restart(&mut self) -> std::io::Result<()> {
        Ok(())
    }

    fn progress(&mut self, _bytes_read: u64, _bytes_total: u64, _lines: u64) {}
}
