//! A pass over event files, merged by time as a replay merges them.

use std::sync::atomic::Ordering;

use bellwether_codec::intake::InputSpec;
use bellwether_codec::rejection::RejectReason;
use bellwether_codec::run::Skipped;
use bellwether_engine::time::Time;

use super::lane::Lane;
use super::{Pass, PassOptions};
use crate::crew::{self, Folded};
use crate::error::ReplayError;
use crate::observe::{Observed, ObservedLog};
use crate::part::{Part, Poisoned, Shard};
use crate::replay::{ReplayOptions, Sink};
use crate::share::Shares;
use crate::told::Told;

/// Folds the inputs under each rule set of `options`; `inputs` says what to read and how. Its own rules are not looked at.
///
/// # Errors
///
/// When an input cannot be read, the sink cannot be written, or too many records cannot be folded.
pub fn observe_files(inputs: &ReplayOptions, options: &PassOptions<'_>, sink: &mut impl Sink) -> Result<Pass, ReplayError> {
    let reads_once = options.renders || inputs.inputs.contains(&InputSpec::StandardInput);
    let mut pass = Pass::default();
    let mut by_lane: Vec<Vec<Observed>> = options.rule_sets.iter().map(|_| Vec::new()).collect();
    let mut shares = Shares::new();
    while let Some(share) = shares.next() {
        pass.reads += 1;
        let max_customers = if reads_once || share.halves().is_none() { usize::MAX } else { options.max_customers };
        let room = max_customers / usize::from(inputs.partitions.max(1));
        let lanes = |skipped: &[Skipped]| (0..).zip(skipped).map(|(number, skipped)| Lanes::new(options, number, skipped, room)).collect();
        let folded = crew::fold(inputs, share, options.until.unwrap_or(Time::NEVER), lanes, sink, options.stop)?;
        let is_stopped = options.stop.load(Ordering::Relaxed);
        pass.log.is_partial |= is_stopped;
        // What was folded so far is all that there is when somebody stops it.
        if folded.is_full && !is_stopped && shares.halve(share) {
            continue;
        }
        // All that is told of a customer is whole, unless there is nothing else.
        if is_stopped && pass.lines > 0 {
            break;
        }
        pass.take(folded, &mut by_lane);
    }
    pass.observed = by_lane.into_iter().map(Observed::merge).collect();
    Ok(pass)
}

impl Pass {
    /// Takes what was seen of a share of the customers. Every share has the same lines.
    fn take(&mut self, folded: Folded<Lanes>, by_lane: &mut [Vec<Observed>]) {
        let Folded { shards, counted, .. } = folded;
        self.lines = counted.events;
        self.refused = counted.rejected.values().sum();
        self.broke_off = counted.rejected.contains_key(RejectReason::InputTruncated.code());
        for shard in shards {
            self.log = self.log.merge(shard.lanes.first().map_or(ObservedLog::default(), |lane| lane.log));
            for (lane, all) in shard.lanes.into_iter().zip(&mut *by_lane) {
                all.push(lane.finish());
            }
        }
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
