//! A YAML document as a tree of values, each with its place in the text.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, Spanned, Tagged};

use super::errors::Mistake;

/// A value with its place.
#[derive(Debug)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// The bytes of a scalar; of a list or mapping only where it begins.
    pub place: Range<usize>,
    /// Whether parts of it come from environment variables: then it is never shown, and a text may stand for a number or a boolean.
    pub from_variable: bool,
    /// Whether it is a secret, or may be meant as one: then no error describes it.
    pub is_secret: bool,
    tag: Option<String>,
}

/// A YAML value.
#[derive(Debug)]
pub enum Value {
    /// `~`, `null`, or nothing at all.
    Nothing,
    /// `true` or `false`.
    Boolean(bool),
    /// A number.
    Number(serde_json::Number),
    /// Any other scalar, and whatever stands in quotes.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// Keys and values, in the order of the file; a key may stand there twice.
    Mapping(Vec<(Node, Node)>),
}

impl Value {
    /// What it is, for errors.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Value::Nothing => "nothing".to_owned(),
            Value::Boolean(value) => format!("`{value}`"),
            Value::Number(number) => format!("the number {number}"),
            Value::Text(text) => format!("the text `{}`", shorten(text)),
            Value::List(_) => "a list".to_owned(),
            Value::Mapping(_) => "a mapping".to_owned(),
        }
    }
}

impl Node {
    /// A mapping with nothing in it, which stands for a section that is not there.
    #[must_use]
    pub fn empty_mapping() -> Self {
        Self { value: Value::Mapping(Vec::new()), place: 0..0, from_variable: false, is_secret: false, tag: None }
    }

    /// What it is, for errors. What comes from a variable may be a secret.
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.value {
            _ if self.from_variable => "what the variable holds".to_owned(),
            Value::Boolean(_) | Value::Number(_) | Value::Text(_) if self.is_secret => "what is not shown here".to_owned(),
            value => value.describe(),
        }
    }

    /// The text, where it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }

    /// The value under a key, where it is a mapping that has it.
    #[must_use]
    pub fn entry(&self, name: &str) -> Option<&Node> {
        let Value::Mapping(entries) = &self.value else { return None };
        entries.iter().find(|(key, _)| key.as_text() == Some(name)).map(|(_, value)| value)
    }
}

/// At most 40 characters of the first line of a text.
#[must_use]
pub fn shorten(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let mut short: String = line.chars().take(40).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// The tree of a text without a byte order mark. `what` is what errors call the file, such as `rule file`.
///
/// # Errors
/// Of a text that is no YAML, the one mistake that stopped the parser.
pub fn parse(text: &str, what: &str) -> Result<Node, Mistake> {
    let options = serde_saphyr::options! {
        // Duplicates are told with all other mistakes.
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        // Infinity and NaN are texts, and so the wrong type wherever a number should stand.
        non_finite_float_policy: serde_saphyr::options::NonFiniteFloatPolicy::AsString,
        // `yes` and `off` are texts, as in YAML 1.2.
        strict_booleans: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| syntax_mistake(text, what, &error))
}

fn syntax_mistake(text: &str, what: &str, error: &serde_saphyr::Error) -> Mistake {
    let (line, column) = error.location().map_or((1, 1), |location| (location.line(), location.column()));
    let message = error.to_string();
    let message = message.strip_suffix(&format!(" at line {line}, column {column}")).unwrap_or(&message);
    let help = message.contains("multiple YAML documents").then(|| format!("a {what} is one document: no `---`"));
    let message = if help.is_some() { "a second YAML document" } else { message };
    let lines = text.split_inclusive('\n').take(usize::try_from(line).unwrap_or(1).saturating_sub(1));
    let line_start = lines.map(str::len).sum::<usize>();
    let letters = text[line_start..].char_indices().map(|(offset, _)| offset);
    let column = letters.chain([text.len() - line_start]).nth(usize::try_from(column).unwrap_or(1).saturating_sub(1));
    let start = line_start + column.unwrap_or(0);
    let help =
        help.or_else(|| Some("text that begins with `{`, `[`, `!`, `&`, `*` or `\"`, or holds `: ` or ` #`, stands in quotes".to_owned()));
    Mistake { place: start..start, message: format!("not YAML: {message}"), help, within: None }
}

const TAG_HELP: &str = "put text that begins with `!` in quotes";

/// Every tag in the tree is a mistake, most often an expression that begins with `!` and should stand in quotes.
pub fn tags(text: &str, files: &str, node: &Node, mistakes: &mut Vec<Mistake>) {
    if node.is_secret && node.tag.is_some() {
        let message = format!("a YAML tag stands here, and {files} have none");
        mistakes.push(Mistake { place: node.place.start..node.place.start, message, help: Some(TAG_HELP.to_owned()), within: None });
    } else if let Some(tag) = &node.tag {
        let start = text[..node.place.start].rfind(tag.as_str()).unwrap_or(node.place.start);
        let message = format!("`{tag}` is a YAML tag here, and {files} have none");
        mistakes.push(Mistake { place: start..start + tag.len(), message, help: Some(TAG_HELP.to_owned()), within: None });
    }
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| tags(text, files, item, mistakes)),
        Value::Mapping(entries) => entries.iter().for_each(|(_, value)| tags(text, files, value, mistakes)),
        _ => {}
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned { value: Tagged(value, tag), defined, .. } = Spanned::deserialize(deserializer)?;
        let offset = |bytes: Option<u64>| bytes.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(0);
        let start = offset(defined.span().byte_offset());
        Ok(Node { value, place: start..start + offset(defined.span().byte_len()), from_variable: false, is_secret: false, tag })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any YAML value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        let number = serde_json::Number::from_f64(value);
        Ok(number.map_or_else(|| Value::Text(value.to_string()), Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut mapping = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            mapping.push(entry);
        }
        Ok(Value::Mapping(mapping))
    }
}
