//! The CloudEvents attributes of a line, and its data as far as its type needs them.

use std::borrow::Cow;
use std::fmt;

use bellwether_engine::event::Text;
use bellwether_engine::event_type::EventType;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::fields::{DataInto, Fields};
use super::names::Field;
use super::quotes::Quotes;
use super::scalar::{Scalar, quote};
use super::shape::Shapes;
use super::{depth, families, plain};
use crate::rejection::{RejectReason, Rejection};

/// One line, read but not yet validated.
#[derive(Debug)]
pub(super) struct Envelope<'a> {
    pub(super) kind: Kind<'a>,
    pub(super) attributes: Fields<'a>,
    pub(super) data: Fields<'a>,
    /// What stands in `traceparent`; nothing where it is not there, and an empty text where it is none.
    pub(super) traceparent: Option<&'a str>,
    /// What `data` was.
    data_shape: Scalar<'a>,
    /// What `data_base64` was.
    data_base64: Scalar<'a>,
    /// `data` that stood before `type`, so that nobody knew yet what to read of it.
    deferred: Option<&'a RawValue>,
}

/// What stands in `type`.
#[derive(Debug)]
pub(super) enum Kind<'a> {
    Missing,
    Known(EventType),
    Unknown(Text<'a>),
    NoText(Scalar<'a>),
}

/// The attributes that every event needs besides `type`, in the order of their slots.
const ATTRIBUTES: &[Field] = &[Field::Id, Field::Source, Field::Subject, Field::Time];

/// The name of an attribute.
pub(super) enum Name {
    Id,
    Source,
    Type,
    Subject,
    Time,
    Traceparent,
    Data,
    DataBase64,
    Other,
}

impl Name {
    #[inline]
    pub(super) fn of(text: &[u8]) -> Self {
        match text {
            b"id" => Self::Id,
            b"source" => Self::Source,
            b"type" => Self::Type,
            b"subject" => Self::Subject,
            b"time" => Self::Time,
            b"traceparent" => Self::Traceparent,
            b"data" => Self::Data,
            b"data_base64" => Self::DataBase64,
            _ => Self::Other,
        }
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NameVisitor)
    }
}

struct NameVisitor;

impl Visitor<'_> for NameVisitor {
    type Value = Name;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Name, E> {
        Ok(Name::of(name.as_bytes()))
    }
}

impl<'a> Envelope<'a> {
    /// Nothing read yet.
    pub(super) fn new() -> Self {
        Self {
            kind: Kind::Missing,
            attributes: Fields::new("", ATTRIBUTES),
            data: Fields::new("data.", &[]),
            traceparent: None,
            data_shape: Scalar::Absent,
            data_base64: Scalar::Absent,
            deferred: None,
        }
    }

    /// Forgets what was read.
    pub(super) fn clear(&mut self) {
        self.kind = Kind::Missing;
        self.attributes.clear();
        self.data.clear();
        self.traceparent = None;
        self.data_shape = Scalar::Absent;
        self.data_base64 = Scalar::Absent;
        self.deferred = None;
    }

    /// Reads a line of JSON. It is filled in place: moving it about costs as much as reading a short line.
    /// A line that lies in a plain text comes with the quotation marks of that, and where it begins there; and the shapes of the lines before.
    #[inline]
    pub(super) fn read(&mut self, line: &'a str, plain: Option<(&Quotes, usize)>, shapes: &mut Shapes) -> Result<(), Rejection> {
        if plain.is_some_and(|(quotes, start)| shapes.read(line, start, quotes, self).is_some()) {
            return Ok(());
        }
        self.read_of_new_shape(line, plain, shapes)
    }

    fn read_of_new_shape(&mut self, line: &'a str, plain: Option<(&Quotes, usize)>, shapes: &mut Shapes) -> Result<(), Rejection> {
        self.clear();
        self.read_alone(line, plain)?;
        if let Some((quotes, start)) = plain {
            shapes.learn(line, start, quotes);
        }
        Ok(())
    }

    /// The same of a line about which nothing is known from others.
    pub(super) fn read_alone(&mut self, line: &'a str, plain: Option<(&Quotes, usize)>) -> Result<(), Rejection> {
        if plain.is_some_and(|(quotes, start)| plain::read(line, start, quotes, self).is_some()) {
            return Ok(());
        }
        self.clear();
        self.parse(line)
    }

    /// Reads any line of JSON, and says what is wrong with one that is none.
    pub(super) fn parse(&mut self, line: &'a str) -> Result<(), Rejection> {
        depth::check(line)?;
        let mut deserializer = serde_json::Deserializer::from_str(line);
        let outcome = deserializer.deserialize_map(EnvelopeVisitor(self)).and_then(|()| deserializer.end());
        outcome.map_err(|error| {
            if error.is_data() && !line.trim_start().starts_with('{') {
                Rejection::new(RejectReason::WrongType, format!("the line is not an event: {error}"))
            } else {
                Rejection::new(RejectReason::InvalidJson, error.to_string())
            }
        })
    }

    /// Takes what stands in `traceparent`; `None` if something was there already. One with escapes is none: it has only digits and hyphens.
    pub(super) fn put_traceparent(&mut self, value: &Scalar<'a>) -> Option<()> {
        let text = if let Scalar::Text(Cow::Borrowed(text)) = value { text } else { "" };
        self.traceparent.replace(text).is_none().then_some(())
    }

    /// Takes this as the data, to be read when the type is settled.
    pub(super) fn defer_data(&mut self, data: &'a RawValue) {
        self.deferred = Some(data);
    }

    /// Names the slots of the data, which follow, by the type; `None` if that is not known, or data were there already.
    pub(super) fn name_data(&mut self) -> Option<()> {
        let (Kind::Known(kind), Scalar::Absent) = (&self.kind, &self.data_shape) else { return None };
        self.data.rename(families::field_names(*kind));
        self.data_shape = Scalar::Object;
        Some(())
    }

    /// Makes the data ready for the body of this type: reads them if they stood before the type, and makes sure that they are an object or
    /// absent, and that there are no binary ones.
    pub(super) fn settle_data(&mut self, kind: EventType) -> Result<(), Rejection> {
        if !matches!(self.data_base64, Scalar::Absent | Scalar::Null) {
            return Err(Rejection::new(RejectReason::WrongType, "data_base64: binary data are not read: expected an object in data"));
        }
        self.data.rename(families::field_names(kind));
        if let Some(data) = self.deferred.take() {
            let mut deserializer = serde_json::Deserializer::from_str(data.get());
            self.data_shape = DataInto(&mut self.data)
                .deserialize(&mut deserializer)
                .map_err(|error| Rejection::new(RejectReason::InvalidJson, format!("in data: {error}")))?;
        }
        match &self.data_shape {
            Scalar::Object | Scalar::Null | Scalar::Absent => Ok(()),
            other => Err(Rejection::new(RejectReason::WrongType, format!("data: expected an object, found {}", other.describe()))),
        }
    }
}

/// The detail of an unknown type, with the known one that is nearest to it.
#[cold]
pub(super) fn unknown_type(name: &str) -> String {
    let nearest = EventType::ALL
        .iter()
        .filter(|(_, known, _)| name.len().abs_diff(known.len()) <= known.len() / 2)
        .map(|(_, known, _)| (strsim::osa_distance(name, known), *known))
        .min()
        .filter(|(distance, known)| *distance <= known.len() / 2);
    match nearest {
        Some((_, known)) => format!("type: {} is unknown, the nearest known type is {known:?}", quote(name)),
        None => format!("type: {} is unknown", quote(name)),
    }
}

struct EnvelopeVisitor<'e, 'a>(&'e mut Envelope<'a>);

impl<'de> Visitor<'de> for EnvelopeVisitor<'_, 'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let envelope = self.0;
        let mut has_type = false;
        while let Some(name) = entries.next_key::<Name>()? {
            match name {
                Name::Id => envelope.attributes.read_value(0, &mut entries)?,
                Name::Source => envelope.attributes.read_value(1, &mut entries)?,
                Name::Subject => envelope.attributes.read_value(2, &mut entries)?,
                Name::Time => envelope.attributes.read_value(3, &mut entries)?,
                Name::Type => {
                    if std::mem::replace(&mut has_type, true) {
                        return Err(A::Error::duplicate_field("type"));
                    }
                    envelope.kind = Kind::of(entries.next_value()?);
                }
                Name::Traceparent => {
                    let value = entries.next_value()?;
                    envelope.put_traceparent(&value).ok_or_else(|| A::Error::duplicate_field("traceparent"))?;
                }
                Name::Data => envelope.read_data(&mut entries)?,
                Name::DataBase64 => {
                    let value = entries.next_value()?;
                    if !matches!(std::mem::replace(&mut envelope.data_base64, value), Scalar::Absent) {
                        return Err(A::Error::duplicate_field("data_base64"));
                    }
                }
                Name::Other => {
                    entries.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

impl<'a> Kind<'a> {
    pub(super) fn of(value: Scalar<'a>) -> Self {
        match value {
            Scalar::Text(name) => EventType::from_name(&name).map_or(Kind::Unknown(name), Kind::Known),
            Scalar::Null | Scalar::Absent => Kind::Missing,
            other => Kind::NoText(other),
        }
    }
}

impl<'a> Envelope<'a> {
    fn read_data<A: MapAccess<'a>>(&mut self, entries: &mut A) -> Result<(), A::Error> {
        if !matches!(self.data_shape, Scalar::Absent) || self.deferred.is_some() {
            return Err(A::Error::duplicate_field("data"));
        }
        match self.kind {
            Kind::Known(kind) => {
                self.data.rename(families::field_names(kind));
                self.data_shape = entries.next_value_seed(DataInto(&mut self.data))?;
            }
            Kind::Missing => self.deferred = Some(entries.next_value()?),
            Kind::Unknown(_) | Kind::NoText(_) => {
                entries.next_value::<IgnoredAny>()?;
                self.data_shape = Scalar::Null;
            }
        }
        Ok(())
    }
}
