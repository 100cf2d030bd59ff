//! Where each file stands, and the fingerprint that tells whether it is still the same file.

use std::fs::File;
use std::io::{self, Read, Seek};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

use super::FINGERPRINT_BYTES;

/// How far one file was read. Standard input has no position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputPosition {
    /// The input as given: a path.
    pub name: String,
    /// `xxh3_128` of the first `fingerprint_length` bytes of the file as it is on disk (compressed).
    pub fingerprint: u128,
    /// How many bytes the fingerprint covers: the file may grow behind them.
    pub fingerprint_length: u32,
    /// The size of the file on disk when it was opened: an ended file of the same size has nothing new.
    pub file_length: u64,
    /// Decompressed bytes consumed: the start of the next line.
    pub offset: u64,
    /// Bytes behind `offset` of an unfinished last line, which was told as a line already: only if the file has grown is it read again, whole.
    #[serde(default)]
    pub unfinished_bytes: u64,
    /// Lines consumed, blank ones too.
    pub line: u64,
    /// The largest time among the consumed lines, by which several inputs are merged; `i64::MIN` when none was read.
    pub running_max_time_ms: i64,
    /// Whether the file was read to its end, or to where it is broken.
    pub ended: bool,
}

/// Where a run goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resume {
    /// The number of the next epoch.
    pub next_epoch: u64,
    /// The positions after the last committed epoch.
    pub positions: Vec<InputPosition>,
}

impl InputPosition {
    /// The position of a file that was not read yet.
    pub(super) fn start(name: String, file: &mut File, file_length: u64) -> io::Result<Self> {
        let head = read_head(file, FINGERPRINT_BYTES)?;
        Ok(Self {
            name,
            fingerprint: xxh3_128(&head),
            fingerprint_length: head.len() as u32,
            file_length,
            offset: 0,
            unfinished_bytes: 0,
            line: 0,
            running_max_time_ms: i64::MIN,
            ended: false,
        })
    }

    /// Whether the file still begins with the bytes that were fingerprinted.
    pub(super) fn is_of(&self, file: &mut File) -> io::Result<bool> {
        let head = read_head(file, self.fingerprint_length as usize)?;
        Ok(head.len() == self.fingerprint_length as usize && xxh3_128(&head) == self.fingerprint)
    }

    /// Takes over how far an earlier run came; the fingerprint stays the present, perhaps longer, one.
    pub(super) fn advance_to(&mut self, earlier: &InputPosition) {
        self.offset = earlier.offset;
        self.unfinished_bytes = earlier.unfinished_bytes;
        self.line = earlier.line;
        self.running_max_time_ms = earlier.running_max_time_ms;
        self.ended = earlier.ended && earlier.file_length == self.file_length;
    }
}

fn read_head(file: &mut File, length: usize) -> io::Result<Vec<u8>> {
    file.rewind()?;
    let mut head = Vec::new();
    file.take(length as u64).read_to_end(&mut head)?;
    file.rewind()?;
    Ok(head)
}
