//! One Parquet file, read a batch of rows at a time.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_schema::{DataType, Field as ArrowField, Schema};
use bellwether_engine::time::Time;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::statistics::Statistics;

use super::BATCH_ROWS;
use super::batch::Batch;
use super::columns::{is_readable, milliseconds, wanted};
use super::schema::{JOURNAL_TIME, OWN_KEY, OWN_VERSION, REQUIRED, TIME, fields};

/// A table that is being read.
pub(super) struct TableFile {
    file: File,
    metadata: ArrowReaderMetadata,
    is_own: bool,
    /// The columns that are read, by their index in the file.
    columns: Vec<usize>,
    next_row_group: usize,
    rows: Option<ParquetRecordBatchReader>,
}

impl TableFile {
    /// Opens a table, and looks whether it is one of events.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let text = |error: parquet::errors::ParquetError| error.to_string();
        let file = File::open(path).map_err(|error| error.to_string())?;
        // What other tools say of their own types would only add types to understand.
        let plain = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let found = ArrowReaderMetadata::load(&file, plain).map_err(text)?;
        let columns = columns(found.schema())?;
        let read = |(index, field): (usize, &Arc<ArrowField>)| {
            if !columns.contains(&index) {
                return field.as_ref().clone();
            }
            ArrowField::new(field.name(), wanted(field.data_type()), field.is_nullable())
        };
        let schema = Schema::new(found.schema().fields().iter().enumerate().map(read).collect::<Vec<_>>());
        let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
        let metadata = ArrowReaderMetadata::try_new(Arc::clone(found.metadata()), options).map_err(text)?;
        let about = metadata.metadata().file_metadata().key_value_metadata();
        let own = about.and_then(|about| about.iter().find(|entry| entry.key == OWN_KEY)).and_then(|entry| entry.value.as_deref());
        if let Some(version) = own.filter(|version| *version != OWN_VERSION) {
            return Err(format!("a table of version {version}, of which this program knows nothing: it reads version {OWN_VERSION}"));
        }
        let is_own = own.is_some();
        Ok(Self { file, metadata, is_own, columns, next_row_group: 0, rows: None })
    }

    /// Where in time its first row may lie at the earliest, as far as the file says.
    pub(super) fn earliest(&self) -> Option<Time> {
        let (name, groups) = (if self.is_own { JOURNAL_TIME } else { TIME }, self.metadata.metadata().row_groups());
        let index = self.metadata.schema().index_of(name).ok()?;
        let DataType::Timestamp(unit, _) = self.metadata.schema().field(index).data_type() else { return None };
        let least = |group: &RowGroupMetaData| match leaf(group, name).and_then(|leaf| group.column(leaf).statistics()) {
            Some(Statistics::Int64(found)) => found.min_opt().map(|value| milliseconds(*value, *unit)),
            _ => None,
        };
        groups.iter().map(least).collect::<Option<Vec<i64>>>()?.into_iter().min().map(Time)
    }

    /// The next rows; nothing at the end.
    pub(super) fn next_batch(&mut self) -> Result<Option<Batch>, String> {
        loop {
            if let Some(rows) = &mut self.rows {
                match rows.next() {
                    Some(batch) => return Ok(Some(Batch::new(&batch.map_err(|error| error.to_string())?, self.is_own))),
                    None => self.rows = None,
                }
            }
            if self.next_row_group >= self.metadata.metadata().num_row_groups() {
                return Ok(None);
            }
            self.open_row_group().map_err(|error| error.to_string())?;
            self.next_row_group += 1;
        }
    }

    /// Bytes of the row groups that are read or being read.
    pub(super) fn bytes_read(&self) -> u64 {
        let groups = &self.metadata.metadata().row_groups()[..self.next_row_group];
        groups.iter().map(|group| u64::try_from(group.compressed_size()).unwrap_or_default()).sum()
    }

    /// Opens the next row group, without the columns of which it has only nulls: of the many fields few occur.
    fn open_row_group(&mut self) -> Result<(), parquet::errors::ParquetError> {
        let metadata = self.metadata.metadata();
        let group = metadata.row_group(self.next_row_group);
        let schema = self.metadata.schema();
        let has_values = |index: &usize| !is_null(group, schema.field(*index).name());
        let columns = self.columns.iter().copied().filter(has_values);
        let mask = ProjectionMask::roots(metadata.file_metadata().schema_descr(), columns);
        let rows = ParquetRecordBatchReaderBuilder::new_with_metadata(self.file.try_clone()?, self.metadata.clone())
            .with_row_groups(vec![self.next_row_group])
            .with_projection(mask)
            .with_batch_size(BATCH_ROWS)
            .build()?;
        self.rows = Some(rows);
        Ok(())
    }
}

/// The columns that an event is read from, of those that a file has.
fn columns(schema: &Schema) -> Result<Vec<usize>, String> {
    let missing: Vec<&str> = REQUIRED.into_iter().filter(|name| schema.index_of(name).is_err()).collect();
    if !missing.is_empty() {
        let (missing, required) = (missing.join(", "), REQUIRED.join(", "));
        return Err(format!("no table of events: it lacks the columns {missing}; needed are {required}"));
    }
    let mut names: Vec<&str> = fields().into_iter().map(crate::event::Field::text).collect();
    names.extend(REQUIRED);
    names.push(JOURNAL_TIME);
    let mut columns = Vec::new();
    for (index, field) in schema.fields().iter().enumerate().filter(|(_, field)| names.contains(&field.name().as_str())) {
        if !is_readable(&wanted(field.data_type())) {
            let wanted = "text, integers of up to 64 bits with a sign, floating point, booleans, timestamps and dates are read";
            return Err(format!("the column {} is of the type {}: {wanted}", field.name(), field.data_type()));
        }
        columns.push(index);
    }
    Ok(columns)
}

/// Where a column that holds no others is among the columns of a row group.
fn leaf(group: &RowGroupMetaData, name: &str) -> Option<usize> {
    group.columns().iter().position(|column| matches!(column.column_path().parts(), [only] if only == name))
}

fn is_null(group: &RowGroupMetaData, name: &str) -> bool {
    let statistics = leaf(group, name).and_then(|leaf| group.column(leaf).statistics());
    let nulls = statistics.and_then(Statistics::null_count_opt);
    nulls.is_some_and(|nulls| i64::try_from(nulls) == Ok(group.num_rows()))
}
