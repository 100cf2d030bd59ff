//! Spreads the records of a partition over its parts.

use std::io;

use bellwether_codec::event::encode_event;
use bellwether_engine::event::CustomerKey;
use bellwether_engine::time::Time;

use super::blocks::{Block, Blocks, Packer};
use crate::part::{Part, Poisoned, Shard};
use crate::told::Told;

/// A block is written when its records take this much. Each part keeps so much in memory.
const BLOCK_BYTES: usize = 64 << 10;

/// The parts of a partition that are being written.
pub(super) struct PartWriter<'s> {
    partition: u16,
    parts: Vec<OpenPart>,
    blocks: &'s Blocks,
    until: Time,
    is_over: bool,
    /// The watermark at the end of the log.
    pub end: Time,
    event: Vec<u8>,
    /// Made with the first block.
    packer: Option<Packer>,
    failed: Option<io::Error>,
}

#[derive(Default)]
struct OpenPart {
    records: Vec<u8>,
    written: Vec<Block>,
}

impl<'s> PartWriter<'s> {
    pub fn new(partition: u16, parts: usize, blocks: &'s Blocks, until: Time) -> Self {
        let parts = (0..parts).map(|_| OpenPart::default()).collect();
        Self { partition, parts, blocks, until, is_over: false, end: Time::MIN, event: Vec::new(), packer: None, failed: None }
    }

    /// The blocks of each part.
    pub fn finish(mut self) -> io::Result<Vec<Vec<Block>>> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        (0..self.parts.len()).try_for_each(|part| self.write_block(part))?;
        Ok(self.parts.into_iter().map(|part| part.written).collect())
    }

    fn take_records(&mut self, part: &Part) -> io::Result<()> {
        let run = part.run(self.partition, 0);
        for index in 0..run.len() {
            let Some((event, key, _)) = run.event(index) else { continue };
            self.event.clear();
            encode_event(event, &mut self.event);
            let part = part_of(key, self.parts.len());
            Packer::add(run.watermark(index).0, &self.event, &mut self.parts[part].records)?;
            if self.parts[part].records.len() >= BLOCK_BYTES {
                self.write_block(part)?;
            }
            // The first record behind the end of the period ends it for whoever reads its part.
            self.is_over = run.watermark(index) > self.until;
            if self.is_over {
                break;
            }
        }
        Ok(())
    }

    fn write_block(&mut self, part: usize) -> io::Result<()> {
        let OpenPart { records, written } = &mut self.parts[part];
        if !records.is_empty() {
            let packer = match &mut self.packer {
                Some(packer) => packer,
                none => none.insert(Packer::new()?),
            };
            written.push(packer.write(records, self.blocks)?);
            records.clear();
        }
        Ok(())
    }
}

/// The part of a customer: of other bits of its key than its partition, and than the share in which a reader may halve a part.
fn part_of(key: CustomerKey, parts: usize) -> usize {
    (key.0 >> 96) as usize % parts
}

impl Shard for PartWriter<'_> {
    fn fold(&mut self, part: &Part) -> Result<(), Poisoned> {
        if !self.is_over() {
            self.failed = self.take_records(part).err();
        }
        Ok(())
    }

    fn end(&mut self, watermark: Time) -> Result<(), Poisoned> {
        self.end = watermark;
        Ok(())
    }

    fn take(&mut self) -> Told {
        Told::default()
    }

    fn is_over(&self) -> bool {
        self.is_over || self.failed.is_some()
    }
}
