//! Some lines of an epoch, decoded and in order, and what folds them.

use bellwether_codec::intake::{DecodedPart, Sequenced, SequencedLines, Sequencer};
use bellwether_codec::run::Run;
use bellwether_codec::summary::Summary;
use bellwether_engine::partition::Progress;
use bellwether_engine::time::Time;

use crate::told::Told;

/// Lines that are read, decoded and folded together: few enough that their events are still in a core's cache when they are folded.
pub(crate) const PART_LINES: usize = 1_024;

/// Some lines of an epoch.
pub(crate) struct Part {
    pub decoded: DecodedPart,
    pub sequenced: SequencedLines,
    /// The ticks at the end of the epoch, with its last lines.
    ticks: Vec<(u16, Time)>,
    /// How many of its lines come before the first one that is behind the end of the period. Those behind it were read ahead.
    pub lines_in_period: usize,
}

impl Part {
    /// Gives decoded lines their order; parts are taken in theirs.
    pub fn new(decoded: DecodedPart, sequencer: &mut Sequencer, ingest_clock: Option<Time>, until: Time) -> Self {
        let was_over = sequencer.watermark() > until;
        let sequenced = sequencer.sequence_from(decoded.lines(), decoded.watermarks(), ingest_clock);
        let is_over = sequencer.watermark() > until;
        let lines_in_period = match is_over {
            _ if was_over => 0,
            true => first_line_after(&sequenced, until).unwrap_or(decoded.lines().len()),
            false => decoded.lines().len(),
        };
        let ticks = if decoded.is_end() { sequencer.end_epoch(decoded.is_last()) } else { Vec::new() };
        Self { decoded, sequenced, ticks, lines_in_period }
    }

    /// Its records of a partition, of which the first has this offset.
    pub fn run(&self, partition: u16, first_offset: u64) -> Run<'_> {
        let records = &self.sequenced.partitions[usize::from(partition)];
        let tick = self.ticks.iter().find(|(of, _)| *of == partition).map(|(_, time)| *time);
        Run { first_offset, offsets: None, lines: self.decoded.lines(), records, tick }
    }

    /// Adds its lines, and those that were refused, as far as they are of the period.
    pub fn count(&self, counted: &mut Summary) {
        counted.events += self.lines_in_period as u64;
        counted.journaled += self.sequenced.partitions.iter().map(|records| records.len() as u64).sum::<u64>();
        for (_, rejection) in self.sequenced.rejected.iter().filter(|(line, _)| (*line as usize) < self.lines_in_period) {
            *counted.rejected.entry(rejection.reason.code().to_owned()).or_default() += 1;
        }
    }
}

/// The index of the first line with a watermark after an instant.
fn first_line_after(sequenced: &SequencedLines, until: Time) -> Option<usize> {
    let first =
        |records: &Vec<Sequenced>| records.get(records.partition_point(|record| record.watermark <= until)).map(|record| record.line);
    sequenced.partitions.iter().filter_map(first).min().map(|line| line as usize)
}

/// A record that could not be folded: its offset, and how it failed.
pub(crate) type Poisoned = (u64, Progress);

/// What folds the records of one journal partition.
pub(crate) trait Shard: Send {
    /// Folds what a part has for it.
    fn fold(&mut self, part: &Part) -> Result<(), Poisoned>;

    /// Ends the log, of which this is the watermark.
    fn end(&mut self, watermark: Time) -> Result<(), Poisoned>;

    /// What it has put out since it was last asked.
    fn take(&mut self) -> Told;

    /// Whether it wants no more.
    fn is_over(&self) -> bool;

    /// Whether it has more customers than it has room for.
    fn is_full(&self) -> bool {
        false
    }
}
