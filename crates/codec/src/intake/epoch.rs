//! Epochs: runs of consecutive lines in merged order, with their text in one buffer.

use std::ops::Range;
use std::sync::Arc;

use crate::dead_letter::DeadLetter;
use crate::rejection::{RejectReason, Rejection};

use super::{InputPosition, MAX_LINE_BYTES};

/// A run of consecutive input lines, in merged order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawEpoch {
    /// Counted from 0 over all runs on the same data.
    pub number: u64,
    /// The text of all lines, without line ends.
    pub text: Vec<u8>,
    /// The lines, in merged order.
    pub lines: Vec<Line>,
    /// The name of every input, by the index that [`Line::input`] holds.
    pub inputs: Arc<[String]>,
    /// Where every file stands after this epoch: what to hand in as [`super::Resume`].
    pub positions: Vec<InputPosition>,
    /// Whether the epoch ends with these lines. Only [`super::PartReader`] hands an epoch over in parts, which share its number.
    pub is_end: bool,
    /// Whether the inputs are exhausted. Exactly one epoch of a run says so; it may have no lines.
    pub is_last: bool,
}

/// One line of an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// First byte in [`RawEpoch::text`].
    pub start: u32,
    /// After the last byte in [`RawEpoch::text`].
    pub end: u32,
    /// Index of its input in [`RawEpoch::inputs`].
    pub input: u32,
    /// Line number in its input, from 1; blank lines count.
    pub number: u64,
    /// Offset of its first byte in the decompressed input.
    pub offset: u64,
    /// Why it cannot be decoded, if it was not read whole.
    pub flaw: Option<Box<Flaw>>,
}

/// Why a line was not read whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It is longer than [`super::MAX_LINE_BYTES`]: its text is only the beginning.
    Oversize(Oversize),
    /// The input broke off here, and was given up: the text is what there was of an unfinished line, perhaps nothing.
    StreamError {
        /// Decompressed bytes that could be read.
        readable: u64,
        /// What the decompressor or the operating system said.
        message: String,
        /// The measure of all that could be read of the line, where its text is only the beginning of that.
        oversize: Option<Oversize>,
    },
}

/// The measure of a line that is too long to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Oversize {
    /// Its full length in bytes, without the newline.
    pub length: u64,
    /// `xxh3_128` of all of it.
    pub hash: u128,
}

impl Flaw {
    /// The rejection of a line with this flaw.
    #[must_use]
    pub fn rejection(&self) -> Rejection {
        match self {
            Flaw::Oversize(oversize) => {
                let detail = format!("the line has {} bytes, more than the {MAX_LINE_BYTES} allowed", oversize.length);
                Rejection::new(RejectReason::LineTooLong, detail)
            }
            Flaw::StreamError { readable, message, .. } => {
                let detail = format!("the input is broken after {readable} readable bytes, the rest was not read: {message}");
                Rejection::new(RejectReason::InputTruncated, detail)
            }
        }
    }
}

impl RawEpoch {
    /// The bytes of a line.
    #[must_use]
    pub fn bytes(&self, line: &Line) -> &[u8] {
        &self.text[line.span()]
    }

    /// The name of the input that a line came from.
    #[must_use]
    pub fn input_name(&self, line: &Line) -> &str {
        &self.inputs[line.input as usize]
    }

    /// The dead letter of a line that was rejected, with the length and hash of the whole line, kept or not.
    #[must_use]
    pub fn dead_letter<'a>(&'a self, line: &'a Line, rejection: &'a Rejection) -> DeadLetter<'a> {
        let letter = DeadLetter::new(rejection, self.input_name(line), line.number, line.offset, self.bytes(line));
        match line.flaw.as_deref() {
            Some(Flaw::Oversize(Oversize { length, hash }) | Flaw::StreamError { oversize: Some(Oversize { length, hash }), .. }) => {
                DeadLetter { length: *length, hash: *hash, ..letter }
            }
            Some(Flaw::StreamError { oversize: None, .. }) | None => letter,
        }
    }
}

impl Line {
    /// Where its bytes are in the epoch's text.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// An epoch under construction.
#[derive(Default)]
pub(super) struct EpochBuilder {
    text: Vec<u8>,
    lines: Vec<Line>,
}

/// A line as its input hands it over, borrowed.
pub(super) struct LineParts<'a> {
    pub text: &'a [u8],
    pub number: u64,
    pub offset: u64,
    pub flaw: Option<Box<Flaw>>,
}

impl EpochBuilder {
    /// A builder with room for so many lines, with as much text as those before.
    pub fn with_room(lines: usize, text_bytes: usize) -> Self {
        Self { text: Vec::with_capacity(text_bytes + text_bytes / 8), lines: Vec::with_capacity(lines) }
    }

    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub fn lines(&self) -> usize {
        self.lines.len()
    }

    pub fn bytes(&self) -> usize {
        self.text.len()
    }

    /// Adds a line. Text stays below `super::MAX_EPOCH_BYTES + MAX_LINE_BYTES`, so positions in it fit `u32`.
    pub fn push(&mut self, input: u32, line: LineParts<'_>) {
        let start = self.text.len() as u32;
        self.text.extend_from_slice(line.text);
        let end = self.text.len() as u32;
        self.lines.push(Line { start, end, input, number: line.number, offset: line.offset, flaw: line.flaw });
    }

    pub fn finish(self, number: u64, inputs: Arc<[String]>, positions: Vec<InputPosition>, is_end: bool, is_last: bool) -> RawEpoch {
        RawEpoch { number, text: self.text, lines: self.lines, inputs, positions, is_end, is_last }
    }
}
