//! A column as it was read: whatever physical type a tool has given it, as one of five kinds.

use std::borrow::Cow;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type,
};
use arrow_array::{Array, ArrayRef, BooleanArray, Float64Array, Int64Array, StringViewArray};
use arrow_schema::{DataType, TimeUnit};
use bellwether_engine::time::{DAY_MS, SECOND_MS, Time};

use crate::event::Scalar;

/// The values of a column in some rows.
pub(super) enum Column {
    Text(StringViewArray),
    Integer(Int64Array),
    Number(Float64Array),
    Boolean(BooleanArray),
    /// Milliseconds since the epoch.
    Instant(Int64Array),
    /// Nothing but nulls.
    Nothing,
}

impl Column {
    /// The values of an array; `None` if its type [is not readable](is_readable).
    pub(super) fn of(array: &ArrayRef) -> Option<Self> {
        Some(match array.data_type() {
            DataType::Utf8View => Self::Text(array.as_string_view().clone()),
            DataType::Boolean => Self::Boolean(array.as_boolean().clone()),
            DataType::Int64 => Self::Integer(array.as_primitive::<Int64Type>().clone()),
            DataType::Int8 => Self::Integer(integers::<Int8Type>(array)),
            DataType::Int16 => Self::Integer(integers::<Int16Type>(array)),
            DataType::Int32 => Self::Integer(integers::<Int32Type>(array)),
            DataType::UInt8 => Self::Integer(integers::<UInt8Type>(array)),
            DataType::UInt16 => Self::Integer(integers::<UInt16Type>(array)),
            DataType::UInt32 => Self::Integer(integers::<UInt32Type>(array)),
            DataType::Float64 => Self::Number(array.as_primitive::<Float64Type>().clone()),
            DataType::Float32 => Self::Number(array.as_primitive::<Float32Type>().unary(f64::from)),
            DataType::Timestamp(unit, _) => Self::Instant(instants(array, *unit)),
            DataType::Date32 => Self::Instant(array.as_primitive::<Date32Type>().unary(|days| i64::from(days) * DAY_MS)),
            DataType::Null => Self::Nothing,
            _ => return None,
        })
    }

    /// The value in a row. A call of its own would return it through memory, from where it is dear to read at once.
    #[inline(always)]
    pub(super) fn scalar(&self, row: usize) -> Scalar<'_> {
        match self {
            Self::Text(array) if array.is_valid(row) => Scalar::Text(Cow::Borrowed(array.value(row))),
            Self::Integer(array) if array.is_valid(row) => Scalar::Integer(array.value(row)),
            Self::Number(array) if array.is_valid(row) => number(array.value(row)),
            Self::Boolean(array) if array.is_valid(row) => Scalar::Boolean(array.value(row)),
            Self::Instant(array) if array.is_valid(row) => Scalar::Instant(Time(array.value(row))),
            _ => Scalar::Absent,
        }
    }

    /// The instant in a row, if it holds one.
    pub(super) fn instant(&self, row: usize) -> Option<Time> {
        match self {
            Self::Instant(array) if array.is_valid(row) => Some(Time(array.value(row))),
            _ => None,
        }
    }
}

/// A number as JSON has it: not-a-number is how some tools write that there is none, and a whole number may be a count that a tool made a
/// fraction because others are missing.
fn number(value: f64) -> Scalar<'static> {
    // Up to here a whole number is exact.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.is_nan() {
        Scalar::Absent
    } else if value.fract() == 0.0 && value.abs() < EXACT && (value != 0.0 || value.is_sign_positive()) {
        Scalar::Integer(value as i64)
    } else {
        Scalar::Float(value)
    }
}

/// The type in which a column is to be read, of the type that the file says.
pub(super) fn wanted(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Binary | DataType::LargeBinary => DataType::Utf8View,
        other => other.clone(),
    }
}

/// Whether a column of this type can be read.
pub(super) fn is_readable(data_type: &DataType) -> bool {
    use DataType as T;
    matches!(
        data_type,
        T::Utf8View
            | T::Boolean
            | T::Int8
            | T::Int16
            | T::Int32
            | T::Int64
            | T::UInt8
            | T::UInt16
            | T::UInt32
            | T::Float32
            | T::Float64
            | T::Timestamp(..)
            | T::Date32
            | T::Null
    )
}

/// Milliseconds of an instant in this unit, rounded down.
pub(super) fn milliseconds(value: i64, unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => value.saturating_mul(SECOND_MS),
        TimeUnit::Millisecond => value,
        TimeUnit::Microsecond => value.div_euclid(1_000),
        TimeUnit::Nanosecond => value.div_euclid(1_000_000),
    }
}

fn integers<T: ArrowPrimitiveType<Native: Into<i64>>>(array: &ArrayRef) -> Int64Array {
    array.as_primitive::<T>().unary(Into::into)
}

fn instants(array: &ArrayRef, unit: TimeUnit) -> Int64Array {
    match unit {
        TimeUnit::Second => array.as_primitive::<TimestampSecondType>().unary(|value| milliseconds(value, unit)),
        TimeUnit::Millisecond => array.as_primitive::<TimestampMillisecondType>().reinterpret_cast(),
        TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().unary(|value| milliseconds(value, unit)),
        TimeUnit::Nanosecond => array.as_primitive::<TimestampNanosecondType>().unary(|value| milliseconds(value, unit)),
    }
}
