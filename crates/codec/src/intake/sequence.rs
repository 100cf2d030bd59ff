//! Gives every event of an epoch its partition and its watermark, in the one order that all runs share.

use bellwether_engine::event::CustomerKey;
use bellwether_engine::time::{DAY_MS, MINUTE_MS, Time};
use serde::{Deserialize, Serialize};

use crate::rejection::{RejectReason, Rejection};
use crate::timestamp::format_time;

use super::{DecodedEpoch, DecodedEvent, DecodedLine};

mod received;

pub use received::check_received;

/// A partition gets a tick when its last watermark is this far behind.
pub const TICK_INTERVAL_MS: i64 = MINUTE_MS;

/// An event may be dated this long after the clock of the process that takes it in.
pub const MAX_AHEAD_OF_CLOCK_MS: i64 = DAY_MS;

/// An event may be dated this long after the largest time before it.
pub const MAX_AHEAD_OF_WATERMARK_MS: i64 = 365 * DAY_MS;

/// The state of the order: the watermark of the input, and how much of it each partition knows. Part of every commit.
///
/// In files the time of an event is its arrival, so the watermark is the largest accepted event time so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sequencer {
    watermark: Time,
    /// The last watermark written to each partition.
    partition_watermarks: Vec<Time>,
    /// The watermark of the last closing tick, so that a run that finds nothing new writes nothing.
    closed_at: Time,
}

/// One journal record to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sequenced {
    /// Index of the event in its epoch.
    pub line: u32,
    /// The key of its customer.
    pub key: CustomerKey,
    /// Its identity, by which duplicates are recognised.
    pub identity: u64,
    /// The watermark at this event, its own time included.
    pub watermark: Time,
}

/// What becomes of the lines of an epoch: records by partition, then ticks; and rejections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SequencedEpoch {
    /// The epoch's number.
    pub number: u64,
    /// The records of each partition, in journal order.
    pub partitions: Vec<Vec<Sequenced>>,
    /// The rejected lines, by index in the epoch, in their order.
    pub rejected: Vec<(u32, Rejection)>,
    /// The ticks that follow the records, by partition.
    pub ticks: Vec<(u16, Time)>,
    /// The watermark after the epoch.
    pub watermark_after: Time,
}

/// What becomes of some lines of an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SequencedLines {
    /// The records of each partition, in journal order.
    pub partitions: Vec<Vec<Sequenced>>,
    /// The rejected lines, by index, in their order.
    pub rejected: Vec<(u32, Rejection)>,
}

impl Sequencer {
    /// At the start of a journal of so many partitions (at least 1).
    #[must_use]
    pub fn new(partitions: u16) -> Self {
        Self { watermark: Time::MIN, partition_watermarks: vec![Time::MIN; usize::from(partitions.max(1))], closed_at: Time::MIN }
    }

    /// The number of partitions.
    #[must_use]
    pub fn partitions(&self) -> u16 {
        self.partition_watermarks.len() as u16
    }

    /// The largest accepted event time so far; `Time::MIN` before the first.
    #[must_use]
    pub fn watermark(&self) -> Time {
        self.watermark
    }

    /// Takes the next epoch: its lines, then its end.
    ///
    /// `ingest_clock` is what the caller's clock says now, against which events from the future are rejected; a replay
    /// of files without a clock passes none. With `closing`, the end of the input, every partition gets a tick at the
    /// watermark, unless it had this very one before.
    pub fn sequence(&mut self, epoch: &DecodedEpoch, ingest_clock: Option<Time>, closing: bool) -> SequencedEpoch {
        let SequencedLines { partitions, rejected } = self.sequence_lines(epoch.lines(), ingest_clock);
        let ticks = self.end_epoch(closing);
        SequencedEpoch { number: epoch.raw().number, partitions, rejected, ticks, watermark_after: self.watermark }
    }

    /// Takes the next lines of an epoch. However an epoch is cut into lines, its records are the same.
    pub fn sequence_lines(&mut self, lines: &[DecodedLine<'_>], ingest_clock: Option<Time>) -> SequencedLines {
        self.sequence_from(lines, &[], ingest_clock)
    }

    /// The same, for what was journaled before: where the watermark of a line is given, it was admitted then, and moves the watermark there.
    pub fn sequence_from(&mut self, lines: &[DecodedLine<'_>], watermarks: &[Option<Time>], ingest_clock: Option<Time>) -> SequencedLines {
        let count = self.partitions();
        let expected = lines.len() / usize::from(count);
        let mut partitions: Vec<Vec<Sequenced>> = (0..count).map(|_| Vec::with_capacity(expected + expected / 4)).collect();
        let mut rejected = Vec::new();
        for (line, decoded) in (0..).zip(lines) {
            match decoded {
                Ok(decoded) => {
                    match self.admit_or_follow(decoded.event.time, watermarks.get(line as usize).copied().flatten(), ingest_clock) {
                        Ok(()) => partitions[usize::from(decoded.key.partition(count))].push(self.record(line, decoded)),
                        Err(rejection) => rejected.push((line, rejection)),
                    }
                }
                Err(rejection) => rejected.push((line, rejection.clone())),
            }
        }
        for (written, records) in self.partition_watermarks.iter_mut().zip(&partitions) {
            if let Some(last) = records.last() {
                *written = last.watermark;
            }
        }
        SequencedLines { partitions, rejected }
    }

    /// Takes a record that was journaled before, at its watermark, into a partition.
    pub fn follow(&mut self, partition: u16, watermark: Time) {
        self.watermark = self.watermark.max(watermark);
        if let Some(written) = self.partition_watermarks.get_mut(usize::from(partition)) {
            *written = self.watermark;
        }
    }

    /// Ends an epoch after its lines: the ticks that follow its records, by partition. For `closing` see [`Self::sequence`].
    pub fn end_epoch(&mut self, closing: bool) -> Vec<(u16, Time)> {
        let watermark = self.watermark;
        if watermark == Time::MIN {
            return Vec::new();
        }
        let closes = closing && self.closed_at < watermark;
        if closes {
            self.closed_at = watermark;
        }
        let mut ticks = Vec::new();
        for (partition, written) in (0..).zip(&mut self.partition_watermarks) {
            if closes || watermark.since_ms(*written) >= TICK_INTERVAL_MS {
                *written = watermark;
                ticks.push((partition, watermark));
            }
        }
        ticks
    }

    fn admit_or_follow(&mut self, time: Time, watermark: Option<Time>, ingest_clock: Option<Time>) -> Result<(), Rejection> {
        let Some(watermark) = watermark else { return self.admit(time, ingest_clock) };
        self.watermark = self.watermark.max(watermark);
        Ok(())
    }

    /// Moves the watermark to an event's time, unless the event is dated in the future.
    fn admit(&mut self, time: Time, ingest_clock: Option<Time>) -> Result<(), Rejection> {
        let too_late_for = |limit: &str, base: Time| {
            let detail = format!("time: {} is more than {limit} {}", format_time(time), format_time(base));
            Err(Rejection::new(RejectReason::FutureDated, detail))
        };
        match ingest_clock {
            Some(clock) if time.since_ms(clock) > MAX_AHEAD_OF_CLOCK_MS => return too_late_for("24 hours after the present,", clock),
            _ => {}
        }
        if self.watermark != Time::MIN && time.since_ms(self.watermark) > MAX_AHEAD_OF_WATERMARK_MS {
            return too_late_for("365 days after the largest time before it,", self.watermark);
        }
        self.watermark = self.watermark.max(time);
        Ok(())
    }

    fn record(&self, line: u32, decoded: &DecodedEvent<'_>) -> Sequenced {
        Sequenced { line, key: decoded.key, identity: decoded.identity, watermark: self.watermark }
    }
}
