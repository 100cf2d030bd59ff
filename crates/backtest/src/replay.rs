//! Replay: the same intake and the same fold as the live product, with all states in memory and no store.

use std::sync::Arc;
use std::time::Instant;

use bellwether_codec::event::Decoder;
use bellwether_codec::intake::{DecodedEpoch, InputSpec, Intake, SequencedEpoch, Sequencer};
use bellwether_codec::rendered::Rendered;
use bellwether_codec::run::{Budget, Run, Skipped};
use bellwether_codec::summary::Summary;
use bellwether_engine::event::CustomerKey;
use bellwether_engine::partition::{Header, Partition, Progress};
use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::signal::Output;
use bellwether_engine::time::Time;

use crate::error::ReplayError;

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

enum Attempt {
    Finished(Box<Replayed>),
    Poisoned { partition: u16, offset: u64, progress: Progress },
}

/// One partition with what it has put out in the present epoch.
struct Shard {
    number: u16,
    partition: Partition,
    offset: u64,
    skipped: Skipped,
    outputs: Vec<Output>,
    rendered: Rendered,
    poisoned: Option<(u64, Progress)>,
}

fn attempt(options: &ReplayOptions, sink: &mut impl Sink, skipped: &[Skipped]) -> Result<Attempt, ReplayError> {
    let mut intake = Intake::open(&options.inputs, None)?;
    let mut sequencer = Sequencer::new(options.partitions);
    let mut shards: Vec<Shard> = (0..).zip(skipped).map(|(number, skipped)| Shard::new(number, &options.rules, skipped.clone())).collect();
    let mut summary = Summary::default();
    let mut decode = |raw| {
        let epoch = DecodedEpoch::decode(raw, &options.decoder, true);
        let sequenced = sequencer.sequence(&epoch, options.ingest_clock, epoch.raw().is_last);
        (epoch, sequenced)
    };
    let mut current = intake.next_epoch()?.map(&mut decode);
    while let Some((epoch, sequenced)) = current {
        let raw = intake.next_epoch()?;
        let mut next = None;
        // Shards are few and large, so they come first; the next epoch is decoded in small pieces on whatever core they leave free.
        rayon::scope_fifo(|scope| {
            for shard in &mut shards {
                scope.spawn_fifo(|_| shard.fold(&epoch, &sequenced));
            }
            scope.spawn_fifo(|_| next = raw.map(&mut decode));
        });
        if let Some((partition, (offset, progress))) = shards.iter().find_map(|shard| Some((shard.number, shard.poisoned?))) {
            return Ok(Attempt::Poisoned { partition, offset, progress });
        }
        count(&mut summary, &epoch, &sequenced);
        for shard in &mut shards {
            let rendered = std::mem::take(&mut shard.rendered);
            summary.add_signals(&rendered.counts);
            sink.append(&rendered).map_err(ReplayError::Output)?;
        }
        sink.progress(intake.bytes_read(), intake.bytes_total(), summary.events);
        current = next;
    }
    shards.iter().for_each(|shard| summary.add_aggregates(&shard.partition.header.aggregates));
    let partitions = shards.into_iter().map(|shard| shard.partition).collect();
    Ok(Attempt::Finished(Box::new(Replayed { summary, partitions })))
}

fn count(summary: &mut Summary, epoch: &DecodedEpoch, sequenced: &SequencedEpoch) {
    summary.events += epoch.lines().len() as u64;
    summary.journaled += sequenced.partitions.iter().map(|records| records.len() as u64).sum::<u64>();
    for (_, rejection) in &sequenced.rejected {
        *summary.rejected.entry(rejection.reason.code().to_owned()).or_default() += 1;
    }
}

impl Shard {
    fn new(number: u16, rules: &Arc<RuleSet>, skipped: Skipped) -> Self {
        let partition = Partition::new(rules.clone(), Header::default());
        Self { number, partition, offset: 0, skipped, outputs: Vec::new(), rendered: Rendered::default(), poisoned: None }
    }

    fn fold(&mut self, epoch: &DecodedEpoch, sequenced: &SequencedEpoch) {
        let number = usize::from(self.number);
        let tick = sequenced.ticks.iter().find(|(partition, _)| *partition == self.number).map(|(_, time)| *time);
        let run = Run { first_offset: self.offset, offsets: None, lines: epoch.lines(), records: &sequenced.partitions[number], tick };
        let mut budget = Budget::UNLIMITED;
        let (end, progress) = run.fold(0, &mut self.partition, &mut budget, &self.skipped, &mut self.outputs);
        if progress != Progress::Done {
            self.poisoned = Some((self.offset + end as u64, progress));
        }
        self.offset += run.len() as u64;
        self.rendered.take(&mut self.outputs);
    }
}

/// The customer of a replay, wherever it is.
#[must_use]
pub fn find_customer<'a>(partitions: &'a [Partition], customer: &str) -> Option<&'a bellwether_engine::customer::Customer> {
    partitions.iter().find_map(|partition| partition.get(CustomerKey::of(customer)))
}
