//! Lines that hold secrets: errors say where something is wrong, and neither quote these lines nor describe what stands there.

use std::collections::BTreeSet;

use bellwether_engine::expression::nearest;

use super::errors::{FileError, FileErrors};
use super::secrets::is_secret_name;
use super::section::{Form, Section};
use super::tree::{Node, Value};

/// The lines of a file with settings that errors must not quote.
#[derive(Debug)]
pub enum SecretLines {
    /// Every line: of a text that is no YAML nobody can tell what in it is a secret.
    All,
    /// These, from 1.
    These(BTreeSet<usize>),
}

impl SecretLines {
    /// Marks what is a secret by the table of the file, or may be meant as one, and takes down where it stands.
    #[must_use]
    pub fn mark(text: &str, root: &mut Node, section: &'static Section) -> Self {
        let mut marking = Marking { starts: line_starts(text), lines: BTreeSet::new() };
        marking.of_form(root, &Form::Section(section));
        Self::These(marking.lines)
    }

    /// The same errors, without the lines that must not be quoted.
    #[must_use]
    pub fn hide(&self, errors: FileErrors) -> FileErrors {
        let hidden = |error: FileError| {
            let why = match self {
                Self::These(lines) if !lines.contains(&error.line) => return error,
                Self::These(_) => "(a line with a secret)",
                Self::All => "(the line may hold a secret)",
            };
            FileError { snippet: format!("{:>5} | {why}", error.line), ..error }
        };
        FileErrors(errors.0.into_iter().map(hidden).collect())
    }
}

fn line_starts(text: &str) -> Vec<usize> {
    std::iter::once(0).chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|newline| newline + 1)).collect()
}

struct Marking {
    /// Where each line begins, bytes.
    starts: Vec<usize>,
    lines: BTreeSet<usize>,
}

impl Marking {
    fn of_form(&mut self, node: &mut Node, form: &Form) {
        match (form, &mut node.value) {
            // A property may be a secret under any name, also a misspelt one.
            (Form::Secret | Form::Property, _) => self.all_of(node),
            (Form::Section(section), Value::Mapping(entries)) => self.of_section(entries, section),
            (Form::Named(of), Value::Mapping(entries)) => entries.iter_mut().for_each(|(_, value)| self.of_form(value, of)),
            (Form::List(of), Value::List(items)) => items.iter_mut().for_each(|item| self.of_form(item, of)),
            (Form::Either(one, other), _) => {
                self.of_form(node, one);
                self.of_form(node, other);
            }
            // What stands in the place of a list of tokens is most often a token.
            _ if holds_secrets(form) => self.all_of(node),
            _ => {}
        }
    }

    fn of_section(&mut self, entries: &mut [(Node, Node)], section: &'static Section) {
        for (key, value) in entries {
            let name = key.as_text().unwrap_or_default();
            match section.fields.iter().find(|field| field.name == name) {
                Some(field) => self.of_form(value, &field.form),
                None if may_mean_a_secret(name, section) => self.all_of(value),
                None => {}
            }
        }
    }

    fn all_of(&mut self, node: &mut Node) {
        node.is_secret = true;
        // A text over several lines ends where the next one begins.
        let last_byte = node.place.end.saturating_sub(1).max(node.place.start);
        let [first, last] = [node.place.start, last_byte].map(|offset| self.starts.partition_point(|start| *start <= offset));
        self.lines.extend(first..=last);
        match &mut node.value {
            Value::List(items) => items.iter_mut().for_each(|item| self.all_of(item)),
            Value::Mapping(entries) => entries.iter_mut().for_each(|(key, value)| {
                self.all_of(key);
                self.all_of(value);
            }),
            _ => {}
        }
    }
}

/// Whether a field that is not known may be a misspelt secret: it is one by its name, or like one, or like nothing that is known.
fn may_mean_a_secret(name: &str, section: &'static Section) -> bool {
    let meant = nearest(name, section.fields.iter().map(|field| field.name));
    let meant = section.fields.iter().find(|field| Some(field.name) == meant);
    is_secret_name(name) || meant.is_none_or(|field| holds_secrets(&field.form))
}

fn holds_secrets(form: &Form) -> bool {
    match form {
        Form::Secret | Form::Property => true,
        Form::List(of) | Form::Named(of) => holds_secrets(of),
        Form::Section(section) => section.fields.iter().any(|field| holds_secrets(&field.form)),
        Form::Either(one, other) => holds_secrets(one) || holds_secrets(other),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{Absent, Field, Reader, expand_variables, parse, render, tags};

    const fn field(name: &'static str, form: Form) -> Field {
        Field { name, form, absent: Absent::Means("nothing"), doc: "" }
    }

    const INNER: Section = Section { what: "the inner", doc: "", fields: &[field("secret", Form::Secret), field("name", Form::Text)] };

    const OUTER: Section = Section {
        what: "the outer",
        doc: "",
        fields: &[
            field("pseudonym_key", Form::Secret),
            field("tokens", Form::List(&Form::Secret)),
            field("client", Form::Named(&Form::Property)),
            field("routes", Form::List(&Form::Section(&INNER))),
            field("metrics", Form::Text),
        ],
    };

    /// What is told of a text with a mistake in every line: each by itself, beside whatever the reader and its steps say.
    fn told(text: &str) -> String {
        let variable = |_: &str| None;
        let mut root = match parse(text, "file") {
            Err(mistake) => return SecretLines::All.hide(render("file", text, vec![mistake])).to_string(),
            Ok(root) => root,
        };
        let lines = SecretLines::mark(text, &mut root, &OUTER);
        let mut reader = Reader::new(text);
        tags(text, "files", &root, &mut reader.mistakes);
        expand_variables(text, &mut root, &variable, &mut reader.mistakes);
        let settings = reader.settings(&root, &OUTER);
        for name in ["pseudonym_key", "tokens", "client", "metrics"] {
            if let Some(node) = settings.given(name) {
                reader.wrong_type(node, "something else");
                reader.list(node, "something else").iter().for_each(|item| reader.wrong_type(item, "something else"));
            }
        }
        if let Some(node) = settings.given("routes") {
            reader.list(node, "routes").iter().for_each(|item| {
                let _ = reader.settings(item, &INNER);
            });
        }
        let mut start = 0;
        for line in text.lines() {
            reader.error(&(start..start + line.len()), "this line");
            start += line.len() + 1;
        }
        lines.hide(render("file", text, reader.mistakes)).to_string()
    }

    #[test]
    fn lines_with_secrets_are_neither_quoted_nor_described() {
        for text in [
            "pseudonym_key: hunter2",
            "pseudonym_key: [hunter2]",
            "pseudonym_key: { hunter2: hunter2 }",
            "\"pseudonym_key\": hunter2",
            "pseudonym_key:\n  hunter2",
            "pseudonym_key: >\n  hunter2\n  hunter2\n",
            "pseudonym_key: |\n  hunter2\n  hunter2\nmetrics: [x]",
            "pseudonym_key: >\n  a ${NOWHERE} hunter2\n  hunter2",
            "pseudonym_key: \"hunter2\n  hunter2\"",
            "pseudonym_key: 'pa$${x}${hunter2!}'",
            "metrics: x\npseudonym_key: !hunter2",
            "pseudonym_key: !x\n  hunter2",
            "pseudonym_key: hunter2: hunter2",
            "pseudonim: hunter2",
            "key_of_pseudonyms: hunter2",
            "tokens:\n    - hunter2\n    - hunter2",
            "tokens: hunter2",
            "tokens:\n  - [hunter2]",
            "client:\n  sasl.password:\n    [hunter2]",
            "client: { security.protocol: SASL, sasl.pasword: hunter2 }",
            "client: hunter2",
            "client: [hunter2]",
            "cilent:\n  x: hunter2",
            "routes:\n  - secrt: hunter2",
            "routes:\n  - name: a\n    secret:\n      - hunter2",
            "routes:\n  - https://x.example/hunter2",
            "routes:\n  - { name: a, whsec: hunter2 }",
            "tokens:\n  - 'hunter2\n  - x",
        ] {
            let told = told(text);
            assert!(!told.contains("hunter") && told.contains(" secret)"), "{text}\n{told}");
        }
    }

    #[test]
    fn other_lines_are_quoted() {
        for (text, line) in [
            ("metrics: [127]\npseudonym_key: x", "metrics: [127]"),
            ("pseudonym_key: x\nmetriks: 127", "metriks: 127"),
            ("tokens:\n  - x\nmetrics: [127]", "metrics: [127]"),
            ("pseudonym_key: >\n  x\n  y\nmetrics: [127]", "metrics: [127]"),
            ("routes:\n  - nam: a", "- nam: a"),
        ] {
            let told = told(text);
            assert!(told.contains(line), "{text}\n{told}");
        }
    }
}
