//! Runs of lines on disk, each in order, and their merge: so that the number of customers does not show in memory.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

use zstd::{Decoder, Encoder};

use super::delivery::Key;

/// Runs are read once, soon after they are written: fast goes before small, and a small window keeps hundreds of readers small.
const COMPRESSION_LEVEL: i32 = 1;
const WINDOW_LOG: u32 = 17;
/// Bytes of the numbers before each line: its key and its length.
const HEADER_BYTES: usize = 24;

/// A run that is being written.
pub struct Run(Encoder<'static, BufWriter<File>>);

impl Run {
    /// A new run in a file.
    pub fn create(path: &Path) -> io::Result<Run> {
        let mut encoder = Encoder::new(BufWriter::new(File::create(path)?), COMPRESSION_LEVEL)?;
        encoder.window_log(WINDOW_LOG)?;
        Ok(Run(encoder))
    }

    /// Adds a line. Keys must rise.
    pub fn put(&mut self, (arrival, customer, sequence, copy): Key, line: &[u8]) -> io::Result<()> {
        let mut header = [0; HEADER_BYTES];
        header[..8].copy_from_slice(&arrival.to_le_bytes());
        for (place, number) in header[8..].chunks_exact_mut(4).zip([customer, sequence, copy, line.len() as u32]) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        self.0.write_all(&header)?;
        self.0.write_all(line)
    }

    /// Ends the run.
    pub fn finish(self) -> io::Result<()> {
        self.0.finish()?.flush()
    }
}

/// A run that is being read, at one of its lines.
struct Reader {
    from: Decoder<'static, BufReader<File>>,
    line: Vec<u8>,
}

impl Reader {
    /// Goes on to the next line, and tells its key; `None` at the end.
    fn advance(&mut self) -> io::Result<Option<Key>> {
        let mut header = [0; HEADER_BYTES];
        if self.from.read(&mut header[..1])? == 0 {
            return Ok(None);
        }
        self.from.read_exact(&mut header[1..])?;
        let mut arrival = [0; 8];
        arrival.copy_from_slice(&header[..8]);
        let mut numbers = [0; 4];
        for (number, bytes) in numbers.iter_mut().zip(header[8..].chunks_exact(4)) {
            *number = bytes.iter().rev().fold(0_u32, |all, byte| all << 8 | u32::from(*byte));
        }
        let [customer, sequence, copy, length] = numbers;
        self.line.resize(length as usize, 0);
        self.from.read_exact(&mut self.line)?;
        Ok(Some((i64::from_le_bytes(arrival), customer, sequence, copy)))
    }
}

/// Writes the lines of all runs in the order of their keys.
pub fn merge(paths: &[impl AsRef<Path>], out: &mut dyn Write) -> io::Result<()> {
    let mut readers = Vec::with_capacity(paths.len());
    let mut next = BinaryHeap::with_capacity(paths.len());
    for path in paths {
        let mut reader = Reader { from: Decoder::new(File::open(path)?)?, line: Vec::new() };
        if let Some(key) = reader.advance()? {
            next.push(Reverse((key, readers.len())));
            readers.push(reader);
        }
    }
    while let Some(Reverse((_, index))) = next.pop() {
        let reader = &mut readers[index];
        out.write_all(&reader.line)?;
        if let Some(key) = reader.advance()? {
            next.push(Reverse((key, index)));
        }
    }
    Ok(())
}
