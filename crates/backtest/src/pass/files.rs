//! A pass over event files, merged by time as a replay merges them.

use std::sync::atomic::Ordering;

use bellwether_codec::intake::{Intake, Sequencer};
use bellwether_codec::rejection::RejectReason;
use bellwether_codec::run::Skipped;
use bellwether_engine::time::Time;

use super::lane::{Lane, Poisoned};
use super::{Pass, PassOptions};
use crate::error::ReplayError;
use crate::observe::{Observed, ObservedLog};
use crate::replay::{MAX_POISONED, Part, ReplayOptions, Sink};

/// Folds the inputs under each rule set of `options`; `inputs` says what to read and how. Its own rules are not looked at.
///
/// # Errors
///
/// When an input cannot be read, the sink cannot be written, or too many records cannot be folded.
pub fn observe_files(inputs: &ReplayOptions, options: &PassOptions<'_>, sink: &mut impl Sink) -> Result<Pass, ReplayError> {
    let mut skipped = vec![Skipped::default(); usize::from(inputs.partitions)];
    loop {
        match attempt(inputs, options, sink, &skipped)? {
            Ok(pass) => return Ok(pass),
            Err((partition, (offset, progress))) => {
                tracing::error!(partition, offset, "folding panicked: starting again without the record, or without its review");
                let is_new = skipped[usize::from(partition)].add(offset, progress);
                if !is_new || skipped.iter().map(Skipped::len).sum::<usize>() > MAX_POISONED {
                    return Err(ReplayError::TooManyPoisoned { limit: MAX_POISONED });
                }
                sink.restart().map_err(ReplayError::Output)?;
            }
        }
    }
}

/// All lanes of one partition.
struct Shard {
    number: u16,
    offset: u64,
    lanes: Vec<Lane>,
    poisoned: Option<Poisoned>,
}

fn attempt(
    inputs: &ReplayOptions,
    options: &PassOptions<'_>,
    sink: &mut impl Sink,
    skipped: &[Skipped],
) -> Result<Result<Pass, (u16, Poisoned)>, ReplayError> {
    let mut intake = Intake::open(&inputs.inputs, None)?;
    let mut sequencer = Sequencer::new(inputs.partitions);
    let mut shards: Vec<Shard> = (0..).zip(skipped).map(|(number, skipped)| Shard::new(options, number, skipped)).collect();
    let mut pass = Pass::default();
    while !shards.iter().all(Shard::is_over)
        && let Some(raw) = intake.next_epoch_until(options.stop)?
    {
        let mut parts = (0..Part::count(&raw)).map(|number| Part::read(&raw, number, inputs, &mut sequencer));
        let mut current = parts.next();
        while let Some(part) = current {
            let mut next = None;
            // As in a replay: shards first, and the next part on whatever core they leave free.
            rayon::scope_fifo(|scope| {
                shards.iter_mut().for_each(|shard| scope.spawn_fifo(|_| shard.fold(&part)));
                scope.spawn_fifo(|_| next = parts.next());
            });
            if let Some(poisoned) = shards.iter().find_map(|shard| Some((shard.number, shard.poisoned?))) {
                return Ok(Err(poisoned));
            }
            let broke_off = |reason: &RejectReason| reason.code() == RejectReason::InputTruncated.code();
            pass.broke_off |= part.sequenced.rejected.iter().any(|(_, rejection)| broke_off(&rejection.reason));
            pass.refused += part.sequenced.rejected.len() as u64;
            current = next;
        }
        pass.lines += raw.lines.len() as u64;
        for rendered in shards.iter_mut().filter_map(|shard| shard.lanes[0].rendered.as_mut()) {
            sink.append(&std::mem::take(rendered)).map_err(ReplayError::Output)?;
        }
        sink.progress(intake.bytes_read(), intake.bytes_total(), pass.lines);
    }
    pass.log.is_partial = options.stop.load(Ordering::Relaxed);
    let end = sequencer.watermark().min(options.until.unwrap_or(Time::NEVER));
    for shard in &mut shards {
        if let Err(poisoned) = shard.end(end) {
            return Ok(Err((shard.number, poisoned)));
        }
    }
    for rendered in shards.iter_mut().filter_map(|shard| shard.lanes[0].rendered.as_mut()) {
        sink.append(&std::mem::take(rendered)).map_err(ReplayError::Output)?;
    }
    Ok(Ok(collect(pass, shards, options)))
}

fn collect(mut pass: Pass, shards: Vec<Shard>, options: &PassOptions<'_>) -> Pass {
    let mut by_lane: Vec<Vec<Observed>> = options.rule_sets.iter().map(|_| Vec::new()).collect();
    for shard in shards {
        pass.log = pass.log.merge(shard.lanes.first().map_or(ObservedLog::default(), |lane| lane.log));
        for (lane, all) in shard.lanes.into_iter().zip(&mut by_lane) {
            all.push(lane.finish());
        }
    }
    pass.observed = by_lane.into_iter().map(Observed::merge).collect();
    pass
}

impl Shard {
    fn new(options: &PassOptions<'_>, number: u16, skipped: &Skipped) -> Self {
        let lanes = (0..options.rule_sets.len()).map(|index| Lane::new(options, index, skipped.clone())).collect();
        Self { number, offset: 0, lanes, poisoned: None }
    }

    fn fold(&mut self, part: &Part<'_>) {
        let run = part.run(self.number, self.offset);
        self.poisoned = self.lanes.iter_mut().find_map(|lane| lane.fold(&run).err());
        self.offset += run.len() as u64;
    }

    /// Lets time pass to the end of the log, as the tick that closes a log does.
    fn end(&mut self, end: Time) -> Result<(), Poisoned> {
        if end == Time::MIN {
            return Ok(());
        }
        self.lanes.iter_mut().try_for_each(|lane| lane.pass_time(end, self.offset))
    }

    fn is_over(&self) -> bool {
        self.lanes.iter().all(|lane| lane.is_over)
    }
}
