//! The section `features` of a rule file: features of the user's own.

use bellwether_engine::event_field::{FieldType, fields};
use bellwether_engine::event_type::EventType;
use bellwether_engine::own_feature::{Filter, Gather, MAX_OWN_FEATURES, MAX_OWN_WINDOW_DAYS, OwnFeature, OwnFeatures, Test};
use bellwether_engine::time::DAY_MS;

use super::signals::is_word;
use crate::yaml::{Fields, Node, Reader, Value};

const FIELDS: [&str; 10] = ["name", "event", "where", "count", "sum", "distinct", "last", "window", "unit", "doc"];

/// The ways to gather, each with what its field must hold; `count` takes `true`.
const GATHER: [&str; 4] = ["count", "sum", "distinct", "last"];

/// Reads the features, and lets expressions know their names.
pub(super) fn own_features(reader: &mut Reader<'_>, node: &Node) -> OwnFeatures {
    let mut features: Vec<OwnFeature> = Vec::new();
    let items = reader.list(node, "features");
    if let Some(item) = items.get(MAX_OWN_FEATURES) {
        reader.error(&item.place, format!("a rule file has at most {MAX_OWN_FEATURES} features of its own, and this has {}", items.len()));
    }
    for item in items.iter().take(MAX_OWN_FEATURES) {
        let Some(feature) = feature(reader, item) else { continue };
        if features.iter().any(|known| known.name == feature.name) {
            reader.error(&item.place, format!("there are two features `{}`", feature.name));
        } else if let Some(same) = features.iter().find(|known| known.definition() == feature.definition()) {
            let message = format!("`{}` is made of the same as `{}`", feature.name, same.name);
            reader.error_with_help(&item.place, message, "states know features by what they are made of: use one of them");
        }
        features.push(feature);
    }
    let features = OwnFeatures::new(features);
    reader.symbols.extend(features.symbols());
    features
}

fn feature(reader: &mut Reader<'_>, node: &Node) -> Option<OwnFeature> {
    let given = reader.fields(node, "a feature", &FIELDS);
    let name = reader.required(&given, "a feature", "name").and_then(|node| name(reader, node));
    let types: Vec<(&str, EventType)> = EventType::ALL.iter().map(|(kind, name, _)| (*name, *kind)).collect();
    let event = reader.required(&given, "a feature", "event").and_then(|node| reader.choice(node, "event type", &types));
    let window = reader.required(&given, "a feature", "window").and_then(|node| window(reader, node));
    let text = |reader: &mut Reader<'_>, name| given.get(name).and_then(|node| reader.text(node, name)).unwrap_or_default().to_owned();
    let (unit, doc) = (text(reader, "unit"), text(reader, "doc"));
    let event = event?;
    let filters = given.get("where").map(|node| filters(reader, node, event)).unwrap_or_default();
    let gather = gather(reader, node, &given, event)?;
    Some(OwnFeature { name: name?.into(), event, filters, gather, window_days: window?, unit, doc })
}

fn name<'n>(reader: &mut Reader<'_>, node: &'n Node) -> Option<&'n str> {
    let name = reader.text(node, "the name of a feature")?;
    if reader.symbols.iter().any(|symbol| symbol.name == name) {
        reader.error_with_help(&node.place, format!("`{name}` is a feature already"), "choose another name");
        return None;
    }
    if !is_word(name) {
        let help = "features are named by a-z, 0-9 and `_`, and by no word of the language";
        reader.error_with_help(&node.place, format!("`{name}` cannot be the name of a feature"), help);
        return None;
    }
    Some(name)
}

fn window(reader: &mut Reader<'_>, node: &Node) -> Option<u8> {
    let window_ms = reader.duration(node, "window")?;
    let days = window_ms / DAY_MS;
    if window_ms % DAY_MS != 0 || !(1..=i64::from(MAX_OWN_WINDOW_DAYS)).contains(&days) {
        reader.error(&node.place, format!("window must be whole days from 1d to {MAX_OWN_WINDOW_DAYS}d"));
        return None;
    }
    Some(days as u8)
}

/// Exactly one of the ways to gather.
fn gather(reader: &mut Reader<'_>, node: &Node, given: &Fields<'_>, event: EventType) -> Option<Gather> {
    let ways: Vec<(&str, &Node)> = GATHER.iter().filter_map(|way| Some((*way, given.get(way)?))).collect();
    let [(way, of)] = ways[..] else {
        reader.error(&node.place, "a feature has one of `count: true`, `sum: FIELD`, `distinct: FIELD` and `last: FIELD`");
        return None;
    };
    if way == "count" {
        return reader.boolean(of, "count").filter(|counts| *counts).map(|_| Gather::Count);
    }
    let field = reader.text(of, "the name of a field")?;
    let found = field_type(reader, of, field, event)?;
    match way {
        "distinct" => Some(Gather::Distinct(field.to_owned())),
        _ if found != FieldType::Number => {
            reader.error(&of.place, format!("`{way}` needs a field that holds a number, and `{field}` does not"));
            None
        }
        "sum" => Some(Gather::Sum(field.to_owned())),
        _ => Some(Gather::Last(field.to_owned())),
    }
}

fn field_type(reader: &mut Reader<'_>, node: &Node, field: &str, event: EventType) -> Option<FieldType> {
    let known = fields(event);
    let found = known.iter().find(|(name, _)| *name == field).map(|(_, of_type)| *of_type);
    if found.is_none() {
        reader.unknown(&node.place, &format!("field of `{}`", event.name()), field, known.iter().map(|(name, _)| *name));
    }
    found
}

fn filters(reader: &mut Reader<'_>, node: &Node, event: EventType) -> Vec<Filter> {
    let given = reader.open_fields(node, "conditions on fields");
    let filters = given.entries.iter().filter_map(|(key, field, node)| {
        let of_type = field_type(reader, key, field, event)?;
        Some(Filter { field: (*field).to_owned(), test: test(reader, node, field, of_type)? })
    });
    filters.collect()
}

fn test(reader: &mut Reader<'_>, node: &Node, field: &str, of_type: FieldType) -> Option<Test> {
    match of_type {
        FieldType::Flag => reader.boolean(node, field).map(Test::Is),
        FieldType::Number if matches!(node.value, Value::Mapping(_)) => {
            let bounds = reader.fields(node, "the bounds", &["min", "max"]);
            let mut bound = |name: &str, default| match bounds.get(name) {
                Some(node) => reader.number(node, name, f64::MIN..=f64::MAX),
                None => Some(default),
            };
            Some(Test::Between(bound("min", f64::MIN)?, bound("max", f64::MAX)?))
        }
        FieldType::Number => reader.number(node, field, f64::MIN..=f64::MAX).map(|number| Test::Between(number, number)),
        FieldType::Text => {
            let items = if let Value::List(items) = &node.value { items.as_slice() } else { std::slice::from_ref(node) };
            let texts = items.iter().filter_map(|item| reader.text(item, field).map(str::to_owned));
            Some(Test::OneOf(texts.collect()))
        }
        FieldType::User => {
            reader.error_with_help(
                &node.place,
                format!("`{field}` cannot be a condition"),
                "users are pseudonyms; count them by `distinct`",
            );
            None
        }
    }
}
