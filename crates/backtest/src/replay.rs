//! Replay: the same intake and the same fold as the live product, with all states in memory and no store.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use bellwether_codec::event::Decoder;
use bellwether_codec::intake::{InputSpec, PartReader};
use bellwether_codec::rendered::Rendered;
use bellwether_codec::run::Skipped;
use bellwether_codec::summary::Summary;
use bellwether_engine::event::CustomerKey;
use bellwether_engine::partition::{Partition, Progress};
use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::time::Time;

use crate::crew::{Crew, Stopped};
use crate::error::ReplayError;
use crate::shard::Shard;

/// How to replay.
pub struct ReplayOptions {
    /// Inputs, merged by time.
    pub inputs: Vec<InputSpec>,
    /// How lines become events.
    pub decoder: Decoder,
    /// The rules.
    pub rules: Arc<RuleSet>,
    /// Journal partitions: 1 or more. They order the signals file; the signals themselves do not depend on them.
    pub partitions: u16,
    /// The real clock of the caller, against which events from the future are rejected.
    pub ingest_clock: Option<Time>,
    /// How many threads share the work.
    pub threads: NonZeroUsize,
}

/// As many threads as the process has processors.
#[must_use]
pub fn all_processors() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// What a replay leaves behind.
pub struct Replayed {
    /// Totals.
    pub summary: Summary,
    /// The partitions with all their customers.
    pub partitions: Vec<Partition>,
}

/// Takes rendered outputs and progress as the replay goes on.
pub trait Sink {
    /// Appends lines, in their final order.
    ///
    /// # Errors
    ///
    /// When they cannot be written.
    fn append(&mut self, rendered: &Rendered) -> std::io::Result<()>;

    /// Takes back everything: the replay starts again, without a record that could not be folded.
    ///
    /// # Errors
    ///
    /// When it cannot be taken back.
    fn restart(&mut self) -> std::io::Result<()>;

    /// Tells how far the input is read, in bytes, and how many bytes it has.
    fn progress(&mut self, bytes_read: u64, bytes_total: u64, lines: u64);
}

/// The most records that may be left out because folding them panicked, before a replay gives up.
pub const MAX_POISONED: usize = 16;

/// Folds the inputs from their start to their end.
///
/// # Errors
///
/// When an input cannot be read, the sink cannot be written, or too many records cannot be folded.
pub fn replay(options: &ReplayOptions, sink: &mut impl Sink) -> Result<Replayed, ReplayError> {
    let started = Instant::now();
    let mut skipped: Vec<Skipped> = vec![Skipped::default(); usize::from(options.partitions)];
    loop {
        match attempt(options, sink, &skipped)? {
            Attempt::Finished(mut replayed) => {
                replayed.summary.measure(started.elapsed());
                return Ok(*replayed);
            }
            Attempt::Poisoned { partition, offset, progress } => {
                tracing::error!(partition, offset, "folding panicked: replaying without the record, or without its review");
                let is_new = skipped[usize::from(partition)].add(offset, progress);
                if !is_new || skipped.iter().map(Skipped::len).sum::<usize>() > MAX_POISONED {
                    return Err(ReplayError::TooManyPoisoned { limit: MAX_POISONED });
                }
                sink.restart().map_err(ReplayError::Output)?;
            }
        }
    }
}

/// Lines that are read, decoded and folded together: few enough that their events are still in a core's cache when they are folded.
const PART_LINES: usize = 1_024;

enum Attempt {
    Finished(Box<Replayed>),
    Poisoned { partition: u16, offset: u64, progress: Progress },
}

fn attempt(options: &ReplayOptions, sink: &mut impl Sink, skipped: &[Skipped]) -> Result<Attempt, ReplayError> {
    let reader = PartReader::open(&options.inputs, PART_LINES)?;
    let progress = reader.progress();
    let shards = (0..).zip(skipped).map(|(number, skipped)| Shard::new(number, &options.rules, skipped.clone())).collect();
    let crew = Crew::new(options, reader, shards);
    let mut signals = Summary::default();
    thread::scope(|scope| {
        (0..options.threads.get()).for_each(|thread| {
            drop(scope.spawn({
                let crew = &crew;
                move || crew.work(thread)
            }))
        });
        while let Some(epoch) = crew.next_epoch() {
            for rendered in &epoch.rendered {
                signals.add_signals(&rendered.counts);
                sink.append(rendered).inspect_err(|_| crew.stop())?;
            }
            sink.progress(progress.bytes_read(), progress.bytes_total(), epoch.lines);
        }
        Ok::<_, std::io::Error>(())
    })
    .map_err(ReplayError::Output)?;
    let (shards, mut summary) = match crew.into_result() {
        Ok(result) => result,
        Err(Stopped::Intake(error)) => return Err(error.into()),
        Err(Stopped::Poisoned { partition, offset, progress }) => return Ok(Attempt::Poisoned { partition, offset, progress }),
    };
    summary.signals = signals.signals;
    shards.iter().for_each(|shard| summary.add_aggregates(&shard.partition.header.aggregates));
    let partitions = shards.into_iter().map(|shard| shard.partition).collect();
    Ok(Attempt::Finished(Box::new(Replayed { summary, partitions })))
}

/// The customer of a replay, wherever it is.
#[must_use]
pub fn find_customer<'a>(partitions: &'a [Partition], customer: &str) -> Option<&'a bellwether_engine::customer::Customer> {
    partitions.iter().find_map(|partition| partition.get(CustomerKey::of(customer)))
}
