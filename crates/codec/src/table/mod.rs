//! Tables of events, as Parquet: what other tools read and write. A row is an event; its attributes and all data fields are columns.
//!
//! Text is text, times are timestamps in UTC, amounts are integers in minor units; what an event does not have is null, and defaults are
//! written out. `journal_time` is the watermark at the row: rows are in the order of the journal, so a table is replayed as its journal is.

mod batch;
mod columns;
mod file;
mod merge;
mod rows;
mod schema;
mod write;

pub use rows::{DecodedRows, RawRows};
pub use write::{TableError, TableWriter};

pub(crate) use merge::TableMerge;

/// The extension of a file that holds a table.
pub const TABLE_EXTENSION: &str = "parquet";

/// Rows of a row group: what a writer holds in memory, and a reader may skip.
const ROW_GROUP_ROWS: usize = 1 << 17;

/// Rows that are taken from a file, or put into one, at once.
const BATCH_ROWS: usize = 16_384;
