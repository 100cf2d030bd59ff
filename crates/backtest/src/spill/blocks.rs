//! The file of a spilled log: blocks, compressed each by itself, in any order.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use zstd::bulk::{Compressor, Decompressor};

/// The quickest of zstd's usual levels: it costs as much as decoding the events.
const LEVEL: i32 = 1;

/// The file, to which several threads append.
pub(super) struct Blocks {
    file: File,
    end: AtomicU64,
}

/// Where a block is.
#[derive(Clone, Copy)]
pub(super) struct Block {
    offset: u64,
    bytes: u32,
    unpacked_bytes: u32,
}

impl Blocks {
    /// Makes a file without a name in a directory.
    pub fn create(directory: &Path) -> io::Result<Self> {
        Ok(Self { file: tempfile::tempfile_in(directory)?, end: AtomicU64::new(0) })
    }

    pub fn bytes(&self) -> u64 {
        self.end.load(Ordering::Relaxed)
    }

    fn append(&self, bytes: &[u8]) -> io::Result<u64> {
        let offset = self.end.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.file.write_all_at(bytes, offset)?;
        Ok(offset)
    }
}

/// Packs records into blocks.
pub(super) struct Packer {
    compressor: Compressor<'static>,
}

impl Packer {
    pub fn new() -> io::Result<Self> {
        Ok(Self { compressor: Compressor::new(LEVEL)? })
    }

    /// Appends records to those of a block to be.
    pub fn add(watermark: i64, value: &[u8], to: &mut Vec<u8>) -> io::Result<()> {
        let digits = watermark.to_string();
        bincode::encode_into_std_write((digits.as_bytes(), value), to, bincode::config::standard()).map_err(io::Error::other)?;
        Ok(())
    }

    /// Writes a block of records.
    pub fn write(&mut self, records: &[u8], to: &Blocks) -> io::Result<Block> {
        let packed = self.compressor.compress(records)?;
        Ok(Block { offset: to.append(&packed)?, bytes: packed.len() as u32, unpacked_bytes: records.len() as u32 })
    }
}

/// A block that was read back.
pub(super) struct Unpacked {
    decompressor: Decompressor<'static>,
    packed: Vec<u8>,
    records: Vec<u8>,
}

impl Unpacked {
    pub fn new() -> io::Result<Self> {
        Ok(Self { decompressor: Decompressor::new()?, packed: Vec::new(), records: Vec::new() })
    }

    /// Reads a block: the watermark in digits and the value of each record.
    pub fn read(&mut self, from: &Blocks, block: &Block) -> io::Result<Vec<(&[u8], &[u8])>> {
        self.packed.resize(block.bytes as usize, 0);
        from.file.read_exact_at(&mut self.packed, block.offset)?;
        self.records.clear();
        self.records.reserve(block.unpacked_bytes as usize);
        self.decompressor.decompress_to_buffer(&self.packed, &mut self.records)?;
        let (mut rest, mut records) = (&self.records[..], Vec::new());
        while !rest.is_empty() {
            let (record, read) = bincode::borrow_decode_from_slice(rest, bincode::config::standard()).map_err(io::Error::other)?;
            records.push(record);
            rest = &rest[read..];
        }
        Ok(records)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_read_back_in_any_order() {
        let blocks = Blocks::create(&std::env::temp_dir()).expect("a file");
        let mut packer = Packer::new().expect("a compressor");
        let values = ["", "short", &"long ".repeat(50_000)];
        let mut write = |number: i64| {
            let mut records = Vec::new();
            values.iter().for_each(|value| Packer::add(number, value.as_bytes(), &mut records).expect("it fits"));
            packer.write(&records, &blocks).expect("written")
        };
        let written = [write(-5), write(1_700_000_000_000)];
        assert_eq!(blocks.bytes(), written.iter().map(|block| u64::from(block.bytes)).sum::<u64>());
        let mut unpacked = Unpacked::new().expect("a decompressor");
        for (block, digits) in written.iter().zip(["-5", "1700000000000"]).rev() {
            let records = unpacked.read(&blocks, block).expect("it reads back");
            let expected: Vec<(&[u8], &[u8])> = values.iter().map(|value| (digits.as_bytes(), value.as_bytes())).collect();
            assert!(records == expected, "{digits}");
        }
    }
}
