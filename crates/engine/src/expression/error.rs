//! What is wrong with an expression, where, and what to write instead.

use std::fmt;
use std::ops::Range;

use super::MAX_SOURCE_BYTES;

/// One mistake in an expression or a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpressionError {
    /// The bytes of the source that are wrong; empty at the end if something is missing there.
    pub range: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl ExpressionError {
    pub(super) fn new(range: Range<usize>, message: impl Into<String>) -> Self {
        Self { range, message: message.into(), help: None }
    }

    pub(super) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The error under the line of `source` that it is about, with carets, for a terminal.
    pub fn render(&self, source: &str) -> String {
        let start = source.floor_char_boundary(self.range.start);
        let line_start = source[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line = source[line_start..].lines().next().unwrap_or_default();
        let line_end = line_start + line.len();
        let end = source.ceil_char_boundary(self.range.end).clamp(start, line_end.max(start));
        let carets = source[start..end].chars().count().max(1);
        // A tab stays a tab, or the carets would stand elsewhere.
        let indent: String = source[line_start..start].chars().map(|letter| if letter == '\t' { '\t' } else { ' ' }).collect();
        let mut text = format!("{line}\n{indent}{} {}", "^".repeat(carets), self.message);
        if let Some(help) = &self.help {
            text.push_str(&format!("\n{indent}help: {help}"));
        }
        text
    }
}

impl fmt::Display for ExpressionError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.help {
            Some(help) => write!(formatter, "{}; {help}", self.message),
            None => formatter.write_str(&self.message),
        }
    }
}

impl std::error::Error for ExpressionError {}

/// Refuses hostile lengths before anything is read.
pub(super) fn check_length(source: &str) -> Result<(), Vec<ExpressionError>> {
    if source.len() <= MAX_SOURCE_BYTES {
        return Ok(());
    }
    let message = format!("{} bytes are too many; the limit is {MAX_SOURCE_BYTES}", source.len());
    Err(vec![ExpressionError::new(source.floor_char_boundary(MAX_SOURCE_BYTES)..source.len(), message)])
}
