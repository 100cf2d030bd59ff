//! Splits one input into lines, with bounded memory however long a line is.

use std::io;
use std::ops::Range;
use std::time::Instant;

use memchr::memchr;
use serde::de::IgnoredAny;
use xxhash_rust::xxh3::Xxh3Default;

use super::epoch::LineParts;
use super::stream::{ByteStream, Filled};
use super::{CHUNK_BYTES, Flaw, IDLE, InputPosition, KEPT_OVERSIZE_BYTES, MAX_LINE_BYTES, Oversize, Progress};

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// What the reader has now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A line, to be had from [`LineReader::take`].
    Line,
    /// No line, and none will come.
    End,
    /// No line yet; only standard input and files that grow say so.
    Idle,
}

/// Reads lines, one at a time. Line ends (`\n` or `\r\n`) and a byte order mark are not part of a line.
pub(super) struct LineReader {
    stream: ByteStream,
    is_over: bool,
    buffer: Vec<u8>,
    /// Offset in the stream of the first byte of the buffer.
    buffer_offset: u64,
    /// First byte of the buffer that no line has taken.
    start: usize,
    /// There is no newline between `start` and here.
    searched: usize,
    filled: usize,
    /// Offset in the stream of the present line.
    line_offset: u64,
    /// Lines before the present one.
    lines: u64,
    /// The present line began in an earlier run, which saw the file end within it.
    continues: bool,
    /// Where an earlier run saw the file end within the present line, and told what there was of it: as a line that ends there it is told already.
    told_up_to: Option<u64>,
    /// The input ended within its last line, before that was whole.
    is_unfinished: bool,
    oversize: Option<OversizeLine>,
    head: Head,
}

/// The line that was read and not yet taken.
#[derive(Default)]
struct Head {
    text: Range<usize>,
    kept: Option<Vec<u8>>,
    number: u64,
    offset: u64,
    lines_before: u64,
    flaw: Option<Box<Flaw>>,
}

impl LineReader {
    pub fn new(stream: ByteStream) -> Self {
        Self {
            stream,
            is_over: false,
            buffer: Vec::new(),
            buffer_offset: 0,
            start: 0,
            searched: 0,
            filled: 0,
            line_offset: 0,
            lines: 0,
            continues: false,
            told_up_to: None,
            is_unfinished: false,
            oversize: None,
            head: Head::default(),
        }
    }

    /// Reads on to the next line that is not blank.
    pub fn advance(&mut self) -> Step {
        let mut deadline = None;
        while !self.is_over {
            let newline = memchr(b'\n', &self.buffer[self.searched..self.filled]).map(|at| self.searched + at);
            self.measure(newline.unwrap_or(self.filled));
            if let Some(newline) = newline {
                if self.finish_line(newline, newline + 1) {
                    return Step::Line;
                }
                continue;
            }
            self.searched = self.filled;
            match self.fill(|| *deadline.get_or_insert_with(|| Instant::now() + IDLE)) {
                Ok(Filled::Bytes(_)) => {}
                Ok(Filled::Idle) => return Step::Idle,
                Ok(Filled::End) => {
                    self.is_over = true;
                    let is_begun = self.start < self.filled || self.oversize.is_some();
                    if is_begun && self.finish_last_line() {
                        return Step::Line;
                    }
                }
                Err(error) => {
                    self.is_over = true;
                    self.break_off(&error);
                    return Step::Line;
                }
            }
        }
        Step::End
    }

    /// The next ordinary line that lies whole in the buffer, which is the usual case made short; all others wait for [`Self::advance`].
    pub fn take_buffered(&mut self) -> Option<LineParts<'_>> {
        if self.continues || self.oversize.is_some() || self.line_offset == 0 {
            return None;
        }
        let length = memchr(b'\n', &self.buffer[self.start..self.filled]).filter(|length| *length <= MAX_LINE_BYTES)?;
        let text = self.start..self.start + length;
        if self.buffer[text.clone()].first().is_none_or(|first| *first <= b' ') {
            return None;
        }
        let offset = self.line_offset;
        self.lines += 1;
        self.start = text.end + 1;
        self.searched = self.start;
        self.line_offset = self.buffer_offset + self.start as u64;
        let text = &self.buffer[text];
        Some(LineParts { text: text.strip_suffix(b"\r").unwrap_or(text), number: self.lines, offset, flaw: None })
    }

    /// The line that the last step found.
    pub fn take(&mut self) -> LineParts<'_> {
        let flaw = self.head.flaw.take();
        LineParts { text: self.head_text(), number: self.head.number, offset: self.head.offset, flaw }
    }

    /// The bytes of the line that the last step found.
    pub fn head_text(&self) -> &[u8] {
        self.head.kept.as_deref().unwrap_or(&self.buffer[self.head.text.clone()])
    }

    /// Offset of the line that the last step found, and the lines before it: where a resumed run has to begin to find it. Nothing of it is told.
    pub fn head_position(&self) -> (u64, u64, u64) {
        (self.head.offset, self.head.lines_before, 0)
    }

    /// Offset after the last line, and the number of lines; a line that broke off stays to be read. So does a last line that was not whole,
    /// of which so many bytes are told: its rest may follow.
    pub fn end_position(&self) -> (u64, u64, u64) {
        if self.is_unfinished {
            return (self.head.offset, self.head.lines_before, self.line_offset - self.head.offset);
        }
        (self.line_offset, self.lines, self.told_up_to.map_or(0, |told| told - self.line_offset))
    }

    /// Goes to where an earlier run stopped. The byte before is read too: unless it is a newline, the earlier run took what the file ended
    /// with for a whole line, and what follows belongs to the same line.
    pub fn skip_to(&mut self, position: &InputPosition, progress: &Progress) -> io::Result<()> {
        let InputPosition { offset, line, unfinished_bytes, .. } = *position;
        self.told_up_to = (unfinished_bytes > 0).then(|| offset + unfinished_bytes);
        let Some(before) = offset.checked_sub(1) else { return Ok(()) };
        if self.stream.seek(before)? {
            self.buffer_offset = before;
        }
        while self.buffer_offset + (self.filled as u64) < offset {
            self.start = self.filled;
            self.searched = self.filled;
            if progress.is_stopped() {
                return Ok(());
            }
            if self.fill(Instant::now)? == Filled::End {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        self.start = (offset - self.buffer_offset) as usize;
        self.searched = self.start;
        self.continues = self.buffer[self.start - 1] != b'\n';
        self.line_offset = offset;
        self.lines = line;
        Ok(())
    }

    /// Makes room and reads one chunk. The part of a line that is already there moves to the front.
    fn fill(&mut self, deadline: impl FnOnce() -> Instant) -> io::Result<Filled> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.filled, 0);
            self.buffer_offset += self.start as u64;
            self.searched -= self.start;
            self.filled -= self.start;
            self.start = 0;
        }
        if self.buffer.len() < self.filled + CHUNK_BYTES {
            self.buffer.resize(self.filled + CHUNK_BYTES, 0);
        }
        let filled = self.stream.fill(&mut self.buffer[self.filled..self.filled + CHUNK_BYTES], deadline)?;
        if let Filled::Bytes(length) = filled {
            self.filled += length;
        }
        Ok(filled)
    }

    /// Moves a line that has become too long out of the buffer, into its measure.
    fn measure(&mut self, end: usize) {
        if self.oversize.is_none() && end - self.start <= MAX_LINE_BYTES {
            return;
        }
        self.oversize.get_or_insert_default().add(&self.buffer[self.start..end]);
        self.start = end;
    }

    /// Makes what there is of the last line the head; false if it is blank, or was told before.
    fn finish_last_line(&mut self) -> bool {
        let is_new = self.finish_line(self.filled, self.filled);
        let text = self.head_text();
        self.is_unfinished = !is_blank(text) && serde_json::from_slice::<IgnoredAny>(text).is_err();
        is_new
    }

    /// Makes the bytes up to `end` the head, and begins a line at `next`; false if the line is blank, or was told before.
    fn finish_line(&mut self, end: usize, next: usize) -> bool {
        let mut text = self.start..end;
        if self.line_offset == 0 && self.buffer[text.clone()].starts_with(BYTE_ORDER_MARK) {
            text.start += BYTE_ORDER_MARK.len();
        }
        if self.buffer[text.clone()].ends_with(b"\r") {
            text.end -= 1;
        }
        let is_blank = self.oversize.is_none() && is_blank(&self.buffer[text.clone()]);
        let ends = [text.end, end].map(|end| self.buffer_offset + end as u64);
        let is_told = self.told_up_to.take().is_some_and(|told| ends.contains(&told));
        let oversize = self.set_head(text);
        self.head.flaw = oversize.map(|oversize| Box::new(Flaw::Oversize(oversize)));
        self.lines = self.head.number;
        self.continues = false;
        self.start = next;
        self.searched = next;
        self.line_offset = self.buffer_offset + next as u64;
        !is_blank && !is_told
    }

    /// Makes what there is of an unfinished line the head, flawed by the error.
    fn break_off(&mut self, error: &io::Error) {
        let readable = self.buffer_offset + self.filled as u64;
        let oversize = self.set_head(self.start..self.filled);
        self.head.flaw = Some(Box::new(Flaw::StreamError { readable, message: error.to_string(), oversize }));
    }

    /// Makes this, or what is kept of a line that is too long, the head, so far without a flaw. Returns the measure of such a line.
    fn set_head(&mut self, text: Range<usize>) -> Option<Oversize> {
        let (kept, measured) = self.oversize.take().map(OversizeLine::finish).unzip();
        self.head = Head {
            text,
            kept,
            number: if self.continues { self.lines } else { self.lines + 1 },
            offset: self.line_offset,
            lines_before: self.lines,
            flaw: None,
        };
        measured
    }
}

fn is_blank(text: &[u8]) -> bool {
    text.first().is_none_or(|&first| first <= b' ') && text.trim_ascii().is_empty()
}

/// A line that is too long to keep, as far as it was read.
#[derive(Default)]
struct OversizeLine {
    kept: Vec<u8>,
    length: u64,
    hasher: Xxh3Default,
}

impl OversizeLine {
    fn add(&mut self, bytes: &[u8]) {
        let room = KEPT_OVERSIZE_BYTES - self.kept.len();
        self.kept.extend_from_slice(&bytes[..room.min(bytes.len())]);
        self.length += bytes.len() as u64;
        self.hasher.update(bytes);
    }

    fn finish(self) -> (Vec<u8>, Oversize) {
        (self.kept, Oversize { length: self.length, hash: self.hasher.digest128() })
    }
}
