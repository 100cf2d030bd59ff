//! The decompressed bytes of one input, read in chunks of a constant size.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use flate2::bufread::MultiGzDecoder;

use super::input::Packing;
use super::standard_input::StandardInput;
use super::{CHUNK_BYTES, GROWTH_CHECK, Progress};

/// What one read brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filled {
    Bytes(usize),
    End,
    /// Nothing came before the deadline; only standard input and files that grow say so.
    Idle,
}

/// An opened input.
pub(super) enum ByteStream {
    Plain(CountedFile),
    /// A file that may grow until it is complete.
    Growing(CountedFile, Arc<AtomicBool>),
    Zstd(Box<zstd::stream::read::Decoder<'static, BufReader<CountedFile>>>),
    Gzip(Box<MultiGzDecoder<BufReader<CountedFile>>>),
    StandardInput(StandardInput),
}

impl ByteStream {
    /// Reads a file from its first byte, and until it is complete if that is told of it.
    pub fn growing(file: File, is_complete: &Arc<AtomicBool>, progress: Arc<Progress>) -> Self {
        Self::Growing(CountedFile { file, progress }, Arc::clone(is_complete))
    }

    /// Reads a file from its first byte. An empty file is an empty input however it is packed.
    pub fn open(file: File, file_length: u64, packing: Packing, progress: Arc<Progress>) -> io::Result<Self> {
        let file = CountedFile { file, progress };
        Ok(match packing {
            _ if file_length == 0 && packing != Packing::Table => Self::Plain(file),
            Packing::Plain => Self::Plain(file),
            Packing::Zstd => {
                let buffered = BufReader::with_capacity(CHUNK_BYTES, file);
                Self::Zstd(Box::new(zstd::stream::read::Decoder::with_buffer(buffered)?))
            }
            Packing::Table => {
                let problem = "tables are read by replay, backtest, features, fit and explain alone: give JSON Lines here";
                return Err(io::Error::new(io::ErrorKind::Unsupported, problem));
            }
            Packing::Gzip => Self::Gzip(Box::new(MultiGzDecoder::new(BufReader::with_capacity(CHUNK_BYTES, file)))),
        })
    }

    /// Fills `target`, which must be [`CHUNK_BYTES`] long, as far as one read goes.
    pub fn fill(&mut self, target: &mut [u8], deadline: impl FnOnce() -> Instant) -> io::Result<Filled> {
        assert_eq!(target.len(), CHUNK_BYTES, "reads have a constant size");
        let length = match self {
            Self::Plain(file) => read_uninterrupted(file, target)?,
            Self::Growing(file, is_complete) => return read_growing(file, is_complete, target, deadline()),
            Self::Zstd(decoder) => read_uninterrupted(decoder, target)?,
            Self::Gzip(decoder) => read_uninterrupted(decoder, target)?,
            Self::StandardInput(input) => return input.fill(target, deadline()),
        };
        Ok(if length == 0 { Filled::End } else { Filled::Bytes(length) })
    }

    /// Jumps to an offset without reading what lies before, where that is possible.
    pub fn seek(&mut self, offset: u64) -> io::Result<bool> {
        let (Self::Plain(CountedFile { file, progress }) | Self::Growing(CountedFile { file, progress }, _)) = self else {
            return Ok(false);
        };
        file.seek(SeekFrom::Start(offset))?;
        progress.add(offset);
        Ok(true)
    }
}

/// A file that counts what is read from it.
pub(super) struct CountedFile {
    file: File,
    progress: Arc<Progress>,
}

impl Read for CountedFile {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read(target)?;
        self.progress.add(length as u64);
        Ok(length)
    }
}

/// Reads what is there, waiting for it until the deadline. The end of the file is its end only if it was complete before that was seen.
fn read_growing(file: &mut CountedFile, is_complete: &AtomicBool, target: &mut [u8], deadline: Instant) -> io::Result<Filled> {
    loop {
        let was_complete = is_complete.load(Ordering::Relaxed);
        match read_uninterrupted(file, target)? {
            0 if was_complete => return Ok(Filled::End),
            0 => {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() || file.progress.is_draining() {
                    return Ok(Filled::Idle);
                }
                thread::sleep(left.min(GROWTH_CHECK));
            }
            length => return Ok(Filled::Bytes(length)),
        }
    }
}

fn read_uninterrupted(reader: &mut impl Read, target: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(target) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
