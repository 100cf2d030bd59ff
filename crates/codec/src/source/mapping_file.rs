//! Mappings as they stand in a configuration file.

use std::collections::BTreeMap;
use std::ops::Range;

use bellwether_engine::event_type::EventType;
use serde_json::Value;

use super::convert::{MAX_EXPONENT, exponent_of};
use super::required::required_data;
use super::{Condition, Conversion, Exponent, FieldMapping, Mapping, Origin, Otherwise, Test, ValueMap};
use crate::event::data_field_names;
use crate::yaml::{self, Absent, Field, Form, Node, Reader, Section, Settings};

const CONVERSIONS: &[&str] =
    &["text", "number", "boolean", "epoch_seconds", "epoch_milliseconds", "epoch_microseconds", "minor_units", "customer_of_user"];

const ORIGINS: [&str; 4] = ["at", "constant", "key", "header"];

const TESTS: [&str; 6] = ["equals", "not_equals", "in", "not_in", "exists", "missing"];

const VALUE: Form = Form::Either(&Form::Pointer, &Form::Section(&FIELD));

const fn field(name: &'static str, form: Form, absent: Absent, doc: &'static str) -> Field {
    Field { name, form, absent, doc }
}

/// The section `mapping` of a source.
pub const MAPPING: Section = Section {
    what: "the mapping",
    doc: "How foreign JSON becomes an event. A value is a JSON Pointer (RFC 6901) such as `/user/id`, or a mapping that says more.",
    fields: &[
        field("skip", Form::List(&Form::Section(&CONDITION)), Absent::Default("[]"), "Records that meet any of these are left out."),
        field(
            "type",
            VALUE,
            Absent::Required,
            "The event type. A value that its `map` does not have is an unknown type: see `unknown_types`.",
        ),
        field(
            "id",
            VALUE,
            Absent::Means("`topic-partition-offset`"),
            "The id, by which duplicates are recognised. A record without one gets `topic-partition-offset`.",
        ),
        field("source", VALUE, Absent::Means("the topic"), "Who tells it; with `id` it identifies the event."),
        field("subject", VALUE, Absent::Required, "The customer."),
        field("time", VALUE, Absent::Means("the timestamp of the record"), "When it happened. If given, each record must have it."),
        field(
            "data",
            Form::Named(&VALUE),
            Absent::Default("{}"),
            "The data fields by their names. Those that the event's type does not know are not computed.",
        ),
    ],
};

/// A value of a mapping that says more than where it comes from.
const FIELD: Section = Section {
    what: "the value",
    doc: "The long form of any value of a mapping: where it comes from (`at`, `constant`, `key` or `header`), and what is done to it, in the order of this table.",
    fields: &[
        field("at", Form::Pointer, Absent::Means("not from there"), "From the record's value, by JSON Pointer."),
        field("constant", Form::Scalar, Absent::Means("not from there"), "Always this."),
        field("key", Form::Boolean, Absent::Means("not from there"), "With `true`: the record's key."),
        field("header", Form::Text, Absent::Means("not from there"), "The record's header of that name."),
        field("trim", Form::Boolean, Absent::Default("false"), "Whether white space around a text goes."),
        field("lowercase", Form::Boolean, Absent::Default("false"), "Whether a text is put in lower case."),
        field(
            "map",
            Form::Named(&Form::Scalar),
            Absent::Means("no replacement"),
            "What stands for each value. Numbers and booleans are looked up as text.",
        ),
        field(
            "otherwise",
            Form::Scalar,
            Absent::Means("the record is refused"),
            "What stands for a value that `map` does not have; `null` leaves the field out.",
        ),
        field(
            "as",
            Form::Choice(CONVERSIONS),
            Absent::Means("as it is"),
            "What is made of it: a `text` of a number, a `number` or `boolean` of a text, a time of a count since 1970, an integer in `minor_units` of an amount such as 12.34 (exactly), the customer of a user (`subject` only; see `user_lookup`).",
        ),
        field(
            "currency",
            Form::Text,
            Absent::Means("see `exponent`"),
            "For `minor_units`: the currency whose decimals count, as a JSON Pointer or a code such as EUR.",
        ),
        field(
            "exponent",
            Form::Whole(0, MAX_EXPONENT as u32),
            Absent::Means("see `currency`"),
            "For `minor_units`: the number of decimals.",
        ),
        field("default", Form::Scalar, Absent::Means("the field is left out"), "What stands for a value that is missing, null or empty."),
    ],
};

/// A condition of the filter.
const CONDITION: Section = Section {
    what: "the condition",
    doc: "A condition on one value of a record: one of the tests. `null` counts as missing, and what is missing equals nothing.",
    fields: &[
        field("at", Form::Pointer, Absent::Required, "The value, by JSON Pointer."),
        field("equals", Form::Scalar, Absent::Means("no test"), "It is this."),
        field("not_equals", Form::Scalar, Absent::Means("no test"), "It is not this, or missing."),
        field("in", Form::List(&Form::Scalar), Absent::Means("no test"), "It is one of these."),
        field("not_in", Form::List(&Form::Scalar), Absent::Means("no test"), "It is none of these, or missing."),
        field("exists", Form::Boolean, Absent::Means("no test"), "Whether it is there."),
        field("missing", Form::Boolean, Absent::Means("no test"), "Whether it is not there."),
    ],
};

/// Reads a mapping. `None` only if a mistake is written down.
pub fn read_mapping(reader: &mut Reader<'_>, node: &Node) -> Option<Mapping> {
    let settings = reader.settings(node, &MAPPING);
    let skip = settings.get("skip").map(|node| reader.list(node, "conditions")).unwrap_or_default();
    let skip = skip.iter().filter_map(|node| condition(reader, node)).collect();
    let kind = settings.get("type");
    let event_type = kind.and_then(|node| value(reader, node));
    let types = kind.zip(event_type.as_ref()).map(|(node, field)| possible_types(reader, node, field)).unwrap_or_default();
    let mut optional = |name| settings.get(name).and_then(|node| value(reader, node));
    let (id, source, time) = (optional("id"), optional("source"), optional("time"));
    let subject = settings.get("subject").and_then(|node| field_mapping(reader, node, true));
    let data = settings.get("data").map(|node| data(reader, node, &types)).unwrap_or_default();
    if let (Some(node), true) = (kind, event_type.as_ref().is_some_and(|field| field.map.is_some() || is_constant(field))) {
        check_required(reader, settings.get("data").unwrap_or(node), &types, &data);
    }
    Some(Mapping { skip, event_type: event_type?, id, source, subject: subject?, time, data })
}

fn is_constant(field: &FieldMapping) -> bool {
    matches!(field.origin, Origin::Constant(_))
}

/// Every event of these types would be refused without the fields that its type needs.
fn check_required(reader: &mut Reader<'_>, node: &Node, types: &[EventType], data: &[(String, FieldMapping)]) {
    let given = match &node.value {
        yaml::Value::Mapping(entries) => entries.iter().filter_map(|(key, _)| key.as_text()).collect(),
        _ => Vec::new(),
    };
    for kind in types {
        let is_missing = |name: &&&str| !given.contains(*name) && !data.iter().any(|(known, _)| known == **name);
        if let Some(name) = required_data(*kind).iter().find(is_missing) {
            reader.error(&node.place, format!("`{}` needs the data field `{name}`", kind.name()));
        }
    }
}

/// The event types that a mapping can give, in the order of the contract: all of them if the records tell the type.
fn possible_types(reader: &mut Reader<'_>, node: &Node, field: &FieldMapping) -> Vec<EventType> {
    let mut values: Vec<&Value> = field.default.iter().collect();
    match (&field.origin, &field.map) {
        (_, Some(map)) => {
            values.extend(map.values.values());
            values.extend(if let Otherwise::Use(value) = &map.otherwise { Some(value) } else { None });
        }
        (Origin::Constant(value), None) => values.push(value),
        (_, None) => return EventType::ALL.iter().map(|(kind, _, _)| *kind).collect(),
    }
    let mut types = Vec::new();
    for value in values.into_iter().filter(|value| !value.is_null()) {
        match value.as_str().map(|name| (name, EventType::from_name(name))) {
            Some((_, Some(kind))) => types.push(kind),
            Some((name, None)) => {
                let place = place_of(node, value).unwrap_or_else(|| node.place.clone());
                reader.unknown(&place, "event type", name, EventType::ALL.iter().map(|(_, name, _)| *name));
            }
            None => reader.error(&node.place, format!("`{value}` is no event type")),
        }
    }
    types
}

/// Where a text stands within a value.
fn place_of(node: &Node, value: &Value) -> Option<Range<usize>> {
    match &node.value {
        yaml::Value::Text(text) => (value.as_str() == Some(text)).then(|| node.place.clone()),
        yaml::Value::Mapping(entries) => entries.iter().find_map(|(_, node)| place_of(node, value)),
        _ => None,
    }
}

fn data(reader: &mut Reader<'_>, node: &Node, types: &[EventType]) -> Vec<(String, FieldMapping)> {
    let fields = reader.open_fields(node, "the data");
    let mut known: Vec<&str> = types.iter().flat_map(|kind| data_field_names(*kind)).collect();
    known.sort_unstable();
    known.dedup();
    let mut data = Vec::new();
    for (key, name, node) in &fields.entries {
        if !types.is_empty() && !known.contains(name) {
            reader.unknown(&key.place, "data field of the event types here", name, known.iter().copied());
        }
        data.extend(value(reader, node).map(|field| ((*name).to_owned(), field)));
    }
    data
}

fn value(reader: &mut Reader<'_>, node: &Node) -> Option<FieldMapping> {
    field_mapping(reader, node, false)
}

fn field_mapping(reader: &mut Reader<'_>, node: &Node, is_subject: bool) -> Option<FieldMapping> {
    if !matches!(node.value, yaml::Value::Mapping(_)) {
        return pointer(reader, node).map(|pointer| FieldMapping::of(Origin::Pointer(pointer)));
    }
    let settings = reader.settings(node, &FIELD);
    let origin = origin(reader, node, &settings);
    let field = FieldMapping {
        origin: origin?,
        trim: reader.boolean_setting(&settings, "trim"),
        lowercase: reader.boolean_setting(&settings, "lowercase"),
        map: value_map(reader, &settings),
        conversion: conversion(reader, &settings, is_subject),
        default: settings.get("default").and_then(|node| reader.scalar(node)),
    };
    Some(field)
}

fn origin(reader: &mut Reader<'_>, node: &Node, settings: &Settings<'_>) -> Option<Origin> {
    let given: Vec<(&str, &Node)> = ORIGINS.iter().filter_map(|name| Some((*name, settings.get(name)?))).collect();
    let [(name, origin)] = given[..] else {
        let names = "`at`, `constant`, `key` and `header`";
        reader.error(&node.place, format!("a value has one of {names}, and this has {}", given.len()));
        return None;
    };
    match name {
        "at" => pointer(reader, origin).map(Origin::Pointer),
        "constant" => reader.scalar(origin).map(Origin::Constant),
        "header" => reader.text(origin, "the name of a header").map(|name| Origin::Header(name.to_owned())),
        _ => match reader.boolean(origin, "key")? {
            true => Some(Origin::Key),
            false => {
                reader.error(&origin.place, "`key: false` is no place for a value to come from");
                None
            }
        },
    }
}

/// A JSON Pointer.
fn pointer(reader: &mut Reader<'_>, node: &Node) -> Option<String> {
    let text = reader.text(node, "a JSON Pointer such as /user/id")?;
    let help = if text.starts_with('/') {
        let is_escape = |rest: &str| rest.starts_with('0') || rest.starts_with('1');
        if text.split('~').skip(1).all(is_escape) {
            return Some(text.to_owned());
        }
        "`~0` stands for `~` and `~1` for `/`".to_owned()
    } else {
        format!("a pointer begins with `/`; a fixed value is written {{ constant: {text} }}")
    };
    reader.error_with_help(&node.place, format!("`{text}` is no JSON Pointer"), help);
    None
}

fn value_map(reader: &mut Reader<'_>, settings: &Settings<'_>) -> Option<ValueMap> {
    let otherwise = settings.given("otherwise");
    let Some(node) = settings.get("map") else {
        if let Some(otherwise) = otherwise {
            reader.error(&otherwise.place, "`otherwise` belongs to a `map`");
        }
        return None;
    };
    let yaml::Value::Mapping(entries) = &node.value else {
        reader.wrong_type(node, "the map, a mapping");
        return None;
    };
    let mut values = BTreeMap::new();
    for (key, node) in entries {
        let name = match reader.scalar(key)? {
            Value::String(text) => text,
            other => other.to_string(),
        };
        let value = reader.scalar(node)?;
        if values.insert(name.clone(), value).is_some() {
            reader.error(&key.place, format!("`{name}` stands here twice"));
        }
    }
    let otherwise = match otherwise {
        Some(node) => Otherwise::Use(reader.scalar(node)?),
        None => Otherwise::Reject,
    };
    Some(ValueMap { values, otherwise })
}

fn conversion(reader: &mut Reader<'_>, settings: &Settings<'_>, is_subject: bool) -> Option<Conversion> {
    let node = settings.get("as");
    let names: Vec<(&str, &str)> = CONVERSIONS.iter().map(|name| (*name, *name)).collect();
    let name = node.and_then(|node| reader.choice(node, "conversion", &names));
    if name != Some("minor_units") {
        for needless in ["currency", "exponent"].iter().filter_map(|name| settings.get(name)) {
            reader.error(&needless.place, "`currency` and `exponent` belong to `as: minor_units`");
        }
    }
    Some(match name? {
        "text" => Conversion::Text,
        "number" => Conversion::Number,
        "boolean" => Conversion::Boolean,
        "epoch_seconds" => Conversion::EpochSeconds,
        "epoch_milliseconds" => Conversion::EpochMilliseconds,
        "epoch_microseconds" => Conversion::EpochMicroseconds,
        "minor_units" => Conversion::MinorUnits(exponent(reader, node?, settings)?),
        _ => {
            if !is_subject {
                reader.error(&node?.place, "only `subject` can be the customer of a user");
            }
            Conversion::CustomerOfUser
        }
    })
}

fn exponent(reader: &mut Reader<'_>, node: &Node, settings: &Settings<'_>) -> Option<Exponent> {
    match (settings.get("currency"), settings.get("exponent")) {
        (None, Some(exponent)) => {
            let exponent = reader.whole(exponent, "exponent", 0..=u32::from(MAX_EXPONENT))?;
            u8::try_from(exponent).ok().map(Exponent::Fixed)
        }
        (Some(currency), None) => {
            let text = reader.text(currency, "a currency")?;
            if text.starts_with('/') {
                return pointer(reader, currency).map(Exponent::OfCurrencyAt);
            }
            match exponent_of(text) {
                Ok(_) => Some(Exponent::OfCurrency(text.to_owned())),
                Err((_, problem)) => {
                    reader.error(&currency.place, problem);
                    None
                }
            }
        }
        _ => {
            reader.error(&node.place, "`minor_units` needs either `currency` or `exponent`");
            None
        }
    }
}

fn condition(reader: &mut Reader<'_>, node: &Node) -> Option<Condition> {
    let settings = reader.settings(node, &CONDITION);
    let at = settings.get("at").and_then(|node| pointer(reader, node));
    let given: Vec<(&str, &Node)> = TESTS.iter().filter_map(|name| Some((*name, settings.get(name)?))).collect();
    let [(name, test)] = given[..] else {
        let names = "`equals`, `not_equals`, `in`, `not_in`, `exists` and `missing`";
        reader.error(&node.place, format!("a condition has one of {names}, and this has {}", given.len()));
        return None;
    };
    let test = match name {
        "equals" => Test::Equals(reader.scalar(test)?),
        "not_equals" => Test::NotEquals(reader.scalar(test)?),
        "in" => Test::In(scalars(reader, test)),
        "not_in" => Test::NotIn(scalars(reader, test)),
        exists_or_missing => match reader.boolean(test, name)? == (exists_or_missing == "exists") {
            true => Test::Exists,
            false => Test::Missing,
        },
    };
    Some(Condition { at: at?, test })
}

fn scalars(reader: &mut Reader<'_>, node: &Node) -> Vec<Value> {
    reader.list(node, "values").iter().filter_map(|item| reader.scalar(item)).collect()
}
