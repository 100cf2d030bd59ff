//! Inputs read by whoever wants their next lines: for a replay, whose threads read, decode and fold in turn.

use std::io;
use std::sync::Arc;

use super::merge::Merge;
use super::{InputSpec, IntakeError, Progress, RawEpoch, reader};

/// Inputs as a sequence of epochs, each in parts. Unlike [`super::Intake`] it has no thread of its own.
pub struct PartReader {
    merge: Merge,
    progress: Arc<Progress>,
    is_over: bool,
}

impl PartReader {
    /// Opens all inputs, to be read from their starts in parts of at most `part_lines` lines.
    ///
    /// # Errors
    ///
    /// Every input that cannot be read is listed; then nothing was read.
    pub fn open(inputs: &[InputSpec], part_lines: usize) -> Result<Self, IntakeError> {
        let progress = Arc::new(Progress::default());
        let merge = reader::merge(inputs, None, Box::new(io::stdin()), &progress)?.in_parts_of(part_lines);
        Ok(Self { merge, progress, is_over: false })
    }

    /// Reads the next part; nothing after the one that says it is the last. Epochs end where those of [`super::Intake`] do.
    ///
    /// # Errors
    ///
    /// As [`super::Intake::next_epoch`].
    pub fn next_part(&mut self) -> Result<Option<RawEpoch>, IntakeError> {
        if self.is_over {
            return Ok(None);
        }
        let part = self.merge.next_epoch();
        self.is_over = !matches!(&part, Ok(Some(part)) if !part.is_last);
        part
    }

    /// How far it has come; it outlives the reader.
    #[must_use]
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }
}
