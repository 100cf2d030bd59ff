//! Sections of a file with settings as tables of their fields: names, forms, defaults and meanings stand in one place, which reading, the
//! reference page and the JSON Schema share.

use std::ops::{Range, RangeInclusive};

use super::reader::{Fields, Reader};
use super::tree::{Node, Value, parse};

/// A mapping with fixed fields.
#[derive(Debug)]
pub struct Section {
    /// What errors call it, such as `the journal`.
    pub what: &'static str,
    /// What it is for, in a sentence or two.
    pub doc: &'static str,
    /// Its fields, in the order in which they are explained.
    pub fields: &'static [Field],
}

/// A field of a section.
#[derive(Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What stands there.
    pub form: Form,
    /// What holds where it is absent.
    pub absent: Absent,
    /// What it means.
    pub doc: &'static str,
}

/// What holds where a field is absent.
#[derive(Debug)]
pub enum Absent {
    /// It must be there.
    Required,
    /// This value, as YAML.
    Default(&'static str),
    /// What these words say.
    Means(&'static str),
}

/// What stands in a field.
#[derive(Debug)]
pub enum Form {
    /// A text with at least one letter.
    Text,
    /// A text that is never shown.
    Secret,
    /// A JSON Pointer.
    Pointer,
    /// A whole number from the first to the second.
    Whole(u32, u32),
    /// A number from the first to the second.
    Number(f64, f64),
    /// True or false.
    Boolean,
    /// A duration such as `1h30m`.
    Duration,
    /// A size such as `1GiB`.
    Size,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A text, a number, true, false or nothing.
    Scalar,
    /// A text, a number, true or false under a name that may say that it is a secret.
    Property,
    /// A list.
    List(&'static Form),
    /// A mapping from names of the user's choice.
    Named(&'static Form),
    /// A section.
    Section(&'static Section),
    /// Either of two.
    Either(&'static Form, &'static Form),
}

/// A section as it stands in a file.
pub struct Settings<'n> {
    section: &'static Section,
    fields: Fields<'n>,
}

impl<'n> Settings<'n> {
    /// The value of a field, where it is given and not nothing.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'n Node> {
        self.fields.get(name).filter(|node| !matches!(node.value, Value::Nothing))
    }

    /// The value of a field, whatever it is.
    #[must_use]
    pub fn given(&self, name: &str) -> Option<&'n Node> {
        self.fields.get(name)
    }

    /// The default of a field.
    fn default_of(&self, name: &str) -> Option<&'static str> {
        let field = self.section.fields.iter().find(|field| field.name == name).expect("settings are read by the names of their table");
        if let Absent::Default(default) = field.absent { Some(default) } else { None }
    }

    /// The node of a field, or of its default, handed to `read`. What is wrong with a default is a fault of its table.
    fn read<T>(&self, reader: &mut Reader<'_>, name: &str, read: impl FnOnce(&mut Reader<'_>, &Node) -> Option<T>) -> Option<T> {
        if let Some(node) = self.get(name) {
            return read(reader, node);
        }
        let default = self.default_of(name)?;
        let node = parse(default, "default").ok()?;
        let mut of_default = Reader::new(default);
        let value = read(&mut of_default, &node);
        assert!(of_default.mistakes.is_empty(), "the default of {name} is not of its form");
        value
    }
}

/// Settings: those that are given, or their defaults. Where something is wrong, a mistake is written down and the value is an empty one.
impl Reader<'_> {
    /// A section: unknown and missing fields are mistakes.
    pub fn settings<'n>(&mut self, node: &'n Node, section: &'static Section) -> Settings<'n> {
        let names: Vec<&str> = section.fields.iter().map(|field| field.name).collect();
        let fields = self.fields(node, section.what, &names);
        for field in section.fields.iter().filter(|field| matches!(field.absent, Absent::Required)) {
            self.required(&fields, section.what, field.name);
        }
        Settings { section, fields }
    }

    /// A text.
    pub fn text_setting(&mut self, settings: &Settings<'_>, name: &str) -> String {
        settings.read(self, name, |reader, node| reader.text(node, name).map(str::to_owned)).unwrap_or_default()
    }

    /// A text that is a secret: it is told in no error. An empty one from a variable counts as absent.
    pub fn secret_setting(&mut self, settings: &Settings<'_>, name: &str) -> Option<(String, Range<usize>)> {
        let node = settings.get(name)?;
        match node.as_text() {
            Some("") if node.from_variable => None,
            Some(text) if !text.is_empty() => Some((text.to_owned(), node.place.clone())),
            _ => {
                self.error_with_help(&node.place, format!("`{name}` must be a text"), "put it in quotes");
                None
            }
        }
    }

    /// A text that need not be there; an empty one from a variable counts as absent.
    pub fn optional_text_setting(&mut self, settings: &Settings<'_>, name: &str) -> Option<String> {
        settings.read(self, name, |reader, node| match node.as_text() {
            Some("") if node.from_variable => None,
            _ => reader.text(node, name).map(str::to_owned),
        })
    }

    /// True or false.
    pub fn boolean_setting(&mut self, settings: &Settings<'_>, name: &str) -> bool {
        settings.read(self, name, |reader, node| reader.boolean(node, name)).unwrap_or_default()
    }

    /// A whole number in a range.
    pub fn whole_setting(&mut self, settings: &Settings<'_>, name: &str, range: RangeInclusive<u32>) -> u32 {
        settings.read(self, name, |reader, node| reader.whole(node, name, range)).unwrap_or_default()
    }

    /// A number in a range.
    pub fn number_setting(&mut self, settings: &Settings<'_>, name: &str, range: RangeInclusive<f64>) -> f64 {
        settings.read(self, name, |reader, node| reader.number(node, name, range)).unwrap_or_default()
    }

    /// Milliseconds of a duration.
    pub fn duration_setting(&mut self, settings: &Settings<'_>, name: &str) -> i64 {
        settings.read(self, name, |reader, node| reader.duration(node, name)).unwrap_or_default()
    }

    /// One of some words.
    pub fn choice_setting<T: Copy + Default>(&mut self, settings: &Settings<'_>, name: &str, options: &[(&str, T)]) -> T {
        settings.read(self, name, |reader, node| reader.choice(node, name, options)).unwrap_or_default()
    }

    /// A text, a number, true, false or nothing, as JSON.
    pub fn scalar(&mut self, node: &Node) -> Option<serde_json::Value> {
        match &node.value {
            Value::Nothing => Some(serde_json::Value::Null),
            Value::Boolean(value) => Some((*value).into()),
            Value::Number(number) => Some(number.clone().into()),
            Value::Text(text) => Some(text.as_str().into()),
            Value::List(_) | Value::Mapping(_) => {
                self.wrong_type(node, "a text, a number, true or false");
                None
            }
        }
    }
}
