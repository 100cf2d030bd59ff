//! A pass over event files, merged by time as a replay merges them.

use std::sync::atomic::{AtomicBool, Ordering};

use bellwether_codec::intake::InputSpec;
use bellwether_codec::rejection::RejectReason;
use bellwether_codec::run::Skipped;
use bellwether_codec::summary::Summary;
use bellwether_engine::time::Time;

use super::lane::Lane;
use super::{Pass, PassOptions, observe_journal};
use crate::crew::{self, Folded};
use crate::error::ReplayError;
use crate::observe::{Observed, ObservedLog};
use crate::part::{Part, Poisoned, Shard};
use crate::replay::{ReplayOptions, Sink};
use crate::spill::Spill;
use crate::told::Told;

/// Folds the inputs under each rule set of `options`; `inputs` says what to read and how. Its own rules are not looked at.
///
/// # Errors
///
/// When an input cannot be read, the sink cannot be written, too many records cannot be folded, or the log cannot be spilled.
pub fn observe_files(inputs: &ReplayOptions, options: &PassOptions<'_>, sink: &mut impl Sink) -> Result<Pass, ReplayError> {
    let reads_once = options.renders || inputs.inputs.contains(&InputSpec::StandardInput);
    let room = if reads_once { usize::MAX } else { options.max_customers };
    match observe_at_once(inputs, options, room, sink)? {
        Some(pass) => Ok(pass),
        None => observe_spilled(inputs, options, sink),
    }
}

/// Folds all customers at once; nothing comes of it when there are more than there is room for.
fn observe_at_once(
    inputs: &ReplayOptions,
    options: &PassOptions<'_>,
    max_customers: usize,
    sink: &mut impl Sink,
) -> Result<Option<Pass>, ReplayError> {
    let room = max_customers / usize::from(inputs.partitions.max(1));
    let lanes = |skipped: &[Skipped]| (0..).zip(skipped).map(|(number, skipped)| Lanes::new(options, number, skipped, room)).collect();
    let folded = crew::fold(inputs, options.until.unwrap_or(Time::NEVER), lanes, sink, options.stop)?;
    let is_stopped = options.stop.load(Ordering::Relaxed);
    // What was folded so far is all that there is when somebody stops it.
    Ok((is_stopped || !folded.is_full).then(|| Pass::at_once(folded, options.rule_sets.len(), is_stopped)))
}

/// Spills the log, and folds part after part of it.
fn observe_spilled(inputs: &ReplayOptions, options: &PassOptions<'_>, sink: &mut impl Sink) -> Result<Pass, ReplayError> {
    let (mut spill, counted) = Spill::write(inputs, options, sink)?;
    let (is_stopped, go_on) = (options.stop.load(Ordering::Relaxed), AtomicBool::new(false));
    if is_stopped {
        // Some customers up to there are better than none: as many parts as are folded at the same time.
        spill.keep(rayon::current_num_threads());
    }
    let options = PassOptions {
        rule_sets: options.rule_sets.clone(),
        hidden: Vec::new(),
        stop: if is_stopped { &go_on } else { options.stop },
        ..*options
    };
    let mut pass = observe_journal(&spill, &inputs.decoder, &options, sink)?;
    pass.count(&counted);
    pass.log.is_partial |= is_stopped;
    pass.spilled_bytes = spill.bytes();
    Ok(pass)
}

impl Pass {
    /// What was seen of all customers at once.
    fn at_once(folded: Folded<Lanes>, rule_sets: usize, is_partial: bool) -> Self {
        let mut pass = Self { reads: 1, ..Self::default() };
        let mut by_lane: Vec<Vec<Observed>> = (0..rule_sets).map(|_| Vec::new()).collect();
        for shard in folded.shards {
            pass.log = pass.log.merge(shard.lanes.first().map_or(ObservedLog::default(), |lane| lane.log));
            shard.lanes.into_iter().zip(&mut by_lane).for_each(|(lane, all)| all.push(lane.finish()));
        }
        pass.count(&folded.counted);
        pass.log.is_partial = is_partial;
        pass.observed = by_lane.into_iter().map(Observed::merge).collect();
        pass
    }

    /// Takes the counts of the lines that were read.
    fn count(&mut self, counted: &Summary) {
        self.lines = counted.events;
        self.refused = counted.rejected.values().sum();
        self.broke_off = counted.rejected.contains_key(RejectReason::InputTruncated.code());
    }
}

/// All lanes of one partition.
struct Lanes {
    number: u16,
    offset: u64,
    lanes: Vec<Lane>,
    until: Time,
    /// Customers that there is room for, in all lanes together.
    room: usize,
}

impl Lanes {
    fn new(options: &PassOptions<'_>, number: u16, skipped: &Skipped, room: usize) -> Self {
        let lanes = (0..options.rule_sets.len()).map(|index| Lane::new(options, index, skipped.clone())).collect();
        Self { number, offset: 0, lanes, until: options.until.unwrap_or(Time::NEVER), room }
    }
}

impl Shard for Lanes {
    fn fold(&mut self, part: &Part) -> Result<(), Poisoned> {
        let run = part.run(self.number, self.offset);
        self.lanes.iter_mut().try_for_each(|lane| lane.fold(&run))?;
        self.offset += run.len() as u64;
        Ok(())
    }

    /// Lets time pass to the end of the log, as the tick that closes a log does.
    fn end(&mut self, watermark: Time) -> Result<(), Poisoned> {
        if watermark == Time::MIN {
            return Ok(());
        }
        let end = watermark.min(self.until);
        self.lanes.iter_mut().try_for_each(|lane| lane.pass_time(end, self.offset))
    }

    fn take(&mut self) -> Told {
        let rendered = self.lanes.first_mut().and_then(|lane| lane.rendered.as_mut()).map(std::mem::take);
        Told { rendered: rendered.unwrap_or_default(), day_end: Time::MIN }
    }

    fn is_over(&self) -> bool {
        self.lanes.iter().all(|lane| lane.is_over)
    }

    fn is_full(&self) -> bool {
        self.lanes.iter().map(Lane::customers).sum::<usize>() > self.room
    }
}
