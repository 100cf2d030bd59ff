//! What the fields must hold: conversions with a precise rejection. `null` and empty text count as absent.

use bellwether_engine::event::{Currency, Text, UserToken};
use bellwether_engine::time::Time;

use super::Users;
use super::names::Field;
use super::scalar::{Scalar, quote};
use crate::pseudonym::parse_token;
use crate::rejection::{RejectReason, Rejection};
use crate::timestamp::{self, TIME_LIMIT, TimeError};

/// The longest text in an event, in bytes: ids, names, sources, customers.
pub const TEXT_MAX_BYTES: usize = 256;

/// The longest cancellation reason that counts as a code, in bytes; a longer one is free text and becomes `other`.
pub const REASON_MAX_BYTES: usize = 64;

/// What an id must be.
const ID: &str = "a text or an integer";

type Found<T> = Result<Option<T>, Rejection>;

/// Named values from which the parts of an event are taken, each at most once.
pub(super) trait Values<'a> {
    /// What stands before their names in rejections: `data.`, or nothing.
    fn prefix(&self) -> &'static str;

    /// Takes a value.
    fn take(&mut self, name: Field) -> Scalar<'a>;

    /// The time of an event from its text.
    fn parse_time(&mut self, text: &str) -> Result<Time, TimeError> {
        timestamp::parse_time(text)
    }

    /// A text that must be there.
    fn text(&mut self, name: Field) -> Result<Text<'a>, Rejection> {
        match self.take(name) {
            Scalar::Text(text) if !text.is_empty() => self.short(name, text),
            other => Err(self.no_text(name, "a text", &other)),
        }
    }

    /// A text that may be there.
    fn optional_text(&mut self, name: Field) -> Found<Text<'a>> {
        match self.take(name) {
            Scalar::Text(text) if !text.is_empty() => self.short(name, text).map(Some),
            Scalar::Absent | Scalar::Null | Scalar::Text(_) => Ok(None),
            other => Err(self.wrong_type(name, "a text", &other)),
        }
    }

    /// An id that must be there: a text, or an integer, which becomes its digits.
    fn identifier(&mut self, name: Field) -> Result<Text<'a>, Rejection> {
        match self.take(name) {
            Scalar::Text(text) if !text.is_empty() => self.short(name, text),
            Scalar::Integer(number) => Ok(number.to_string().into()),
            Scalar::HugeInteger(number) => Ok(number.to_string().into()),
            other => Err(self.no_text(name, ID, &other)),
        }
    }

    /// An id that may be there.
    fn optional_identifier(&mut self, name: Field) -> Found<Text<'a>> {
        match self.take(name) {
            Scalar::Text(text) if !text.is_empty() => self.short(name, text).map(Some),
            Scalar::Integer(number) => Ok(Some(number.to_string().into())),
            Scalar::HugeInteger(number) => Ok(Some(number.to_string().into())),
            Scalar::Absent | Scalar::Null | Scalar::Text(_) => Ok(None),
            other => Err(self.wrong_type(name, ID, &other)),
        }
    }

    /// A user that may be there.
    fn user(&mut self, name: Field, users: Users<'_>) -> Found<UserToken> {
        let Some(text) = self.optional_identifier(name)? else { return Ok(None) };
        match users {
            Users::Plain(pseudonymiser) => Ok(Some(pseudonymiser.token(&text))),
            Users::Tokens => match parse_token(&text) {
                Some(token) => Ok(Some(token)),
                None => Err(self.out_of_range(name, &format!("{} is not `u-` and 16 hexadecimal digits", quote(&text)))),
            },
        }
    }

    /// A boolean that may be there.
    fn boolean(&mut self, name: Field) -> Found<bool> {
        match self.take(name) {
            Scalar::Boolean(value) => Ok(Some(value)),
            Scalar::Absent | Scalar::Null => Ok(None),
            other => Err(self.wrong_type(name, "true or false", &other)),
        }
    }

    /// An integer that may be there and is at least `smallest`.
    fn integer(&mut self, name: Field, smallest: i64) -> Found<i64> {
        match self.take(name) {
            Scalar::Integer(value) if value >= smallest => Ok(Some(value)),
            Scalar::Integer(value) => Err(self.out_of_range(name, &format!("{value} is less than {smallest}"))),
            Scalar::HugeInteger(value) => Err(self.out_of_range(name, &format!("{value} is more than {}", i64::MAX))),
            Scalar::Absent | Scalar::Null => Ok(None),
            other => Err(self.wrong_type(name, "an integer", &other)),
        }
    }

    /// An integer of 32 bits that may be there and is at least `smallest`.
    fn small_integer(&mut self, name: Field, smallest: u32) -> Found<u32> {
        let Some(value) = self.integer(name, i64::from(smallest))? else { return Ok(None) };
        match u32::try_from(value) {
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(self.out_of_range(name, &format!("{value} is more than {}", u32::MAX))),
        }
    }

    /// An amount of money in minor units that may be there: an integer, zero or more.
    fn money(&mut self, name: Field) -> Found<i64> {
        match self.take(name) {
            Scalar::Integer(value) if value >= 0 => Ok(Some(value)),
            Scalar::Integer(value) => Err(self.out_of_range(name, &format!("{value} is negative"))),
            Scalar::HugeInteger(value) => Err(self.out_of_range(name, &format!("{value} is more than {}", i64::MAX))),
            Scalar::Absent | Scalar::Null => Ok(None),
            other => Err(self.wrong_type(name, "an integer in minor units", &other)),
        }
    }

    /// A number that may be there.
    fn number(&mut self, name: Field) -> Found<f64> {
        match self.take(name) {
            Scalar::Integer(value) => Ok(Some(value as f64)),
            Scalar::HugeInteger(value) => Ok(Some(value as f64)),
            Scalar::Float(value) if value.is_finite() => Ok(Some(value)),
            Scalar::Float(value) => Err(self.out_of_range(name, &format!("{value} is no number to reckon with"))),
            Scalar::Absent | Scalar::Null => Ok(None),
            other => Err(self.wrong_type(name, "a number", &other)),
        }
    }

    /// A currency that may be there: three letters.
    fn currency(&mut self, name: Field) -> Found<Currency> {
        let Some(text) = self.optional_text(name)? else { return Ok(None) };
        match <[u8; 3]>::try_from(text.as_bytes()) {
            Ok(letters) if letters.iter().all(u8::is_ascii_alphabetic) => {
                Ok(Some(Currency(letters.map(|letter| letter.to_ascii_uppercase()))))
            }
            _ => Err(self.out_of_range(name, &format!("{} is not a currency code of three letters", quote(&text)))),
        }
    }

    /// One of some words, in any case, that may be there.
    fn choice<T: Copy>(&mut self, name: Field, choices: &[(&str, T)]) -> Found<T> {
        let Some(text) = self.optional_text(name)? else { return Ok(None) };
        match choices.iter().find(|(word, _)| word.eq_ignore_ascii_case(&text)) {
            Some((_, value)) => Ok(Some(*value)),
            None => {
                let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
                Err(self.out_of_range(name, &format!("{} is none of {}", quote(&text), words.join(", "))))
            }
        }
    }

    /// A date, or a time, that may be there.
    fn time(&mut self, name: Field) -> Found<Time> {
        match self.take(name) {
            Scalar::Text(text) if !text.is_empty() => {
                let text = self.short(name, text)?;
                match timestamp::parse_date_or_time(&text) {
                    Ok(time) => Ok(Some(time)),
                    Err(error) => Err(self.no_time(name, "a date or an RFC 3339 time", &text, error)),
                }
            }
            Scalar::Instant(time) if time >= Time(0) => Ok(Some(time.min(TIME_LIMIT))),
            Scalar::Instant(time) => Err(self.no_time(name, "", &timestamp::format_time(time), TimeError::OutOfRange)),
            Scalar::Absent | Scalar::Null | Scalar::Text(_) => Ok(None),
            other => Err(self.wrong_type(name, "a text", &other)),
        }
    }

    /// The time of the event.
    fn event_time(&mut self, name: Field) -> Result<Time, Rejection> {
        match self.take(name) {
            Scalar::Text(text) if !text.is_empty() => match self.parse_time(&text) {
                Ok(time) => Ok(time),
                Err(error) => Err(self.no_time(name, "an RFC 3339 time", &text, error)),
            },
            Scalar::Instant(time) if time >= Time(0) && time < TIME_LIMIT => Ok(time),
            Scalar::Instant(time) => Err(self.no_time(name, "", &timestamp::format_time(time), TimeError::OutOfRange)),
            Scalar::Absent | Scalar::Null | Scalar::Text(_) => Err(self.missing(name)),
            other => Err(self.wrong_type(name, "an RFC 3339 time", &other)),
        }
    }

    /// Makes a field that may be absent one that must be there.
    fn required<T>(&self, name: Field, found: Option<T>) -> Result<T, Rejection> {
        match found {
            Some(value) => Ok(value),
            None => Err(self.missing(name)),
        }
    }

    #[inline]
    fn short(&self, name: Field, text: Text<'a>) -> Result<Text<'a>, Rejection> {
        if text.len() <= TEXT_MAX_BYTES { Ok(text) } else { Err(self.too_long(name, text.len())) }
    }

    // A rejection names the field by its path.
    #[cold]
    fn missing(&self, name: Field) -> Rejection {
        Rejection::new(RejectReason::MissingField, format!("{}{name} is missing", self.prefix()))
    }

    #[cold]
    fn wrong_type(&self, name: Field, expected: &str, found: &Scalar<'_>) -> Rejection {
        Rejection::new(RejectReason::WrongType, format!("{}{name}: expected {expected}, found {}", self.prefix(), found.describe()))
    }

    #[cold]
    fn out_of_range(&self, name: Field, what: &str) -> Rejection {
        Rejection::new(RejectReason::OutOfRange, format!("{}{name}: {what}", self.prefix()))
    }

    #[cold]
    fn too_long(&self, name: Field, length: usize) -> Rejection {
        self.out_of_range(name, &format!("{length} bytes are more than {TEXT_MAX_BYTES}"))
    }

    #[cold]
    fn no_text(&self, name: Field, expected: &str, found: &Scalar<'_>) -> Rejection {
        match found {
            Scalar::Absent | Scalar::Null => self.missing(name),
            Scalar::Text(_) => self.out_of_range(name, "must not be empty"),
            other => self.wrong_type(name, expected, other),
        }
    }

    #[cold]
    fn no_time(&self, name: Field, expected: &str, text: &str, error: TimeError) -> Rejection {
        match error {
            TimeError::Malformed => self.wrong_type(name, expected, &Scalar::Text(text.into())),
            TimeError::OutOfRange => {
                Rejection::new(RejectReason::TimeOutOfRange, format!("{}{name}: {} is {error}", self.prefix(), quote(text)))
            }
        }
    }
}
