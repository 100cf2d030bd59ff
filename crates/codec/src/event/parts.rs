//! An event put together from what does not stand in one line of JSON: headers, a key, the values of a foreign object.

use bellwether_engine::event::Event;
use bellwether_engine::event_type::EventType;
use serde_json::value::RawValue;

use super::envelope::{Envelope, Kind};
use super::names::Field;
use super::quotes::Quotes;
use super::scalar::Scalar;
use super::{Decoder, Users, depth, families};
use crate::rejection::{RejectReason, Rejection};

/// An attribute that every event has besides its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attribute {
    Id,
    Source,
    Subject,
    Time,
}

impl Attribute {
    /// The name in JSON.
    pub(crate) fn name(self) -> &'static str {
        self.field().text()
    }

    fn field(self) -> Field {
        match self {
            Attribute::Id => Field::Id,
            Attribute::Source => Field::Source,
            Attribute::Subject => Field::Subject,
            Attribute::Time => Field::Time,
        }
    }
}

/// The parts of an event, not yet validated.
pub(crate) struct Parts<'a> {
    envelope: Envelope<'a>,
}

impl<'a> Parts<'a> {
    /// An event of this type, of which nothing else is known. `prefix` stands before the names of attributes in rejections.
    pub(crate) fn new(prefix: &'static str, kind: Scalar<'a>) -> Self {
        let mut envelope = Envelope::new();
        envelope.attributes.prefix = prefix;
        envelope.kind = Kind::of(kind);
        if let Kind::Known(kind) = envelope.kind {
            envelope.data.rename(families::field_names(kind));
        }
        Self { envelope }
    }

    /// An event of which nothing is known, to be read from a line.
    pub(crate) fn empty() -> Self {
        Self { envelope: Envelope::new() }
    }

    /// Takes what stands in a line of CloudEvents JSON, or of plain JSON with the same names. It is filled in place, as moving it is dear.
    pub(crate) fn read(&mut self, line: &'a str) -> Result<(), Rejection> {
        let line = line.strip_prefix('\u{feff}').unwrap_or(line);
        depth::check(line)?;
        let mut quotes = Quotes::default();
        let is_plain = quotes.look_at(line);
        self.envelope.read_alone(line, is_plain.then_some((&quotes, 0)))
    }

    /// Whether an attribute is absent, null or empty.
    pub(crate) fn lacks(&self, attribute: Attribute) -> bool {
        self.envelope.attributes.is_empty(attribute.field())
    }

    /// Sets an attribute.
    pub(crate) fn set(&mut self, attribute: Attribute, value: Scalar<'a>) {
        self.envelope.attributes.put(attribute.field(), value);
    }

    /// Sets a data field; without effect if the event's type does not know it.
    pub(crate) fn set_data(&mut self, name: &str, value: Scalar<'a>) {
        let Kind::Known(kind) = self.envelope.kind else { return };
        if let Some(field) = families::field_names(kind).iter().find(|field| field.text() == name) {
            self.envelope.data.put(*field, value);
        }
    }

    /// Takes this text as the event's data.
    pub(crate) fn read_data(&mut self, text: &'a str) -> Result<(), Rejection> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        depth::check(text)?;
        let in_data = |error: serde_json::Error| Rejection::new(RejectReason::InvalidJson, format!("in data: {error}"));
        let raw: &'a RawValue = serde_json::from_str(text).map_err(in_data)?;
        self.envelope.defer_data(raw);
        Ok(())
    }
}

impl Decoder {
    /// Validates parts as a line is validated: user ids are pseudonymised.
    pub(crate) fn decode_parts<'a>(&self, parts: &mut Parts<'a>) -> Result<Event<'a>, Rejection> {
        self.event(&mut parts.envelope, Users::Plain(&self.pseudonymiser))
    }

    /// What makes pseudonyms of user ids.
    pub(crate) fn pseudonymiser(&self) -> &crate::pseudonym::Pseudonymiser {
        &self.pseudonymiser
    }

    /// Whether events of unknown types are skipped.
    pub(crate) fn skips_unknown_types(&self) -> bool {
        self.skip_unknown_types
    }
}

/// The names of the data fields that an event type knows.
pub(crate) fn data_field_names(kind: EventType) -> impl Iterator<Item = &'static str> {
    families::field_names(kind).iter().map(|field| field.text())
}

/// Bytes as text.
pub(crate) fn text_of(bytes: &[u8]) -> Result<&str, Rejection> {
    std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        Rejection::new(RejectReason::InvalidUtf8, format!("byte {} (0x{:02x}) is not UTF-8", at + 1, bytes[at]))
    })
}
