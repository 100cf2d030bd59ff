//! Inputs read by whoever wants their next lines or rows: for a replay, whose threads read, decode and fold in turn.

use std::io;
use std::sync::Arc;

use super::input::{InputList, Packing};
use super::merge::Merge;
use super::{DecodedEpoch, DecodedLine, InputProblem, InputSpec, IntakeError, Present, Progress, RawEpoch, reader};
use crate::event::Decoder;
use crate::table::{DecodedRows, RawRows, TableMerge};
use bellwether_engine::time::Time;

/// Inputs as a sequence of epochs, each in parts. Unlike [`super::Intake`] it has no thread of its own, and it reads tables too.
pub struct PartReader {
    inputs: Inputs,
    progress: Arc<Progress>,
    is_over: bool,
}

enum Inputs {
    Lines(Box<Merge>),
    Tables(TableMerge),
}

/// A part of an epoch as it was read.
pub enum RawPart {
    /// Lines of JSON.
    Lines(RawEpoch),
    /// Rows of tables.
    Rows(RawRows),
}

/// A part of an epoch with its events.
pub enum DecodedPart {
    /// Of lines of JSON.
    Lines(DecodedEpoch),
    /// Of rows of tables.
    Rows(DecodedRows),
}

impl PartReader {
    /// Opens all inputs, to be read from their starts in parts of at most `part_lines` lines or rows. `ingest_clock` is what the events will be
    /// sequenced against: what is refused by it does not order several inputs.
    ///
    /// # Errors
    ///
    /// Every input that cannot be read is listed; then nothing was read.
    pub fn open(inputs: &[InputSpec], part_lines: usize, ingest_clock: Option<Time>) -> Result<Self, IntakeError> {
        let present = Present::new(move || ingest_clock);
        let progress = Arc::new(Progress::default());
        let list = InputList::expand(inputs)?;
        let has_tables = list.files.iter().any(|file| file.packing == Packing::Table);
        let inputs = if has_tables {
            if let Some(other) = list.files.iter().find(|file| file.packing != Packing::Table) {
                let problem = "lines cannot be merged with tables: give Parquet files alone, or files of JSON Lines alone";
                return Err(IntakeError::Unreadable(vec![InputProblem::new(&other.name, problem)]));
            }
            let files = list.files.into_iter().map(|file| (file.name, file.path)).collect();
            Inputs::Tables(TableMerge::open(files, part_lines, present, Arc::clone(&progress))?)
        } else {
            Inputs::Lines(Box::new(reader::merge(inputs, None, present, Box::new(io::stdin()), &progress)?.in_parts_of(part_lines)))
        };
        Ok(Self { inputs, progress, is_over: false })
    }

    /// Reads the next part; nothing after the one that says it is the last. Epochs of lines end where those of [`super::Intake`] do.
    ///
    /// # Errors
    ///
    /// As [`super::Intake::next_epoch`], and a table that is damaged.
    pub fn next_part(&mut self) -> Result<Option<RawPart>, IntakeError> {
        if self.is_over {
            return Ok(None);
        }
        let part = match &mut self.inputs {
            Inputs::Lines(merge) => merge.next_epoch().map(|epoch| epoch.map(RawPart::Lines)),
            Inputs::Tables(merge) => merge.next_part().map(|rows| Some(RawPart::Rows(rows))),
        };
        self.is_over = !matches!(&part, Ok(Some(part)) if !part.is_last());
        part
    }

    /// How far it has come; it outlives the reader.
    #[must_use]
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }
}

impl RawPart {
    /// Whether the inputs are exhausted.
    #[must_use]
    pub fn is_last(&self) -> bool {
        match self {
            Self::Lines(epoch) => epoch.is_last,
            Self::Rows(rows) => rows.is_last,
        }
    }
}

impl DecodedPart {
    /// Decodes every line or row; with `parallel`, lines on all threads of the present rayon pool.
    #[must_use]
    pub fn decode(raw: RawPart, decoder: &Decoder, parallel: bool) -> Self {
        match raw {
            RawPart::Lines(raw) => Self::Lines(DecodedEpoch::decode(raw, decoder, parallel)),
            RawPart::Rows(raw) => Self::Rows(DecodedRows::decode(raw, decoder)),
        }
    }

    /// The event of each line or row, or why it is none.
    pub fn lines(&self) -> &[DecodedLine<'_>] {
        match self {
            Self::Lines(epoch) => epoch.lines(),
            Self::Rows(rows) => rows.lines(),
        }
    }

    /// The watermark at each row of tables that say it.
    #[must_use]
    pub fn watermarks(&self) -> &[Option<Time>] {
        match self {
            Self::Lines(_) => &[],
            Self::Rows(rows) => rows.watermarks(),
        }
    }

    /// Whether the epoch ends with these.
    #[must_use]
    pub fn is_end(&self) -> bool {
        match self {
            Self::Lines(epoch) => epoch.raw().is_end,
            Self::Rows(rows) => rows.is_end(),
        }
    }

    /// Whether the inputs are exhausted.
    #[must_use]
    pub fn is_last(&self) -> bool {
        match self {
            Self::Lines(epoch) => epoch.raw().is_last,
            Self::Rows(rows) => rows.is_last(),
        }
    }
}
