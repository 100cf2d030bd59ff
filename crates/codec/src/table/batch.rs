//! Some rows of a table, and reading an event from one of them: values go from their columns to the fields of the event's type.

use arrow_array::RecordBatch;
use bellwether_engine::time::Time;

use super::columns::Column;
use super::schema::{CUSTOMER, JOURNAL_TIME, TYPE};
use crate::event::{Columns, DATA_FIELDS, Decoder, Field, Scalar};
use crate::intake::DecodedLine;

/// Rows that were read together.
pub(super) struct Batch {
    pub(super) rows: usize,
    kind: Column,
    /// In our own tables, the watermark at each row.
    journal_time: Option<Column>,
    /// The column of each field; one that is not there holds nothing.
    columns: [Column; DATA_FIELDS],
    /// Whether we wrote it: then users are tokens.
    is_own: bool,
}

impl Columns for Batch {
    #[inline(always)]
    fn scalar(&self, field: Field, row: usize) -> Scalar<'_> {
        self.columns[field as usize].scalar(row)
    }
}

impl Batch {
    /// Takes the columns of a batch, of which the file was found readable.
    pub(super) fn new(batch: &RecordBatch, is_own: bool) -> Self {
        let column = |name: &str| batch.column_by_name(name).and_then(Column::of);
        let mut columns = [const { Column::Nothing }; DATA_FIELDS];
        for field in super::schema::fields().into_iter().chain([Field::Id, Field::Source, Field::Time]) {
            columns[field as usize] = column(field.text()).unwrap_or(Column::Nothing);
        }
        columns[Field::Subject as usize] = column(CUSTOMER).unwrap_or(Column::Nothing);
        Self {
            rows: batch.num_rows(),
            kind: column(TYPE).unwrap_or(Column::Nothing),
            journal_time: column(JOURNAL_TIME).filter(|_| is_own),
            columns,
            is_own,
        }
    }

    /// When a row takes its place among others: at its watermark, or else at its time.
    pub(super) fn arrival(&self, row: usize) -> Option<Time> {
        match &self.journal_time {
            Some(column) => column.instant(row),
            None => match self.scalar(Field::Time, row) {
                Scalar::Instant(time) => Some(time),
                Scalar::Text(text) => crate::timestamp::parse_time(&text).ok(),
                _ => None,
            },
        }
    }

    /// Whether its rows say where the watermark was.
    pub(super) fn has_journal_time(&self) -> bool {
        self.journal_time.is_some()
    }

    /// The event of a row, or why it is none.
    pub(super) fn event<'a>(&'a self, row: usize, decoder: &Decoder) -> DecodedLine<'a> {
        decoder.decode_row(self.kind.scalar(row), self, row, self.is_own)
    }
}
