//! Rows of tables as a part of an epoch, and their events, which borrow from the columns.

use std::ops::Range;
use std::sync::Arc;

use bellwether_engine::time::Time;
use self_cell::self_cell;

use super::batch::Batch;
use crate::event::Decoder;
use crate::intake::DecodedLine;

/// Rows of one batch.
pub(super) struct Stretch {
    pub(super) batch: Arc<Batch>,
    pub(super) rows: Range<usize>,
}

/// Consecutive rows in merged order, not yet read as events.
#[derive(Default)]
pub struct RawRows {
    pub(super) stretches: Vec<Stretch>,
    /// Whether an epoch ends with these rows.
    pub is_end: bool,
    /// Whether there are no more.
    pub is_last: bool,
}

impl RawRows {
    pub(super) fn len(&self) -> usize {
        self.stretches.iter().map(|stretch| stretch.rows.len()).sum()
    }
}

/// An event for each row, or why it is none.
type DecodedLines<'a> = Vec<DecodedLine<'a>>;

self_cell! {
    struct Cell {
        owner: RawRows,

        #[covariant]
        dependent: DecodedLines,
    }
}

/// Rows with their events.
pub struct DecodedRows {
    cell: Cell,
    watermarks: Vec<Option<Time>>,
}

impl DecodedRows {
    /// Reads an event from every row.
    #[must_use]
    pub fn decode(raw: RawRows, decoder: &Decoder) -> Self {
        let mut watermarks = Vec::with_capacity(raw.len());
        for Stretch { batch, rows } in &raw.stretches {
            let watermark = |row| if batch.has_journal_time() { batch.arrival(row) } else { None };
            watermarks.extend(rows.clone().map(watermark));
        }
        Self { cell: Cell::new(raw, |raw| lines(raw, decoder)), watermarks }
    }

    /// The event of each row, or why it is none.
    pub fn lines(&self) -> &[DecodedLine<'_>] {
        self.cell.borrow_dependent()
    }

    /// The watermark at each row, where the table says it.
    #[must_use]
    pub fn watermarks(&self) -> &[Option<Time>] {
        &self.watermarks
    }

    /// Whether an epoch ends with these rows.
    #[must_use]
    pub fn is_end(&self) -> bool {
        self.cell.borrow_owner().is_end
    }

    /// Whether there are no more.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.cell.borrow_owner().is_last
    }
}

fn lines<'a>(raw: &'a RawRows, decoder: &Decoder) -> DecodedLines<'a> {
    let mut lines = Vec::with_capacity(raw.len());
    for stretch in &raw.stretches {
        lines.extend(stretch.rows.clone().map(|number| stretch.batch.event(number, decoder)));
    }
    lines
}
