//! Feature rows as a Parquet table, for notebooks.

use std::io::Write;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Float64Array, RecordBatch, StringArray, TimestampMillisecondArray};
use bellwether_codec::table::TableError;
use bellwether_engine::expression::ValueType;
use bellwether_engine::feature::FeatureInfo;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use super::labels::LabelledRow;
use crate::observe::row_features;

/// Rows that are turned into columns at once.
const BATCH_ROWS: usize = 8_192;

/// Writes the rows: customer, time, every feature, churned, complete. Booleans are booleans, labels text, and what is absent is null.
///
/// # Errors
///
/// When the table cannot be written.
pub fn write_rows(rows: &[LabelledRow<'_>], to: impl Write + Send) -> Result<(), TableError> {
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut writer = ArrowWriter::try_new(to, columns(&[])?.schema(), Some(properties))?;
    for rows in rows.chunks(BATCH_ROWS) {
        writer.write(&columns(rows)?)?;
    }
    writer.close()?;
    Ok(())
}

fn columns(rows: &[LabelledRow<'_>]) -> Result<RecordBatch, TableError> {
    let times = TimestampMillisecondArray::from_iter_values(rows.iter().map(|row| row.row.at.0)).with_timezone("UTC");
    let flags = |of: fn(&LabelledRow<'_>) -> bool| -> ArrayRef { Arc::new(BooleanArray::from_iter(rows.iter().map(|row| Some(of(row))))) };
    let mut columns: Vec<(&str, ArrayRef, bool)> = vec![
        ("customer", Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.customer))), false),
        ("time", Arc::new(times), false),
    ];
    columns.extend(row_features().map(|feature| (feature.name, values(rows, feature), true)));
    columns.push(("churned", flags(|row| row.churned()), false));
    columns.push(("complete", flags(|row| row.is_complete), false));
    Ok(RecordBatch::try_from_iter_with_nullable(columns)?)
}

fn values(rows: &[LabelledRow<'_>], feature: &FeatureInfo) -> ArrayRef {
    let values = rows.iter().map(|row| row.row.value(feature.feature));
    match feature.value_type {
        ValueType::Number => Arc::new(values.collect::<Float64Array>()),
        ValueType::Boolean => Arc::new(values.map(|value| value.map(|value| value != 0.0)).collect::<BooleanArray>()),
        ValueType::Label(labels) => {
            let label = |value: Option<f64>| value.and_then(|place| labels.get(place as usize).copied());
            Arc::new(values.map(label).collect::<StringArray>())
        }
    }
}
