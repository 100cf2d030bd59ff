//! The embedded product: one process, its journal and states in RocksDB, its signals in a file.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use bellwether_codec::intake::{DecodedEpoch, InputSpec, Intake, Progress};
use bellwether_codec::summary::Summary;

use crate::arrivals::Arrivals;
use crate::error::LiveError;
use crate::metrics::Metrics;
use crate::options::EmbeddedOptions;
use crate::session::Session;

/// How a run stands, after each commit.
pub struct Status<'a> {
    /// How far the inputs are read.
    pub intake: &'a Progress,
    /// Input lines since the journal was created.
    pub events: u64,
    /// States taken out of memory since the start, to be loaded again when they are needed.
    pub evicted: u64,
}

/// Runs until the inputs are exhausted, or until `stop` is set; then what was taken in is committed.
///
/// The same command after any kind of end goes on where the last commit was, and the signals file ends up the same.
///
/// # Errors
///
/// When an input, the data directory or an output file fails; everything committed stays.
pub fn run(
    options: EmbeddedOptions,
    metrics: Arc<Metrics>,
    stop: &AtomicBool,
    observe: impl FnMut(&Status<'_>),
) -> Result<Summary, LiveError> {
    run_then(options, metrics, stop, observe, AfterFiles::End)
}

/// What a run does when its inputs are exhausted.
pub enum AfterFiles {
    /// It ends.
    End,
    /// It stays until it is stopped, so that what is committed can be read; time stands still.
    Stay,
    /// It takes in what arrives until it is stopped, and time passes.
    Serve(Arrivals),
}

/// The same as [`run`], and then what is asked for.
///
/// # Errors
///
/// As [`run`].
pub fn run_then(
    options: EmbeddedOptions,
    metrics: Arc<Metrics>,
    stop: &AtomicBool,
    observe: impl FnMut(&Status<'_>),
    after_files: AfterFiles,
) -> Result<Summary, LiveError> {
    let readers = metrics.clone();
    let ended = Session::open(options, metrics).and_then(|session| run_session(session, stop, observe, after_files));
    // However it ends, nobody may go on reading a store that is closed.
    readers.readers.closed();
    ended
}

fn run_session(
    mut session: Session,
    stop: &AtomicBool,
    mut observe: impl FnMut(&Status<'_>),
    after_files: AfterFiles,
) -> Result<Summary, LiveError> {
    let started = Instant::now();
    session.finish_pending()?;
    session.adopt_rules()?;
    let mut intake = Intake::open(&session.options.inputs, Some(session.resume()), session.options.ingest_clock)?;
    for renamed in intake.renamed() {
        tracing::warn!(
            from = renamed.from,
            to = renamed.to,
            "an input has another name than when it was read before: it goes on where it was"
        );
    }
    let intake_progress = intake.progress();
    let decoder = session.options.decoder.clone();
    let decode = |raw| DecodedEpoch::decode(raw, &decoder, true);
    let mut sequencer = session.state.sequencer.clone();
    // Standard input cannot be read again: what has arrived of it when the stop comes is taken in.
    let drains = session.options.inputs.contains(&InputSpec::StandardInput);
    let mut current = intake.next_epoch_until(stop)?.map(decode);
    while let Some(epoch) = current.filter(|_| drains || !stop.load(Ordering::Relaxed)) {
        session.wait_while_paused(stop);
        let closing = session.options.once && epoch.raw().is_last;
        let sequenced = sequencer.sequence(&epoch, (session.options.ingest_clock)(), closing);
        // The next epoch is decoded while this one is prefetched, applied, published and committed.
        let (next, done) =
            rayon::join(|| intake.next_epoch_until(stop).map(|raw| raw.map(decode)), || session.take_epoch(&epoch, &sequenced, &sequencer));
        done?;
        observe(&Status { intake: &intake_progress, events: session.state.totals.events, evicted: session.evicted() });
        current = next?;
    }
    match after_files {
        AfterFiles::End => {}
        AfterFiles::Stay => session.stay(stop),
        AfterFiles::Serve(arrivals) => session.serve(&arrivals, stop)?,
    }
    let mut summary = session.summary();
    summary.measure(started.elapsed());
    Ok(summary)
}
