//! Settings as they are understood: those that are given, in the order of their table, and the defaults of the others. Secrets are masked.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use super::secrets::{MASK, is_secret_name};
use super::section::{Absent, Form, Section};
use super::tree::{Node, Value, parse};

/// The text of a section as YAML. `filled_in` has paths such as `kafka.instance`, and what holds there where nothing is given.
#[must_use]
pub fn print_settings(node: &Node, section: &'static Section, filled_in: &[(&str, String)]) -> String {
    let mut shown = section_shown(node, section);
    for (path, value) in filled_in {
        shown.fill_in(path, value);
    }
    serde_saphyr::to_string(&shown).unwrap_or_default()
}

/// What is shown, in its order.
enum Shown {
    Nothing,
    Boolean(bool),
    Number(serde_json::Number),
    Text(String),
    List(Vec<Shown>),
    Mapping(Vec<(String, Shown)>),
}

impl Shown {
    fn fill_in(&mut self, path: &str, value: &str) {
        let Shown::Mapping(entries) = self else { return };
        let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
        match (entries.iter_mut().find(|(known, _)| known == name), rest) {
            (Some((_, inner)), Some(rest)) => inner.fill_in(rest, value),
            (None, None) => entries.push((name.to_owned(), Shown::Text(value.to_owned()))),
            _ => {}
        }
    }
}

fn section_shown(node: &Node, section: &'static Section) -> Shown {
    let mut entries = Vec::new();
    for field in section.fields {
        let given = node.entry(field.name).filter(|node| !matches!(node.value, Value::Nothing));
        let shown = match (given, &field.absent) {
            (Some(node), _) => Some(shown(node, &field.form)),
            (None, Absent::Default(default)) => parse(default, "default").ok().map(|node| shown(&node, &field.form)),
            (None, _) => None,
        };
        entries.extend(shown.map(|shown| (field.name.to_owned(), shown)));
    }
    Shown::Mapping(entries)
}

fn shown(node: &Node, form: &Form) -> Shown {
    match (form, &node.value) {
        (Form::Secret, _) => Shown::Text(MASK.to_owned()),
        (Form::Section(section), Value::Mapping(_)) => section_shown(node, section),
        (Form::Either(_, Form::Section(section)), Value::Mapping(_)) => section_shown(node, section),
        (Form::Named(Form::Property), Value::Mapping(entries)) => Shown::Mapping(entries.iter().map(property).collect()),
        (Form::Named(form), Value::Mapping(entries)) => {
            Shown::Mapping(entries.iter().map(|(key, node)| (key_text(key), shown(node, form))).collect())
        }
        (Form::List(form), Value::List(items)) => Shown::List(items.iter().map(|item| shown(item, form)).collect()),
        (_, value) => plain(value),
    }
}

/// What comes from a variable is shown elsewhere, but a property may be a secret under any name.
fn property((key, node): &(Node, Node)) -> (String, Shown) {
    let name = key_text(key);
    let is_secret = node.from_variable || is_secret_name(&name);
    (name, if is_secret { Shown::Text(MASK.to_owned()) } else { plain(&node.value) })
}

fn key_text(key: &Node) -> String {
    match &key.value {
        Value::Text(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Boolean(value) => value.to_string(),
        _ => String::new(),
    }
}

fn plain(value: &Value) -> Shown {
    match value {
        Value::Nothing => Shown::Nothing,
        Value::Boolean(value) => Shown::Boolean(*value),
        Value::Number(number) => Shown::Number(number.clone()),
        Value::Text(text) => Shown::Text(text.clone()),
        Value::List(items) => Shown::List(items.iter().map(|item| plain(&item.value)).collect()),
        Value::Mapping(entries) => Shown::Mapping(entries.iter().map(|(key, node)| (key_text(key), plain(&node.value))).collect()),
    }
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Shown::Nothing => serializer.serialize_unit(),
            Shown::Boolean(value) => serializer.serialize_bool(*value),
            Shown::Number(number) => number.serialize(serializer),
            Shown::Text(text) => serializer.serialize_str(text),
            Shown::List(items) => {
                let mut sequence = serializer.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| sequence.serialize_element(item))?;
                sequence.end()
            }
            Shown::Mapping(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                entries.iter().try_for_each(|(name, value)| map.serialize_entry(name, value))?;
                map.end()
            }
        }
    }
}
