//! A pass over event files, merged by time as a replay merges them.

use std::sync::atomic::Ordering;

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
use crate::told::Told;

/// Folds the inputs under each rule set of `options`; `inputs` says what to read and how. Its own rules are not looked at.
///
/// # Errors
///
/// When an input cannot be read, the sink cannot be written, or too many records cannot be folded.
pub fn observe_files(inputs: &ReplayOptions, options: &PassOptions<'_>, sink: &mut impl Sink) -> Result<Pass, ReplayError> {
    let shards = |skipped: &[Skipped]| (0..).zip(skipped).map(|(number, skipped)| Lanes::new(options, number, skipped)).collect();
    let Folded { shards, counted } = crew::fold(inputs, shards, sink, options.stop)?;
    let mut pass = Pass {
        lines: counted.events,
        refused: counted.rejected.values().sum(),
        broke_off: counted.rejected.contains_key(RejectReason::InputTruncated.code()),
        ..Pass::default()
    };
    pass.log.is_partial = options.stop.load(Ordering::Relaxed);
    Ok(collect(pass, shards, options))
}

/// All lanes of one partition.
struct Lanes {
    number: u16,
    offset: u64,
    lanes: Vec<Lane>,
    until: Time,
}

fn collect(mut pass: Pass, shards: Vec<Lanes>, options: &PassOptions<'_>) -> Pass {
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

impl Lanes {
    fn new(options: &PassOptions<'_>, number: u16, skipped: &Skipped) -> Self {
        let lanes = (0..options.rule_sets.len()).map(|index| Lane::new(options, index, skipped.clone())).collect();
        Self { number, offset: 0, lanes, until: options.until.unwrap_or(Time::NEVER) }
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
}
