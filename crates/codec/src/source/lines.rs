//! Values that are events by themselves: structured CloudEvents, and plain JSON with the same attribute names.

use bellwether_engine::event::Event;
use bellwether_engine::time::Time;

use super::SourceRecord;
use crate::event::{Attribute, Decoder, Parts, Scalar, text_of};
use crate::rejection::Rejection;
use crate::timestamp::format_time;

/// A structured CloudEvent: whatever CloudEvents demands must be there.
pub(super) fn decode_structured<'a>(decoder: &Decoder, record: &SourceRecord<'a>) -> Result<Event<'a>, Rejection> {
    let mut parts = Parts::empty();
    parts.read(text_of(record.json_bytes())?)?;
    fall_back_on_timestamp(&mut parts, record);
    decoder.decode_parts(&mut parts)
}

/// Plain JSON: what the record itself tells need not be in it.
pub(super) fn decode_plain<'a>(decoder: &Decoder, record: &SourceRecord<'a>) -> Result<Event<'a>, Rejection> {
    let mut parts = Parts::empty();
    parts.read(text_of(record.json_bytes())?)?;
    if parts.lacks(Attribute::Id) {
        parts.set(Attribute::Id, Scalar::Text(record.position_id().into()));
    }
    if parts.lacks(Attribute::Source) {
        parts.set(Attribute::Source, Scalar::Text(record.topic.into()));
    }
    fall_back_on_timestamp(&mut parts, record);
    decoder.decode_parts(&mut parts)
}

/// An event that does not tell its time happened when its record was written.
pub(super) fn fall_back_on_timestamp<'a>(parts: &mut Parts<'a>, record: &SourceRecord<'a>) {
    if parts.lacks(Attribute::Time)
        && let Some(timestamp_ms) = record.timestamp_ms
    {
        parts.set(Attribute::Time, Scalar::Text(format_time(Time(timestamp_ms)).into()));
    }
}
