//! CloudEvents in Kafka's binary mode: attributes in headers, and the value is the data.

use bellwether_engine::event::Event;

use super::SourceRecord;
use super::lines::fall_back_on_timestamp;
use crate::event::{Attribute, Decoder, Parts, Scalar, quote, text_of};
use crate::rejection::{RejectReason, Rejection};

/// Before the name of each attribute.
const PREFIX: &str = "ce_";

/// The attributes that CloudEvents demands. Any of them makes a record binary: others may be put in by what merely hands records on.
const REQUIRED: [&str; 4] = ["ce_specversion", "ce_type", "ce_id", "ce_source"];

/// What the data is.
const CONTENT_TYPE: &str = "content-type";

/// The attributes that are read besides the type, by their headers.
const ATTRIBUTES: [(&str, Attribute); 4] =
    [("ce_id", Attribute::Id), ("ce_source", Attribute::Source), ("ce_subject", Attribute::Subject), ("ce_time", Attribute::Time)];

/// Whether a record is a CloudEvent in binary mode.
pub(super) fn has_attributes(record: &SourceRecord<'_>) -> bool {
    let is_structured = || record.header(CONTENT_TYPE).is_some_and(|value| value.starts_with(b"application/cloudevents"));
    record.headers.iter().any(|(name, _)| REQUIRED.contains(name)) && !is_structured()
}

/// Decodes such a record. A missing value is an event without data.
pub(super) fn decode<'a>(decoder: &Decoder, record: &SourceRecord<'a>) -> Result<Event<'a>, Rejection> {
    let mut parts = Parts::new(PREFIX, header(record, "ce_type")?);
    for (name, attribute) in ATTRIBUTES {
        parts.set(attribute, header(record, name)?);
    }
    if parts.lacks(Attribute::Subject)
        && let Some(key) = record.key
    {
        let key = text_of(key).map_err(|rejection| in_place("the key", &rejection))?;
        parts.set(Attribute::Subject, Scalar::Text(key.into()));
    }
    fall_back_on_timestamp(&mut parts, record);
    if record.value.is_some_and(|value| !value.is_empty()) {
        check_content_type(record)?;
        parts.read_data(text_of(record.json_bytes())?)?;
    }
    decoder.decode_parts(&mut parts)
}

/// The text of a header; one that stands there twice is an error, as a name in an object is.
fn header<'a>(record: &SourceRecord<'a>, name: &'static str) -> Result<Scalar<'a>, Rejection> {
    let mut values = record.headers.iter().filter(|(known, _)| *known == name).map(|(_, value)| *value);
    let value = values.next().flatten();
    if values.next().is_some() {
        return Err(Rejection::new(RejectReason::InvalidJson, format!("duplicate header `{name}`")));
    }
    let Some(value) = value else { return Ok(Scalar::Absent) };
    let text = text_of(value).map_err(|rejection| in_place(&format!("the header `{name}`"), &rejection))?;
    Ok(Scalar::Text(text.into()))
}

/// Data of another kind would fail as JSON, but this says why.
fn check_content_type(record: &SourceRecord<'_>) -> Result<(), Rejection> {
    let Some(value) = record.header(CONTENT_TYPE) else { return Ok(()) };
    let text = String::from_utf8_lossy(value);
    let media_type = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if media_type.is_empty() || media_type.ends_with("/json") || media_type.ends_with("+json") {
        return Ok(());
    }
    Err(Rejection::new(RejectReason::WrongType, format!("content-type: expected JSON, found {}", quote(&text))))
}

fn in_place(place: &str, rejection: &Rejection) -> Rejection {
    Rejection::new(rejection.reason, format!("{place}: {}", rejection.detail))
}
