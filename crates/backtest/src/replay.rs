//! Replay: the same intake and the same fold as the live product, with all states in memory and no store.

use std::sync::Arc;
use std::time::Instant;

use bellwether_codec::event::Decoder;
use bellwether_codec::intake::{DecodedLine, InputSpec, Intake, RawEpoch, SequencedLines, Sequencer, decode_lines};
use bellwether_codec::kpi_days::KpiDays;
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

    /// Appends daily records of KPIs, in the order of their days. Most want none.
    ///
    /// # Errors
    ///
    /// When they cannot be written.
    fn append_kpis(&mut self, _lines: &[u8]) -> std::io::Result<()> {
        Ok(())
    }

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

/// Lines that are decoded and folded together: few enough that their events are still in a core's cache when they are folded.
const PART_LINES: usize = 1_024;

enum Attempt {
    Finished(Box<Replayed>),
    Poisoned { partition: u16, offset: u64, progress: Progress },
}

/// Some lines of an epoch, decoded and sequenced.
struct Part<'a> {
    lines: Vec<DecodedLine<'a>>,
    sequenced: SequencedLines,
    /// The ticks at the end of the epoch, with its last lines.
    ticks: Vec<(u16, Time)>,
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
    let (mut days, mut lines) = (KpiDays::default(), Vec::new());
    while let Some(raw) = intake.next_epoch()? {
        let mut parts = (0..Part::count(&raw)).map(|number| Part::read(&raw, number, options, &mut sequencer));
        let mut current = parts.next();
        while let Some(part) = current {
            let mut next = None;
            // Shards are few and large, so they come first; the next part is decoded in small pieces on whatever core they leave free.
            rayon::scope_fifo(|scope| {
                shards.iter_mut().for_each(|shard| scope.spawn_fifo(|_| shard.fold(&part)));
                scope.spawn_fifo(|_| next = parts.next());
            });
            if let Some((partition, (offset, progress))) = shards.iter().find_map(|shard| Some((shard.number, shard.poisoned?))) {
                return Ok(Attempt::Poisoned { partition, offset, progress });
            }
            count(&mut summary, &part.sequenced);
            current = next;
        }
        summary.events += raw.lines.len() as u64;
        for shard in &mut shards {
            let mut rendered = std::mem::take(&mut shard.rendered);
            days.add(rendered.kpis.drain(..));
            summary.add_signals(&rendered.counts);
            sink.append(&rendered).map_err(ReplayError::Output)?;
        }
        days.write_ended(shards.iter().map(|shard| &shard.partition.header), &mut lines);
        sink.append_kpis(&lines).map_err(ReplayError::Output)?;
        lines.clear();
        sink.progress(intake.bytes_read(), intake.bytes_total(), summary.events);
    }
    summary.add_partitions(shards.iter().map(|shard| &shard.partition.header), &options.rules.settings.kpis);
    let partitions = shards.into_iter().map(|shard| shard.partition).collect();
    Ok(Attempt::Finished(Box::new(Replayed { summary, partitions })))
}

fn count(summary: &mut Summary, sequenced: &SequencedLines) {
    summary.journaled += sequenced.partitions.iter().map(|records| records.len() as u64).sum::<u64>();
    for (_, rejection) in &sequenced.rejected {
        *summary.rejected.entry(rejection.reason.code().to_owned()).or_default() += 1;
    }
}

impl<'a> Part<'a> {
    /// The parts of an epoch: one even if it has no lines, for its ticks.
    fn count(raw: &RawEpoch) -> usize {
        raw.lines.len().div_ceil(PART_LINES).max(1)
    }

    /// Decodes and sequences a part; parts are read in their order.
    fn read(raw: &'a RawEpoch, number: usize, options: &ReplayOptions, sequencer: &mut Sequencer) -> Self {
        let start = number * PART_LINES;
        let end = raw.lines.len().min(start + PART_LINES);
        let lines = decode_lines(raw, &raw.lines[start..end], &options.decoder, true);
        let sequenced = sequencer.sequence_lines(&lines, options.ingest_clock);
        let ticks = if end == raw.lines.len() { sequencer.end_epoch(raw.is_last) } else { Vec::new() };
        Self { lines, sequenced, ticks }
    }
}

impl Shard {
    fn new(number: u16, rules: &Arc<RuleSet>, skipped: Skipped) -> Self {
        let partition = Partition::new(rules.clone(), Header::default());
        Self { number, partition, offset: 0, skipped, outputs: Vec::new(), rendered: Rendered::default(), poisoned: None }
    }

    fn fold(&mut self, part: &Part<'_>) {
        let records = &part.sequenced.partitions[usize::from(self.number)];
        let tick = part.ticks.iter().find(|(partition, _)| *partition == self.number).map(|(_, time)| *time);
        let run = Run { first_offset: self.offset, offsets: None, lines: &part.lines, records, tick };
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
