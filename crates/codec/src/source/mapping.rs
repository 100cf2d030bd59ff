//! How the JSON of another system becomes an event: where each attribute and field comes from, and what is made of it.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::Condition;

/// A mapping of foreign JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapping {
    /// Records that meet any of these are skipped.
    pub skip: Vec<Condition>,
    /// The event type. A value that its map does not have is an unknown type.
    pub event_type: FieldMapping,
    /// The id; without one, or where the record has none, it is `topic-partition-offset`.
    pub id: Option<FieldMapping>,
    /// The source; without one it is the topic.
    pub source: Option<FieldMapping>,
    /// The customer.
    pub subject: FieldMapping,
    /// The time; without one it is the timestamp of the record.
    pub time: Option<FieldMapping>,
    /// The data fields by name. Only those are computed that the type of the event knows.
    pub data: Vec<(String, FieldMapping)>,
}

/// Where a value comes from, and what is done to it, in the order of these fields.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldMapping {
    /// Where it comes from.
    pub origin: Origin,
    /// Whether white space around a text goes.
    pub trim: bool,
    /// Whether a text is put in lower case.
    pub lowercase: bool,
    /// Replaces values.
    pub map: Option<ValueMap>,
    /// Makes something else of it.
    pub conversion: Option<Conversion>,
    /// Stands for it where it is missing, null or empty.
    pub default: Option<Value>,
}

impl FieldMapping {
    /// A value as it is.
    #[must_use]
    pub fn of(origin: Origin) -> Self {
        Self { origin, trim: false, lowercase: false, map: None, conversion: None, default: None }
    }
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// From the record's value, by JSON Pointer (RFC 6901).
    Pointer(String),
    /// It is always this.
    Constant(Value),
    /// The record's key, a text.
    Key,
    /// The header of that name, a text.
    Header(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Pointer(pointer) if pointer.is_empty() => formatter.write_str("the whole value"),
            Origin::Pointer(pointer) => formatter.write_str(pointer),
            Origin::Constant(_) => formatter.write_str("a constant"),
            Origin::Key => formatter.write_str("the key"),
            Origin::Header(name) => write!(formatter, "the header `{name}`"),
        }
    }
}

/// Values and what stands for them. Numbers and booleans are looked up as text.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueMap {
    /// What stands for each value.
    pub values: BTreeMap<String, Value>,
    /// What to do with any other.
    pub otherwise: Otherwise,
}

/// What to do with a value that a map does not have.
#[derive(Clone, Debug, PartialEq)]
pub enum Otherwise {
    /// The record is refused.
    Reject,
    /// This stands for it; null leaves the field out.
    Use(Value),
}

/// What is made of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conversion {
    /// A text; of a number its digits.
    Text,
    /// A number; of a text the number that it writes.
    Number,
    /// True or false; of a text `true`, `yes`, `on` or `1`, and their opposites.
    Boolean,
    /// A time; of a number seconds since 1970, with decimals.
    EpochSeconds,
    /// A time; of a number milliseconds since 1970.
    EpochMilliseconds,
    /// A time; of a number microseconds since 1970.
    EpochMicroseconds,
    /// An integer in minor units; of an amount in major units such as 12.34, exactly.
    MinorUnits(Exponent),
    /// A customer; of one of its users.
    CustomerOfUser,
}

/// How many decimals an amount of money has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exponent {
    /// That many.
    Fixed(u8),
    /// As many as the currency has (ISO 4217) whose code stands there, by JSON Pointer.
    OfCurrencyAt(String),
    /// As many as this currency has.
    OfCurrency(String),
}
