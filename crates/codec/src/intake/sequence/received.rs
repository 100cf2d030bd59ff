//! Events that arrive one by one, as over HTTP: their arrival is the receipt, so the watermark is the clock and not their own time.

use bellwether_engine::time::Time;

use super::{MAX_AHEAD_OF_CLOCK_MS, SequencedEpoch, Sequencer};
use crate::intake::DecodedEpoch;
use crate::rejection::{RejectReason, Rejection};
use crate::timestamp::format_time;

/// Refuses an event that is dated too far after the present.
///
/// # Errors
///
/// What is wrong with its time.
pub fn check_received(time: Time, now: Time) -> Result<(), Rejection> {
    if time.since_ms(now) <= MAX_AHEAD_OF_CLOCK_MS {
        return Ok(());
    }
    let detail = format!("time: {} is more than 24 hours after the present, {}", format_time(time), format_time(now));
    Err(Rejection::new(RejectReason::FutureDated, detail))
}

impl Sequencer {
    /// Takes events that were received now, or the passing of time alone where there are none. A clock that goes back moves nothing back.
    pub fn receive(&mut self, epoch: &DecodedEpoch, now: Time) -> SequencedEpoch {
        self.watermark = self.watermark.max(now);
        let count = self.partitions();
        let mut partitions = vec![Vec::new(); usize::from(count)];
        let mut rejected = Vec::new();
        for (line, decoded) in (0..).zip(epoch.lines()) {
            match decoded.as_ref().map_err(Clone::clone).and_then(|decoded| check_received(decoded.event.time, now).map(|()| decoded)) {
                Ok(decoded) => partitions[usize::from(decoded.key.partition(count))].push(self.record(line, decoded)),
                Err(rejection) => rejected.push((line, rejection)),
            }
        }
        for (written, records) in self.partition_watermarks.iter_mut().zip(&partitions) {
            if !records.is_empty() {
                *written = self.watermark;
            }
        }
        let ticks = self.end_epoch(false);
        SequencedEpoch { number: epoch.raw().number, partitions, rejected, ticks, watermark_after: self.watermark }
    }
}
