//! Takes values out of the tree, and writes down everything that is not as it should be instead of stopping at it.

use std::ops::{Range, RangeInclusive};

use bellwether_engine::expression::{Symbol, nearest};

use super::durations::{DurationError, parse_duration};
use super::errors::Mistake;
use super::tree::{Node, Value};

/// A list of known names is told in full up to this length.
const MAX_NAMES_TOLD: usize = 12;

/// Reads one file. Whatever is missing or wrong is `None`, and a mistake.
pub struct Reader<'t> {
    /// The text of the file.
    pub text: &'t str,
    /// What is wrong so far.
    pub mistakes: Vec<Mistake>,
    /// What expressions of a rule file may name; none elsewhere.
    pub symbols: Vec<Symbol>,
}

/// The fields of a mapping by name.
pub struct Fields<'n> {
    place: Range<usize>,
    /// False where the node was no mapping: then nothing is missing, as that is told already.
    is_mapping: bool,
    /// Key, name and value, in the order of the file.
    pub entries: Vec<(&'n Node, &'n str, &'n Node)>,
}

impl<'n> Fields<'n> {
    /// The value of a field, where it is given.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'n Node> {
        self.entries.iter().find(|(_, known, _)| *known == name).map(|(_, _, node)| *node)
    }
}

impl<'t> Reader<'t> {
    /// A reader of this text that has found nothing wrong.
    #[must_use]
    pub fn new(text: &'t str) -> Self {
        Self { text, mistakes: Vec::new(), symbols: Vec::new() }
    }
}

/// Mistakes.
impl Reader<'_> {
    /// Writes down a mistake.
    pub fn error(&mut self, place: &Range<usize>, message: impl Into<String>) {
        self.mistakes.push(Mistake { place: place.clone(), message: message.into(), help: None, within: None });
    }

    /// Writes down a mistake, and what to do about it.
    pub fn error_with_help(&mut self, place: &Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        let help = Some(help.into());
        self.mistakes.push(Mistake { place: place.clone(), message: message.into(), help, within: None });
    }

    /// Writes down that something else should stand there.
    pub fn wrong_type(&mut self, node: &Node, expected: &str) {
        self.error(&node.place, format!("expected {expected}, found {}", node.describe()));
    }

    /// A name that is not among those known.
    pub fn unknown<'k>(&mut self, place: &Range<usize>, what: &str, name: &str, known: impl Iterator<Item = &'k str> + Clone) {
        let message = format!("unknown {what} `{name}`");
        match nearest(name, known.clone()) {
            Some(meant) => self.error_with_help(place, message, format!("did you mean `{meant}`?")),
            None if (1..=MAX_NAMES_TOLD).contains(&known.clone().count()) => {
                let names: Vec<String> = known.map(|name| format!("`{name}`")).collect();
                self.error_with_help(place, message, format!("known are {}", names.join(", ")));
            }
            None => self.error(place, message),
        }
    }
}

/// Values.
impl Reader<'_> {
    /// A mapping with these fields, each at most once.
    pub fn fields<'n>(&mut self, node: &'n Node, what: &str, known: &[&str]) -> Fields<'n> {
        let fields = self.open_fields(node, what);
        for (key, name, _) in &fields.entries {
            if !known.contains(name) {
                self.unknown(&key.place, &format!("field of {what}"), name, known.iter().copied());
            }
        }
        fields
    }

    /// A mapping whose keys are names of the user's choice, each once.
    pub fn open_fields<'n>(&mut self, node: &'n Node, what: &str) -> Fields<'n> {
        let mut fields = Fields { place: node.place.clone(), is_mapping: true, entries: Vec::new() };
        let Value::Mapping(entries) = &node.value else {
            self.wrong_type(node, &format!("{what}, a mapping"));
            return Fields { is_mapping: false, ..fields };
        };
        for (key, value) in entries {
            match self.text(key, "a name") {
                Some(name) if fields.get(name).is_some() => self.error(&key.place, format!("`{name}` stands here twice")),
                Some(name) => fields.entries.push((key, name, value)),
                None => {}
            }
        }
        fields
    }

    /// A field that must be there.
    pub fn required<'n>(&mut self, fields: &Fields<'n>, what: &str, name: &str) -> Option<&'n Node> {
        let found = fields.get(name);
        if found.is_none() && fields.is_mapping {
            self.error(&fields.place, format!("`{name}` of {what} is missing"));
        }
        found
    }

    /// A list of anything.
    pub fn list<'n>(&mut self, node: &'n Node, what: &str) -> &'n [Node] {
        if let Value::List(items) = &node.value {
            return items;
        }
        self.wrong_type(node, &format!("a list of {what}"));
        &[]
    }

    /// A text with at least one letter.
    pub fn text<'n>(&mut self, node: &'n Node, expected: &str) -> Option<&'n str> {
        match &node.value {
            Value::Text(text) if !text.trim().is_empty() => return Some(text),
            Value::Number(_) | Value::Boolean(_) => {
                let message = format!("expected {expected}, found {}", node.describe());
                self.error_with_help(&node.place, message, "put it in quotes to make it a text");
            }
            _ => self.wrong_type(node, expected),
        }
        None
    }

    /// A name of lower-case letters, digits and hyphens.
    pub fn name<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n str> {
        let name = self.text(node, &format!("the name of {what}"))?;
        if name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-')) {
            return Some(name);
        }
        let message = format!("`{name}` cannot be the name of {what}");
        self.error_with_help(&node.place, message, "names are made of a-z, 0-9 and `-`");
        None
    }

    /// A number in a range.
    pub fn number(&mut self, node: &Node, what: &str, range: RangeInclusive<f64>) -> Option<f64> {
        let from_variable = node.as_text().filter(|_| node.from_variable).and_then(|text| text.trim().parse().ok());
        let number = match &node.value {
            Value::Number(number) => Some(number.clone()),
            _ => from_variable,
        };
        let Some(number) = number else {
            self.wrong_type(node, &format!("{what}, a number"));
            return None;
        };
        let value = number.as_f64().filter(|value| range.contains(value));
        if value.is_none() {
            let (least, most) = range.into_inner();
            self.error(&node.place, format!("{what} is {number}, and must be from {least} to {most}"));
        }
        value
    }

    /// A whole number in a range.
    pub fn whole(&mut self, node: &Node, what: &str, range: RangeInclusive<u32>) -> Option<u32> {
        let limits = f64::from(*range.start())..=f64::from(*range.end());
        let value = self.number(node, what, limits)?;
        if value.fract() != 0.0 {
            self.error(&node.place, format!("{what} is {value}, and must be a whole number"));
            return None;
        }
        Some(value as u32)
    }

    /// Milliseconds of a duration.
    pub fn duration(&mut self, node: &Node, what: &str) -> Option<i64> {
        let help = "a duration is written like 30d, 12h, 1d12h30m, 90s or 5ms";
        let error = match &node.value {
            Value::Text(text) => match parse_duration(text) {
                Ok(duration) => return Some(duration),
                Err(error) if node.from_variable => format!("{}: {error}", node.describe()),
                Err(error) => format!("`{text}`: {error}"),
            },
            Value::Number(number) => format!("`{number}`: {}", DurationError::NoUnit),
            _ => format!("expected a duration, found {}", node.describe()),
        };
        self.error_with_help(&node.place, format!("{what}: {error}"), help);
        None
    }

    /// True or false.
    pub fn boolean(&mut self, node: &Node, what: &str) -> Option<bool> {
        match (&node.value, node.as_text().filter(|_| node.from_variable).map(str::trim)) {
            (Value::Boolean(value), _) => Some(*value),
            (_, Some("true")) => Some(true),
            (_, Some("false")) => Some(false),
            _ => {
                self.wrong_type(node, &format!("{what}, true or false"));
                None
            }
        }
    }

    /// One of a fixed list of names.
    pub fn choice<T: Copy>(&mut self, node: &Node, what: &str, options: &[(&str, T)]) -> Option<T> {
        let name = self.text(node, &format!("the name of a {what}"))?;
        let found = options.iter().find(|(known, _)| *known == name);
        if found.is_none() {
            self.unknown(&node.place, what, name, options.iter().map(|(known, _)| *known));
        }
        found.map(|(_, value)| *value)
    }

    /// The text of an expression, which YAML may take for a boolean or a number.
    pub fn expression(&mut self, node: &Node) -> Option<String> {
        match &node.value {
            Value::Text(text) if !text.trim().is_empty() => Some(text.trim_end().to_owned()),
            Value::Boolean(_) | Value::Number(_) => self.text.get(node.place.clone()).map(str::to_owned),
            _ => {
                self.wrong_type(node, "an expression");
                None
            }
        }
    }
}
