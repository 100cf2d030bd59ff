//! Events counted by blocks of days: cheap counters where a window may be a little longer or shorter.

use super::packed::{PackedReader, PackedWriter};
use crate::time::Day;

/// Days in a block.
const BLOCK_DAYS: i32 = 28;

/// The block that holds a day.
pub(super) fn block(day: Day) -> i32 {
    day.0.div_euclid(BLOCK_DAYS)
}

/// Events in the block of the newest event and in the block before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct BlockCounts {
    pub block: i32,
    current: u32,
    previous: u32,
}

impl BlockCounts {
    /// One event.
    pub fn one(block: i32) -> Self {
        Self { block, current: 1, previous: 0 }
    }

    /// Counts an event.
    pub fn add(&mut self, block: i32) {
        match block - self.block {
            1.. => {
                self.previous = if block == self.block + 1 { self.current } else { 0 };
                (self.block, self.current) = (block, 1);
            }
            0 => self.current = self.current.saturating_add(1),
            -1 => self.previous = self.previous.saturating_add(1),
            _ => {}
        }
    }

    /// Events in a block and the one before it.
    pub fn total_at(&self, block: i32) -> u64 {
        match block - self.block {
            0 => u64::from(self.current) + u64::from(self.previous),
            1 => u64::from(self.current),
            _ => 0,
        }
    }

    /// Packs the counts; the block goes without saying.
    pub fn pack(&self, writer: &mut PackedWriter) {
        writer.put(u64::from(self.current));
        writer.put(u64::from(self.previous));
    }

    /// Reads back what [`Self::pack`] wrote.
    pub fn unpack(reader: &mut PackedReader<'_>, block: i32) -> Option<Self> {
        Some(Self { block, current: reader.take_u32()?, previous: reader.take_u32()? })
    }
}
