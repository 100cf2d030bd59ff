//! Tables that other tools have written.

use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BinaryArray, Date32Array, Float64Array, Int32Array, LargeStringArray, RecordBatch, StringArray, TimestampMicrosecondArray,
    TimestampNanosecondArray,
};
use parquet::arrow::ArrowWriter;
use tempfile::TempDir;

use super::{GOLDEN, parts, rows, write};
use bellwether_codec::pseudonym::{Pseudonymiser, token_text};
use bellwether_engine::time::Time;

fn columns(kinds: &[&str]) -> Vec<(&'static str, ArrayRef)> {
    let rows = kinds.len();
    vec![
        ("customer", Arc::new(LargeStringArray::from(vec!["c-1"; rows])) as ArrayRef),
        ("time", Arc::new(TimestampMicrosecondArray::from(vec![1_772_352_900_000_999; rows]))),
        ("type", Arc::new(StringArray::from(kinds.to_vec()))),
        ("source", Arc::new(BinaryArray::from(vec![b"/warehouse".as_slice(); rows]))),
        ("id", Arc::new(Int32Array::from_iter_values(0..rows as i32))),
    ]
}

fn write_columns(directory: &TempDir, columns: Vec<(&str, ArrayRef)>) -> PathBuf {
    let path = directory.path().join("foreign.parquet");
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    path
}

#[track_caller]
fn check(columns: Vec<(&str, ArrayRef)>, expected: &[&str]) {
    let directory = tempfile::tempdir().unwrap();
    let path = write_columns(&directory, columns);
    assert_eq!(rows(&[&path], 100).into_iter().map(|row| row.text).collect::<Vec<_>>(), expected);
}

#[track_caller]
fn check_refused(columns: Vec<(&str, ArrayRef)>, expected: &[&str]) {
    let directory = tempfile::tempdir().unwrap();
    let path = write_columns(&directory, columns);
    let error = parts(&[&path], 100).unwrap_err().to_string();
    expected.iter().for_each(|text| assert!(error.contains(text), "`{text}` is not in: {error}"));
}

#[test]
fn other_types_of_the_same_meaning_are_read_and_users_are_pseudonymised() {
    let mut columns = columns(&["usage", "subscription.renewed", "login"]);
    let texts = |texts: [Option<&str>; 3]| -> ArrayRef { Arc::new(StringArray::from(texts.to_vec())) };
    columns.extend([
        ("feature", texts([Some("export"), None, None])),
        ("user", texts([None, None, Some("u7")])),
        ("subscription", texts([None, Some("s"), Some("of no login")])),
        ("count", Arc::new(Float64Array::from(vec![Some(3.0), None, Some(f64::NAN)])) as ArrayRef),
        ("value", Arc::new(Float64Array::from(vec![Some(0.5), None, None]))),
        ("period_end", Arc::new(Date32Array::from(vec![None, Some(20_544), None]))),
        ("time_of_loading", Arc::new(TimestampNanosecondArray::from(vec![1, 2, 3]))),
    ]);
    let event = |id: u32, kind: &str, data: &str| {
        format!(
            r#"{{"specversion":"1.0","id":"{id}","source":"/warehouse","type":"{kind}","subject":"c-1","time":"2026-03-01T08:15:00Z","data":{{{data}}}}}"#
        )
    };
    let token = token_text(Pseudonymiser::default().token("u7"));
    let expected = [
        event(0, "usage", r#""feature":"export","count":3,"value":0.5"#),
        event(1, "subscription.renewed", r#""subscription":"s","period_end":"2026-04-01T00:00:00Z""#),
        event(2, "login", &format!(r#""user":"{token}""#)),
    ];
    check(columns, &expected.each_ref().map(String::as_str));
}

#[test]
fn rows_that_are_no_events_are_refused_one_by_one() {
    let mut columns = columns(&["usage", "page.viewed", "usage"]);
    columns.push(("feature", Arc::new(StringArray::from(vec![None, None, Some("x")])) as ArrayRef));
    columns.push(("count", Arc::new(Float64Array::from(vec![1.0, 1.0, 0.5]))));
    let (missing, unknown) = ("missing_field: data.feature is missing", "unknown_type: type: \"page.viewed\" is unknown");
    check(columns, &[missing, unknown, "wrong_type: data.count: expected an integer, found the number 0.5"]);
}

#[test]
fn a_table_that_cannot_be_one_of_events_is_told_before_anything_is_read() {
    let lacking = columns(&["login"]).into_iter().filter(|(name, _)| !["id", "source"].contains(name)).collect();
    check_refused(lacking, &["foreign.parquet: no table of events: it lacks the columns source, id", "needed are customer, time, type"]);
    let mut odd = columns(&["login"]);
    odd.push(("mrr_minor", Arc::new(arrow_array::Decimal128Array::from(vec![1])) as ArrayRef));
    check_refused(odd, &["the column mrr_minor is of the type Decimal128"]);
}

#[test]
fn damage_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let lines: Vec<(&str, Time)> = GOLDEN.lines().map(|line| (line, Time(1))).collect();
    let path = write(&directory, "golden.parquet", &lines);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let error = parts(&[&path], 100).unwrap_err().to_string();
    assert!(error.starts_with("cannot read the input") && error.contains("golden.parquet"), "{error}");
    // The end of the file says what it is, so that a broken page is met only on the way.
    let mut broken = whole.clone();
    broken[4..2_000].fill(0xff);
    fs::write(&path, &broken).unwrap();
    let error = parts(&[&path], 100).unwrap_err().to_string();
    assert!(error.starts_with("cannot read on in the input"), "{error}");
}
