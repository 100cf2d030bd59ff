//! One input of a merge: its lines, its merge key, and its position.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::epoch::LineParts;
use super::input::{FileInput, Packing, STANDARD_INPUT_NAME};
use super::lines::{LineReader, Step};
use super::standard_input::StandardInput;
use super::stream::ByteStream;
use super::{InputPosition, InputProblem, IntakeError, Present, Progress, peek};

/// An input that is being read.
///
/// Its merge key is the largest `time` of its lines so far, the present one included: a line without a readable time,
/// or with an earlier one than its predecessors, follows them at once. So does a line dated after the present, which will be refused: it must
/// not hold back the rest of its input until all others are read.
pub(super) struct Source {
    pub name: String,
    /// Gone once the input is at its end.
    lines: Option<LineReader>,
    /// Where the input stands, the present line not counted; standard input has none.
    position: Option<InputPosition>,
    /// The offset to skip to before the first line.
    is_behind: bool,
    /// Whether its length is known only at its end.
    grows: bool,
    key_ms: i64,
}

/// Why a file cannot be an input.
pub(super) enum Refusal {
    Unreadable(InputProblem),
    Changed(InputProblem),
}

impl Source {
    /// Opens a file, at the position where an earlier run left it. One of a directory that is followed tells when it is complete.
    pub fn open(
        input: &FileInput,
        earlier: Option<&InputPosition>,
        is_complete: Option<&Arc<AtomicBool>>,
        progress: &Arc<Progress>,
    ) -> Result<Self, Refusal> {
        let refuse = |error: io::Error| Refusal::Unreadable(InputProblem::new(&input.name, error.to_string()));
        let mut file = File::open(&input.path).map_err(refuse)?;
        let file_length = file.metadata().map_err(refuse)?.len();
        progress.add_total(file_length);
        let mut position = InputPosition::start(input.name.clone(), &mut file, file_length).map_err(refuse)?;
        if let Some(earlier) = earlier {
            if !earlier.is_of(&mut file).map_err(refuse)? {
                let problem = "its beginning differs from the file that was read under this name";
                return Err(Refusal::Changed(InputProblem::new(&input.name, problem)));
            }
            position.advance_to(earlier);
        }
        let lines = if position.ended {
            progress.add(file_length);
            None
        } else {
            let stream = match is_complete.filter(|_| input.packing == Packing::Plain) {
                Some(is_complete) => ByteStream::growing(file, is_complete, Arc::clone(progress)),
                None => ByteStream::open(file, file_length, input.packing, Arc::clone(progress)).map_err(refuse)?,
            };
            Some(LineReader::new(stream))
        };
        let key_ms = position.running_max_time_ms;
        let is_behind = position.offset > 0 || position.unfinished_bytes > 0;
        let grows = is_complete.is_some() && input.packing == Packing::Plain;
        Ok(Self { name: input.name.clone(), lines, position: Some(position), is_behind, grows, key_ms })
    }

    /// Reads standard input, from wherever it is.
    pub fn standard_input(input: Box<dyn Read + Send>, progress: Arc<Progress>) -> io::Result<Self> {
        let lines = LineReader::new(ByteStream::StandardInput(StandardInput::spawn(input, progress)?));
        Ok(Self {
            name: STANDARD_INPUT_NAME.to_owned(),
            lines: Some(lines),
            position: None,
            is_behind: false,
            grows: false,
            key_ms: i64::MIN,
        })
    }

    /// Goes to the next line. Its time is looked at only when there is something to merge with.
    pub fn advance(&mut self, by_time: bool, present: &mut Present, progress: &Progress) -> Result<Step, IntakeError> {
        let Some(lines) = &mut self.lines else { return Ok(Step::End) };
        if self.is_behind
            && let Some(position) = &self.position
        {
            lines.skip_to(position, progress).map_err(|error| {
                let problem = format!("it is shorter than what was already read of it ({} bytes): {error}", position.offset);
                IntakeError::Changed(vec![InputProblem::new(&self.name, problem)])
            })?;
            self.is_behind = false;
        }
        if progress.is_stopped() {
            return Ok(Step::Idle);
        }
        let step = lines.advance();
        let (offset, line, unfinished_bytes) = match step {
            Step::Line => lines.head_position(),
            // The line before was taken, and the next one is not whole yet, or there is none.
            Step::Idle | Step::End => lines.end_position(),
        };
        if let Some(position) = &mut self.position {
            position.offset = offset;
            position.line = line;
            position.unfinished_bytes = unfinished_bytes;
            position.running_max_time_ms = self.key_ms;
            position.ended = step == Step::End;
            if position.ended && self.grows {
                position.file_length = offset + unfinished_bytes;
            }
        }
        match step {
            Step::Line if by_time => {
                let time_ms = peek::time_ms(lines.head_text()).filter(|time_ms| present.admits(*time_ms));
                self.key_ms = self.key_ms.max(time_ms.unwrap_or(i64::MIN));
            }
            Step::Line | Step::Idle => {}
            Step::End => self.lines = None,
        }
        Ok(step)
    }

    /// Goes behind the line that was taken, where it is not to be read any further.
    pub fn leave(&mut self) {
        if let (Some(lines), Some(position), false) = (&self.lines, &mut self.position, self.is_behind) {
            (position.offset, position.line, position.unfinished_bytes) = lines.end_position();
            position.running_max_time_ms = self.key_ms;
        }
    }

    /// The present line.
    pub fn take(&mut self) -> Option<LineParts<'_>> {
        self.lines.as_mut().map(LineReader::take)
    }

    /// The line behind the one that was taken, if it was read already.
    pub fn take_buffered(&mut self) -> Option<LineParts<'_>> {
        self.lines.as_mut().and_then(LineReader::take_buffered)
    }

    /// Whether it can be read only once, so that what was read of it must be taken in.
    pub fn is_standard_input(&self) -> bool {
        self.position.is_none()
    }

    pub fn key_ms(&self) -> i64 {
        self.key_ms
    }

    /// Where a resumed run has to go on, once every line taken before is committed.
    pub fn position(&self) -> Option<&InputPosition> {
        self.position.as_ref()
    }
}
