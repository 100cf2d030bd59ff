//! Templates of summaries: text with the values of features and params in it, as `No login for {days_since_login} days`.
//!
//! `{name}` is replaced by the value: a number rounded to at most one decimal, `yes` or `no`, a label, or `unknown` where
//! it is absent. `{{` and `}}` stand for single braces.

use std::fmt::Write;
use std::ops::Range;

use super::error::{ExpressionError, check_length};
use super::scope::{Meaning, Scope, Symbol, ValueType, bit};

/// A checked template.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    source: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Text(String),
    Value(Symbol),
}

/// Compiles `source`, or says everything that is wrong with it.
///
/// # Panics
///
/// If a symbol used has a feature number of 128 or more.
pub fn compile(source: &str, scope: &Scope) -> Result<Template, Vec<ExpressionError>> {
    check_length(source)?;
    let mut compiler = Compiler { source, scope, text: String::new(), parts: Vec::new(), errors: Vec::new() };
    compiler.run();
    if !compiler.errors.is_empty() {
        return Err(compiler.errors);
    }
    compiler.end_text();
    Ok(Template { source: source.to_owned(), parts: compiler.parts })
}

impl Template {
    /// Appends the text under the features given (NaN is absent).
    pub fn render(&self, value_of: &impl Fn(u16) -> f64, text: &mut String) {
        for part in &self.parts {
            match part {
                Part::Text(fixed) => text.push_str(fixed),
                Part::Value(symbol) => push_value(value_of(symbol.feature), symbol, text),
            }
        }
    }

    /// The features that the text depends on, as a set of bits.
    pub fn features(&self) -> u128 {
        self.parts.iter().fold(0, |set, part| match part {
            Part::Text(_) => set,
            Part::Value(symbol) => set | bit(symbol.feature),
        })
    }

    /// The text that this was compiled from.
    pub fn source(&self) -> &str {
        &self.source
    }
}

fn push_value(value: f64, symbol: &Symbol, text: &mut String) {
    match symbol.value_type {
        _ if !value.is_finite() => text.push_str("unknown"),
        ValueType::Number => push_number(value, text),
        ValueType::Boolean => text.push_str(if value == 0.0 { "no" } else { "yes" }),
        ValueType::Label(_) => {
            let labels = symbol.labels();
            let known = labels.iter().enumerate().find(|(position, _)| *position as f64 == value);
            text.push_str(known.map_or("unknown", |(_, label)| *label));
        }
    }
}

fn push_number(value: f64, text: &mut String) {
    let tenths = (value * 10.0).round();
    let rounded = tenths / 10.0;
    let written = if !rounded.is_finite() || rounded.fract() == 0.0 {
        // Adding zero turns -0 into 0.
        write!(text, "{:.0}", value.round() + 0.0)
    } else {
        write!(text, "{rounded:.1}")
    };
    written.expect("a String takes everything");
}

struct Compiler<'a> {
    source: &'a str,
    scope: &'a Scope<'a>,
    text: String,
    parts: Vec<Part>,
    errors: Vec<ExpressionError>,
}

impl Compiler<'_> {
    fn run(&mut self) {
        let mut position = 0;
        while let Some(found) = self.source[position..].find(['{', '}']) {
            let brace = position + found;
            self.text.push_str(&self.source[position..brace]);
            let rest = &self.source[brace..];
            position = if rest.starts_with("{{") || rest.starts_with("}}") {
                self.text.push_str(&rest[..1]);
                brace + 2
            } else if rest.starts_with('}') {
                self.errors.push(ExpressionError::new(brace..brace + 1, "`}` closes nothing").with_help("write `}}` for a brace"));
                brace + 1
            } else {
                self.placeholder(brace)
            };
        }
        self.text.push_str(&self.source[position..]);
    }

    /// Reads `{name}` and returns the position after it.
    fn placeholder(&mut self, brace: usize) -> usize {
        let inside = &self.source[brace + 1..];
        let length = inside.find(['{', '}']).unwrap_or(inside.len());
        let end = brace + 1 + length;
        if !inside[length..].starts_with('}') {
            let error = ExpressionError::new(brace..brace + 1, "`{` is not closed");
            self.errors.push(error.with_help("write `{name}` for a value and `{{` for a brace"));
            return end;
        }
        let name = inside[..length].trim();
        let start = brace + 1 + (length - inside[..length].trim_start().len());
        self.value(name, start..start + name.len(), brace..end + 1);
        end + 1
    }

    fn value(&mut self, name: &str, range: Range<usize>, braces: Range<usize>) {
        let is_name = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        match self.scope.find(name) {
            Some(Meaning::Param(value)) => push_number(value, &mut self.text),
            Some(Meaning::Feature(symbol)) => {
                self.end_text();
                self.parts.push(Part::Value(symbol.clone()));
            }
            None if name.is_empty() || !is_name => {
                let error = ExpressionError::new(braces, "braces hold the name of one feature or param");
                self.errors.push(error.with_help("write `{{` and `}}` for braces in the text"));
            }
            None => self.errors.push(self.scope.unknown_name(name, range)),
        }
    }

    fn end_text(&mut self) {
        if !self.text.is_empty() {
            self.parts.push(Part::Text(std::mem::take(&mut self.text)));
        }
    }
}
