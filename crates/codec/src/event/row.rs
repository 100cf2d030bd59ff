//! An event read from a row of a table: its values are there already, and are validated as those of a line are.

use bellwether_engine::event::Event;

use super::envelope::{Envelope, Kind};
use super::scalar::Scalar;
use super::{Attribute, Decoder, Users, families};
use crate::rejection::Rejection;
use bellwether_engine::event_type::EventType;

/// Where rows are read into, one after the other.
pub(crate) struct Row<'a> {
    envelope: Envelope<'a>,
}

impl<'a> Row<'a> {
    pub(crate) fn new() -> Self {
        Self { envelope: Envelope::new() }
    }

    /// Begins the next row, of this type. Returns the type if it is known.
    pub(crate) fn begin(&mut self, kind: Scalar<'a>) -> Option<EventType> {
        self.envelope.clear();
        self.envelope.kind = Kind::of(kind);
        let Kind::Known(kind) = self.envelope.kind else { return None };
        self.envelope.data.rename(families::field_names(kind));
        Some(kind)
    }

    /// Sets an attribute.
    #[inline]
    pub(crate) fn set(&mut self, attribute: Attribute, value: Scalar<'a>) {
        // The order of the slots is that of the attributes.
        self.envelope.attributes.put_at(attribute as usize, value);
    }

    /// Sets the data field of a slot.
    #[inline]
    pub(crate) fn set_data(&mut self, slot: usize, value: Scalar<'a>) {
        self.envelope.data.put_at(slot, value);
    }
}

impl Decoder {
    /// Validates a row as a line is validated, and makes something of its event where that is built. In tables of our own users are tokens.
    #[inline]
    pub(crate) fn decode_row<'a, T>(
        &self,
        row: &mut Row<'a>,
        users_are_tokens: bool,
        make: impl FnOnce(Event<'a>) -> T,
    ) -> Result<T, Rejection> {
        let users = if users_are_tokens { Users::Tokens } else { Users::Plain(&self.pseudonymiser) };
        self.validated(&mut row.envelope, users, make)
    }
}
