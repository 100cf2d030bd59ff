//! Writes a table of events: rows are gathered by column, and go to the file a row group at a time.

use std::io::Write;
use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, Float64Builder, Int64Builder, StringBuilder, TimestampMillisecondBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use bellwether_engine::event::Event;
use bellwether_engine::time::Time;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::schema::types::ColumnPath;

use super::schema::{self, ATTRIBUTES, ID, JOURNAL_TIME, OWN_KEY, OWN_VERSION, TIME};
use super::{BATCH_ROWS, ROW_GROUP_ROWS};
use crate::event::{DATA_FIELDS, FieldType, Value, flatten};
use crate::pseudonym::token_bytes;

/// A table that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the table: {0}")]
pub struct TableError(#[from] ParquetError);

impl From<arrow_schema::ArrowError> for TableError {
    fn from(error: arrow_schema::ArrowError) -> Self {
        Self(error.into())
    }
}

/// A table of events that is being written.
pub struct TableWriter<W: Write + Send> {
    writer: ArrowWriter<W>,
    attributes: Attributes,
    columns: Vec<Column>,
    /// The column of each field.
    column_of: [usize; DATA_FIELDS],
    /// Rows that are gathered and not yet written.
    rows: usize,
}

/// The columns that every event has.
#[derive(Default)]
struct Attributes {
    customer: StringBuilder,
    time: Vec<i64>,
    kind: StringBuilder,
    journal_time: Vec<i64>,
    source: StringBuilder,
    id: StringBuilder,
}

impl<W: Write + Send> TableWriter<W> {
    /// Begins a table.
    ///
    /// # Errors
    ///
    /// When nothing can be written.
    pub fn new(to: W) -> Result<Self, TableError> {
        let schema = schema::schema();
        let properties = WriterProperties::builder()
            .set_writer_version(WriterVersion::PARQUET_1_0)
            .set_compression(Compression::SNAPPY)
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .set_write_batch_size(BATCH_ROWS)
            // What hardly ever repeats is not worth a dictionary, and times grow by little.
            .set_column_dictionary_enabled(ColumnPath::from(ID), false)
            .set_column_dictionary_enabled(ColumnPath::from(TIME), false)
            .set_column_encoding(ColumnPath::from(TIME), Encoding::DELTA_BINARY_PACKED)
            .set_column_dictionary_enabled(ColumnPath::from(JOURNAL_TIME), false)
            .set_column_encoding(ColumnPath::from(JOURNAL_TIME), Encoding::DELTA_BINARY_PACKED)
            .set_key_value_metadata(Some(vec![KeyValue::new(OWN_KEY.to_owned(), OWN_VERSION.to_owned())]))
            .build();
        let fields = schema::fields();
        let mut column_of = [0; DATA_FIELDS];
        fields.iter().enumerate().for_each(|(column, field)| column_of[*field as usize] = column);
        let columns = fields.iter().map(|field| Column::new(field.field_type())).collect();
        let writer = ArrowWriter::try_new(to, schema, Some(properties))?;
        Ok(Self { writer, attributes: Attributes::default(), columns, column_of, rows: 0 })
    }

    /// Appends an event with the watermark at it. Rows come in the order of the journal.
    ///
    /// # Errors
    ///
    /// When the rows gathered so far cannot be written.
    pub fn push(&mut self, event: &Event<'_>, watermark: Time) -> Result<(), TableError> {
        self.attributes.customer.append_value(&event.customer);
        self.attributes.time.push(event.time.0);
        self.attributes.kind.append_value(event.event_type().name());
        self.attributes.journal_time.push(watermark.0);
        self.attributes.source.append_value(&event.source);
        self.attributes.id.append_value(&event.id);
        flatten(event, |field, value| self.columns[self.column_of[field as usize]].put(self.rows, value));
        self.rows += 1;
        if self.rows == BATCH_ROWS { self.write_rows() } else { Ok(()) }
    }

    /// Writes what is left, and ends the table. Returns what it was written to.
    ///
    /// # Errors
    ///
    /// When that fails.
    pub fn finish(mut self) -> Result<W, TableError> {
        self.write_rows()?;
        Ok(self.writer.into_inner()?)
    }

    fn write_rows(&mut self) -> Result<(), TableError> {
        let rows = std::mem::take(&mut self.rows);
        let attributes = &mut self.attributes;
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(ATTRIBUTES + self.columns.len());
        arrays.push(Arc::new(attributes.customer.finish()));
        arrays.push(times(&mut attributes.time));
        arrays.push(Arc::new(attributes.kind.finish()));
        arrays.push(times(&mut attributes.journal_time));
        arrays.push(Arc::new(attributes.source.finish()));
        arrays.push(Arc::new(attributes.id.finish()));
        arrays.extend(self.columns.iter_mut().map(|column| column.finish(rows)));
        self.writer.write(&RecordBatch::try_new(schema::schema(), arrays)?)?;
        Ok(())
    }
}

fn times(times: &mut Vec<i64>) -> ArrayRef {
    Arc::new(arrow_array::TimestampMillisecondArray::from(std::mem::take(times)).with_timezone("UTC"))
}

/// Values of one field. Rows without one are made up for once there is one again.
struct Column {
    values: Values,
    rows: usize,
}

enum Values {
    Text(StringBuilder),
    Integer(Int64Builder),
    Number(Float64Builder),
    Boolean(BooleanBuilder),
    Time(TimestampMillisecondBuilder),
}

impl Column {
    fn new(field_type: FieldType) -> Self {
        let values = match field_type {
            FieldType::Text => Values::Text(StringBuilder::new()),
            FieldType::Integer => Values::Integer(Int64Builder::new()),
            FieldType::Number => Values::Number(Float64Builder::new()),
            FieldType::Boolean => Values::Boolean(BooleanBuilder::new()),
            FieldType::Time => Values::Time(TimestampMillisecondBuilder::new().with_timezone("UTC")),
        };
        Self { values, rows: 0 }
    }

    /// Puts a value into a row.
    ///
    /// # Panics
    ///
    /// When the value is not of the column's type, which a test of all event types rules out.
    fn put(&mut self, row: usize, value: Value<'_>) {
        self.pad(row);
        self.rows += 1;
        match (&mut self.values, value) {
            (Values::Text(builder), Value::Text(text)) => builder.append_value(text),
            (Values::Text(builder), Value::User(token)) => builder.append_value(String::from_utf8_lossy(&token_bytes(token))),
            (Values::Integer(builder), Value::Integer(integer)) => builder.append_value(integer),
            (Values::Number(builder), Value::Number(number)) => builder.append_value(number),
            (Values::Boolean(builder), Value::Boolean(boolean)) => builder.append_value(boolean),
            (Values::Time(builder), Value::Time(time)) => builder.append_value(time.0),
            (_, value) => unreachable!("a column of another type than {value:?}"),
        }
    }

    /// Appends nulls up to a row.
    fn pad(&mut self, row: usize) {
        let missing = row - std::mem::replace(&mut self.rows, row);
        match &mut self.values {
            Values::Text(builder) => builder.append_nulls(missing),
            Values::Integer(builder) => builder.append_nulls(missing),
            Values::Number(builder) => builder.append_nulls(missing),
            Values::Boolean(builder) => builder.append_nulls(missing),
            Values::Time(builder) => builder.append_nulls(missing),
        }
    }

    fn finish(&mut self, rows: usize) -> ArrayRef {
        self.pad(rows);
        self.rows = 0;
        match &mut self.values {
            Values::Text(builder) => Arc::new(builder.finish()),
            Values::Integer(builder) => Arc::new(builder.finish()),
            Values::Number(builder) => Arc::new(builder.finish()),
            Values::Boolean(builder) => Arc::new(builder.finish()),
            Values::Time(builder) => Arc::new(builder.finish()),
        }
    }
}
