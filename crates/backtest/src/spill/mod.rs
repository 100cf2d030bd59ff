//! A log spilled to disk, in parts of few customers each: what does not fit into memory at once is folded part by part.
//!
//! One file without a name holds all parts, so that nothing is left of it however the process ends. A part is a list of blocks somewhere in it, each
//! compressed by itself; a block holds records as those of a journal: the watermark in digits, and the normalised event.

mod blocks;
mod part_writer;

use bellwether_codec::journal::{Control, JournalRecord};
use bellwether_codec::summary::Summary;
use bellwether_engine::time::Time;

use crate::crew::{self, Folded};
use crate::error::ReplayError;
use crate::journal::{Journal, Visit};
use crate::pass::PassOptions;
use crate::replay::{ReplayOptions, Sink};
use blocks::{Block, Blocks, Unpacked};
use part_writer::PartWriter;

/// Parts of a spilled log, of all partitions together.
const PARTS: u16 = 256;

/// A log that is spilled. It is a journal without what controls the fold: each of its partitions is one part.
pub(crate) struct Spill {
    blocks: Blocks,
    parts: Vec<Vec<Block>>,
    /// The watermark at the end of the log.
    end: Time,
}

impl Spill {
    /// Reads the inputs to their end, or until they are stopped, into a file in a directory. Returns the counts of their lines with it.
    ///
    /// # Errors
    ///
    /// When an input cannot be read, or the file cannot be written.
    pub fn write(inputs: &ReplayOptions, options: &PassOptions<'_>, sink: &mut impl Sink) -> Result<(Self, Summary), ReplayError> {
        let failed = |error| ReplayError::Spill { directory: options.scratch.to_owned(), error };
        let blocks = Blocks::create(options.scratch).map_err(failed)?;
        let until = options.until.unwrap_or(Time::NEVER);
        let parts = usize::from((PARTS / inputs.partitions.max(1)).max(1));
        let writers = || (0..inputs.partitions).map(|number| PartWriter::new(number, parts, &blocks, until)).collect();
        let Folded { shards, counted, .. } = crew::fold(inputs, until, |_| writers(), sink, options.stop)?;
        let (mut parts, mut end) = (Vec::new(), Time::MIN);
        for writer in shards {
            end = end.max(writer.end);
            parts.extend(writer.finish().map_err(failed)?);
        }
        Ok((Self { blocks, parts, end }, counted))
    }

    /// Bytes that it takes on disk.
    pub fn bytes(&self) -> u64 {
        self.blocks.bytes()
    }

    /// Lets go of all parts but the first few.
    pub fn keep(&mut self, parts: usize) {
        self.parts.truncate(parts);
    }
}

impl Journal for Spill {
    fn partitions(&self) -> u16 {
        self.parts.len() as u16
    }

    fn read(&self, partition: u16, visit: &mut Visit<'_>) -> Result<(), String> {
        let (mut unpacked, mut offset) = (Unpacked::new().map_err(|error| error.to_string())?, 0);
        for block in &self.parts[usize::from(partition)] {
            let records = unpacked.read(&self.blocks, block).map_err(|error| format!("cannot read back what was spilled: {error}"))?;
            let records: Vec<JournalRecord<'_>> =
                (offset..).zip(records).map(|(offset, (watermark, value))| record(offset, watermark, value)).collect();
            offset += records.len() as u64;
            if !visit(&records) {
                return Ok(());
            }
        }
        if self.end != Time::MIN {
            let (watermark, tick) = (self.end.0.to_string(), Control::Tick.encode());
            visit(&[JournalRecord { is_control: true, ..record(offset, watermark.as_bytes(), &tick) }]);
        }
        Ok(())
    }

    /// In event files, what stands before an erasure happened, and the erasure is an event as any other.
    fn blanks_erased(&self) -> bool {
        false
    }
}

fn record<'r>(offset: u64, watermark: &'r [u8], value: &'r [u8]) -> JournalRecord<'r> {
    JournalRecord { offset, appended_at: None, watermark: Some(watermark), is_control: false, value: Some(value) }
}
