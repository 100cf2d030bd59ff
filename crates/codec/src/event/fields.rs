//! The data fields of one event: those that its type knows, in a fixed number of slots.

use std::fmt;

use bellwether_engine::time::Time;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::names::Field;
use super::scalar::Scalar;
use super::values::Values;
use crate::timestamp::{LastDate, TimeError};

/// No event type knows more fields.
pub(super) const MAX_FIELDS: usize = 8;

/// Named values, each there at most once.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    /// What the fields belong to, for messages: `data.`, or nothing.
    pub(super) prefix: &'static str,
    names: &'static [Field],
    /// The slot that is probably asked for next: bodies ask in the order of the names.
    next: usize,
    values: [Scalar<'a>; MAX_FIELDS],
    last_date: LastDate,
}

impl<'a> Fields<'a> {
    /// Slots for these names, all absent.
    pub(super) fn new(prefix: &'static str, names: &'static [Field]) -> Self {
        assert!(names.len() <= MAX_FIELDS, "at most {MAX_FIELDS} fields");
        Self { prefix, names, next: 0, values: [const { Scalar::Absent }; MAX_FIELDS], last_date: LastDate::default() }
    }

    /// Empties the slots.
    pub(super) fn clear(&mut self) {
        self.values[..self.names.len()].iter_mut().for_each(|value| *value = Scalar::Absent);
        self.next = 0;
    }

    /// Names the slots. Nothing may have been read yet under other names.
    pub(super) fn rename(&mut self, names: &'static [Field]) {
        assert!(names.len() <= MAX_FIELDS, "at most {MAX_FIELDS} fields");
        self.names = names;
        self.next = 0;
    }

    /// Whether nothing is in a slot, or what counts as nothing.
    pub(super) fn is_empty(&self, name: Field) -> bool {
        let value = self.names.iter().position(|known| *known == name).map(|index| &self.values[index]);
        match value {
            Some(Scalar::Text(text)) => text.is_empty(),
            Some(Scalar::Absent | Scalar::Null) | None => true,
            Some(_) => false,
        }
    }

    /// Puts a value into its slot. Without such a slot, nobody asks for it.
    pub(super) fn put(&mut self, name: Field, value: Scalar<'a>) {
        if let Some(index) = self.names.iter().position(|known| *known == name) {
            self.values[index] = value;
        }
    }

    /// Fills the slot of that index; `None` if it is filled already.
    #[inline]
    pub(super) fn put_at(&mut self, index: usize, value: Scalar<'a>) -> Option<()> {
        let slot = &mut self.values[index];
        if !matches!(slot, Scalar::Absent) {
            return None;
        }
        *slot = value;
        Some(())
    }

    /// The index of the slot of that name.
    #[inline]
    pub(super) fn slot_of(&self, name: &[u8]) -> Option<usize> {
        slot_of(self.names, name)
    }

    /// Fills the slot of that index with the next value of an object.
    pub(super) fn read_value<A: MapAccess<'a>>(&mut self, index: usize, entries: &mut A) -> Result<(), A::Error> {
        if !matches!(self.values[index], Scalar::Absent) {
            return Err(A::Error::duplicate_field(self.names[index].text()));
        }
        self.values[index] = entries.next_value()?;
        Ok(())
    }

    /// Fills the slots from an object; other names are read over.
    fn read_object<A: MapAccess<'a>>(&mut self, mut entries: A) -> Result<(), A::Error> {
        while let Some(slot) = entries.next_key_seed(SlotOf(self.names))? {
            match slot {
                Some(index) => self.read_value(index, &mut entries)?,
                None => {
                    entries.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

impl<'a> Values<'a> for Fields<'a> {
    #[inline]
    fn prefix(&self) -> &'static str {
        self.prefix
    }

    #[inline]
    fn take(&mut self, name: Field) -> Scalar<'a> {
        let index = match self.names.get(self.next) {
            Some(next) if *next == name => self.next,
            _ => self.names.iter().position(|known| *known == name).expect("a body reads only the fields of its type"),
        };
        self.next = index + 1;
        std::mem::take(&mut self.values[index])
    }

    #[inline]
    fn parse_time(&mut self, text: &str) -> Result<Time, TimeError> {
        self.last_date.parse_time(text)
    }
}

#[inline]
fn slot_of(names: &[Field], name: &[u8]) -> Option<usize> {
    // Names of one length mostly differ in their first letter, which is cheaper to look at than all of them.
    names.iter().position(|known| known.text().as_bytes().first() == name.first() && known.text().as_bytes() == name)
}

/// Reads a name as the index of its slot.
struct SlotOf(&'static [Field]);

impl<'de> DeserializeSeed<'de> for SlotOf {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for SlotOf {
    type Value = Option<usize>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(slot_of(self.0, name.as_bytes()))
    }
}

/// Reads `data`: into the slots if it is an object. Returns what it was, without its content.
pub(super) struct DataInto<'f, 'a>(pub(super) &'f mut Fields<'a>);

impl<'de> DeserializeSeed<'de> for DataInto<'_, 'de> {
    type Value = Scalar<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for DataInto<'_, 'de> {
    type Value = Scalar<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the data of an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Self::Value, A::Error> {
        self.0.read_object(entries)?;
        Ok(Scalar::Object)
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
        Ok(Scalar::HugeInteger(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Scalar::Float(value))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(text.to_owned().into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Array)
    }
}
