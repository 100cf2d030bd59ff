//! A value as it stands in the JSON, before its field says what it must be.

use std::borrow::Cow;
use std::fmt;

use crate::timestamp::format_time;
use bellwether_engine::event::Text;
use bellwether_engine::time::Time;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A value of a field. Lists and objects are read over: no field has one.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Scalar<'a> {
    /// The field is not there.
    #[default]
    Absent,
    Null,
    Boolean(bool),
    Integer(i64),
    /// An integer beyond `i64`.
    HugeInteger(u64),
    /// A number with a point or an exponent, or an integer beyond `u64`.
    Float(f64),
    Text(Text<'a>),
    /// An instant; only a column of a table has one.
    Instant(Time),
    Array,
    Object,
}

impl Scalar<'_> {
    /// The value in words for an error message: at most 60 characters of it.
    pub(crate) fn describe(&self) -> String {
        match self {
            Scalar::Absent => "nothing".into(),
            Scalar::Null => "null".into(),
            Scalar::Boolean(value) => value.to_string(),
            Scalar::Integer(value) => format!("the number {value}"),
            Scalar::HugeInteger(value) => format!("the number {value}"),
            Scalar::Float(value) => format!("the number {value:?}"),
            Scalar::Text(text) => format!("the text {}", quote(text)),
            Scalar::Instant(time) => format!("the time {}", format_time(*time)),
            Scalar::Array => "an array".into(),
            Scalar::Object => "an object".into(),
        }
    }
}

/// Text in quotation marks, escaped and cut.
pub(crate) fn quote(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}...", &text[..end]),
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Scalar::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Scalar::Boolean(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Scalar::Integer(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(value).map_or(Scalar::HugeInteger(value), Scalar::Integer))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Scalar::Float(value))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Array)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Object)
    }
}
