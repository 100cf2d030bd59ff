//! Applies a mapping to a record of foreign JSON.

use std::collections::HashMap;

use bellwether_engine::event::Event;
use bellwether_engine::event_type::EventType;
use serde_json::Value;
use serde_json::value::RawValue;

use super::convert::{self, Refusal};
use super::{Conversion, CustomerDirectory, Exponent, FieldMapping, Mapping, Origin, Otherwise, SourceRecord, ValueMap};
use crate::event::{Attribute, Decoder, Parts, Scalar, check_depth, data_field_names, text_of};
use crate::pseudonym::token_text;
use crate::rejection::{RejectReason, Rejection};
use crate::timestamp::format_time;

/// One record while it is being mapped.
struct Input<'i> {
    record: &'i SourceRecord<'i>,
    text: &'i str,
    json: Value,
    decoder: &'i Decoder,
    directory: Option<&'i CustomerDirectory>,
}

/// Maps a record; `None` if its filter skips it.
pub(super) fn decode<'a>(
    decoder: &Decoder,
    mapping: &Mapping,
    directory: Option<&CustomerDirectory>,
    record: &SourceRecord<'a>,
) -> Result<Option<Event<'a>>, Rejection> {
    let text = text_of(record.json_bytes())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    check_depth(text)?;
    let json = serde_json::from_str(text).map_err(|error| Rejection::new(RejectReason::InvalidJson, error.to_string()))?;
    if mapping.skip.iter().any(|condition| condition.holds(&json)) {
        return Ok(None);
    }
    let input = Input { record, text, json, decoder, directory };
    let mut parts = input.parts(mapping)?;
    decoder.decode_parts(&mut parts).map(Some).map_err(|rejection| with_origin(rejection, mapping))
}

impl Input<'_> {
    fn parts(&self, mapping: &Mapping) -> Result<Parts<'static>, Rejection> {
        let kind = self.value("type", &mapping.event_type).map_err(|rejection| self.type_rejection(rejection))?;
        let known = if let Scalar::Text(name) = &kind { EventType::from_name(name) } else { None };
        let mut parts = Parts::new("", kind);
        let attributes = [
            (Attribute::Id, mapping.id.as_ref()),
            (Attribute::Source, mapping.source.as_ref()),
            (Attribute::Subject, Some(&mapping.subject)),
            (Attribute::Time, mapping.time.as_ref()),
        ];
        for (attribute, field) in attributes {
            if let Some(field) = field {
                parts.set(attribute, self.value(attribute.name(), field)?);
            }
        }
        if parts.lacks(Attribute::Id) {
            parts.set(Attribute::Id, owned(self.record.position_id()));
        }
        if mapping.source.is_none() {
            parts.set(Attribute::Source, owned(self.record.topic.to_owned()));
        }
        if let (None, Some(timestamp_ms)) = (&mapping.time, self.record.timestamp_ms) {
            parts.set(Attribute::Time, owned(format_time(bellwether_engine::time::Time(timestamp_ms))));
        }
        let Some(kind) = known else { return Ok(parts) };
        for name in data_field_names(kind) {
            if let Some((_, field)) = mapping.data.iter().find(|(known, _)| known == name) {
                parts.set_data(name, self.value(&format!("data.{name}"), field)?);
            }
        }
        Ok(parts)
    }

    /// A value that the map of the type does not have is an unknown type, which may be skipped.
    fn type_rejection(&self, rejection: Rejection) -> Rejection {
        let reason = match rejection.reason {
            RejectReason::OutOfRange if self.decoder.skips_unknown_types() => RejectReason::SkippedType,
            RejectReason::OutOfRange => RejectReason::UnknownType,
            reason => reason,
        };
        Rejection { reason, ..rejection }
    }

    /// The value of a field, or why there is none. `path` is how rejections call the field.
    fn value(&self, path: &str, field: &FieldMapping) -> Result<Scalar<'static>, Rejection> {
        let value = self.mapped(field);
        value.map_err(|(reason, detail)| Rejection::new(reason, format!("{path}: {detail} (from {})", field.origin)))
    }

    fn mapped(&self, field: &FieldMapping) -> Result<Scalar<'static>, Refusal> {
        let mut value = self.original(&field.origin)?;
        if let Scalar::Text(text) = &mut value {
            if field.trim {
                *text = text.trim().to_owned().into();
            }
            if field.lowercase {
                *text = text.to_lowercase().into();
            }
        }
        if let Some(map) = &field.map {
            value = looked_up(map, value)?;
        }
        if let (Some(conversion), false) = (&field.conversion, is_empty(&value)) {
            value = self.converted(conversion, value, &field.origin)?;
        }
        match &field.default {
            Some(default) if is_empty(&value) => Ok(scalar(default)),
            _ => Ok(value),
        }
    }

    fn original(&self, origin: &Origin) -> Result<Scalar<'static>, Refusal> {
        let bytes = match origin {
            Origin::Pointer(pointer) => return Ok(self.json.pointer(pointer).map_or(Scalar::Absent, scalar)),
            Origin::Constant(value) => return Ok(scalar(value)),
            Origin::Key => self.record.key,
            Origin::Header(name) => self.record.header(name),
        };
        let Some(bytes) = bytes else { return Ok(Scalar::Absent) };
        text_of(bytes).map(|text| owned(text.to_owned())).map_err(|rejection| (rejection.reason, rejection.detail))
    }

    fn converted(&self, conversion: &Conversion, value: Scalar<'static>, origin: &Origin) -> Result<Scalar<'static>, Refusal> {
        let written = match (&value, origin) {
            (Scalar::Float(_), Origin::Pointer(pointer)) => written_at(self.text, pointer),
            _ => None,
        };
        match conversion {
            Conversion::Text => convert::text(value, written),
            Conversion::Number => convert::number(value),
            Conversion::Boolean => convert::boolean(&value),
            Conversion::EpochSeconds => convert::epoch(&value, written, 0),
            Conversion::EpochMilliseconds => convert::epoch(&value, written, 3),
            Conversion::EpochMicroseconds => convert::epoch(&value, written, 6),
            Conversion::MinorUnits(exponent) => convert::minor_units(&value, written, self.exponent(exponent)?),
            Conversion::CustomerOfUser => self.customer_of(value),
        }
    }

    fn exponent(&self, exponent: &Exponent) -> Result<u8, Refusal> {
        match exponent {
            Exponent::Fixed(exponent) => Ok(*exponent),
            Exponent::OfCurrency(code) => convert::exponent_of(code),
            Exponent::OfCurrencyAt(pointer) => match self.json.pointer(pointer).map_or(Scalar::Absent, scalar) {
                Scalar::Text(code) => convert::exponent_of(&code),
                other => {
                    let detail = format!("the currency at {pointer}: expected a code of three letters, found {}", other.describe());
                    Err((RejectReason::WrongType, detail))
                }
            },
        }
    }

    fn customer_of(&self, user: Scalar<'static>) -> Result<Scalar<'static>, Refusal> {
        let Scalar::Text(user) = convert::text(user, None)? else { return Ok(Scalar::Absent) };
        let token = self.decoder.pseudonymiser().token(&user);
        match self.directory.and_then(|directory| directory.customer_of(token)) {
            Some(customer) => Ok(owned(customer)),
            None => {
                Err((RejectReason::UnknownCustomer, format!("nobody has told which customer the user {} belongs to", token_text(token))))
            }
        }
    }
}

fn looked_up(map: &ValueMap, value: Scalar<'static>) -> Result<Scalar<'static>, Refusal> {
    if is_empty(&value) {
        return Ok(value);
    }
    let described = value.describe();
    let key = convert::text(value, None)?;
    let Scalar::Text(key) = key else { return Ok(Scalar::Absent) };
    match (map.values.get(&*key), &map.otherwise) {
        (Some(value), _) | (None, Otherwise::Use(value)) => Ok(scalar(value)),
        (None, Otherwise::Reject) => Err((RejectReason::OutOfRange, format!("{described} is not in the map"))),
    }
}

/// What the validation says, with where the value came from.
fn with_origin(rejection: Rejection, mapping: &Mapping) -> Rejection {
    let path = rejection.detail.split([':', ' ']).next().unwrap_or_default();
    let field = match path {
        "type" => Some(&mapping.event_type),
        "id" => mapping.id.as_ref(),
        "source" => mapping.source.as_ref(),
        "subject" => Some(&mapping.subject),
        "time" => mapping.time.as_ref(),
        _ => path.strip_prefix("data.").and_then(|name| mapping.data.iter().find(|(known, _)| known == name)).map(|(_, field)| field),
    };
    match field {
        Some(field) => Rejection { detail: format!("{} (from {})", rejection.detail, field.origin), ..rejection },
        None => rejection,
    }
}

fn is_empty(value: &Scalar<'_>) -> bool {
    match value {
        Scalar::Absent | Scalar::Null => true,
        Scalar::Text(text) => text.is_empty(),
        _ => false,
    }
}

fn owned(text: String) -> Scalar<'static> {
    Scalar::Text(text.into())
}

fn scalar(value: &Value) -> Scalar<'static> {
    match value {
        Value::Null => Scalar::Null,
        Value::Bool(value) => Scalar::Boolean(*value),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Scalar::Integer(number),
            (None, Some(number)) => Scalar::HugeInteger(number),
            (None, None) => number.as_f64().map_or(Scalar::Null, Scalar::Float),
        },
        Value::String(text) => owned(text.clone()),
        Value::Array(_) => Scalar::Array,
        Value::Object(_) => Scalar::Object,
    }
}

/// How a value stands in the text, for numbers whose decimals count.
fn written_at<'t>(text: &'t str, pointer: &str) -> Option<&'t str> {
    let mut text = text;
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        let found: &'t RawValue = match text.trim_start().starts_with('[') {
            true => serde_json::from_str::<Vec<&'t RawValue>>(text).ok()?.get(token.parse::<usize>().ok()?).copied()?,
            false => serde_json::from_str::<HashMap<String, &'t RawValue>>(text).ok()?.get(&token).copied()?,
        };
        text = found.get();
    }
    Some(text.trim())
}
