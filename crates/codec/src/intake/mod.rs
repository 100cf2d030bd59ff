//! Intake: turns files, directories and standard input into epochs of lines, in one order that live runs and replays share.
//!
//! Lines of one input keep their order; several inputs are merged by (time, input name, line number). Epochs are cut
//! by the input alone, never by speed or settings, so that the same files always give the same epochs. Only standard input and a directory
//! that is followed also end epochs where they pause: what comes of those is what the journal says.

mod decode;
mod epoch;
mod error;
mod followed;
mod input;
mod lines;
mod merge;
mod part_reader;
mod peek;
mod position;
mod present;
mod progress;
mod reader;
mod renamed;
mod sequence;
mod source;
mod standard_input;
mod stream;

#[cfg(test)]
mod tests;

pub use decode::{DecodedEpoch, DecodedEvent, DecodedLine, decode_lines};
pub use epoch::{Flaw, Line, Oversize, RawEpoch};
pub use error::{InputProblem, IntakeError};
pub use input::{InputSpec, SUPPORTED_EXTENSIONS};
pub use part_reader::{DecodedPart, PartReader, RawPart};
pub use position::{InputPosition, Resume};
pub(crate) use present::Present;
pub use progress::Progress;
pub use reader::Intake;
pub use renamed::RenamedInput;
pub use sequence::{
    MAX_AHEAD_OF_CLOCK_MS, MAX_AHEAD_OF_WATERMARK_MS, Sequenced, SequencedEpoch, SequencedLines, Sequencer, TICK_INTERVAL_MS,
    check_received,
};

use std::time::Duration;

use crate::dead_letter::DEAD_LETTER_MAX_BYTES;

/// Lines of a full epoch. Changing it moves the ticks of a journal: treat it as part of the file contract.
pub const EPOCH_LINES: usize = 16_384;

/// An epoch also ends with the line that brings its text to this size, which bounds memory when lines are long.
pub const MAX_EPOCH_BYTES: usize = 32 << 20;

/// A longer line, counted without its newline, is not kept whole: see [`Oversize`].
pub const MAX_LINE_BYTES: usize = 1 << 20;

/// What is kept of a line longer than [`MAX_LINE_BYTES`].
pub const KEPT_OVERSIZE_BYTES: usize = DEAD_LETTER_MAX_BYTES;

/// The most that the fingerprint of a file covers, from its first byte.
pub const FINGERPRINT_BYTES: usize = 64 << 10;

/// The most inputs that are merged at once: each holds a file and a decompressor open.
pub const MAX_INPUTS: usize = 512;

/// The most files that a followed directory may hold: the position of each is part of every commit.
pub const MAX_FOLLOWED_FILES: usize = 4_096;

/// Epochs that wait between the reader thread and its consumer.
pub const QUEUED_EPOCHS: usize = 2;

/// An epoch of standard input, or of a followed directory, ends early when no new line came for this long.
pub const IDLE: Duration = Duration::from_millis(200);

/// How often a file that may grow is looked at within that.
const GROWTH_CHECK: Duration = Duration::from_millis(20);

/// How often somebody who waits for an epoch looks whether to stop.
const STOP_CHECK: Duration = Duration::from_millis(50);

/// The size of every read. It must not depend on what was read before: after an error a decompressor drops what it had
/// produced within that one read, so that a resumed run finds the same end of a broken file only with the same reads.
const CHUNK_BYTES: usize = 128 << 10;

/// Chunks that wait between the thread that reads standard input and the reader thread.
const QUEUED_CHUNKS: usize = 4;
