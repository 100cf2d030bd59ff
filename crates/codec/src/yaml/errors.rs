//! What is wrong with a file: every mistake with its place, the text it is about, and what to write instead.

use std::fmt;
use std::ops::Range;

/// One mistake in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileError {
    /// Name of the file.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The line it is about, with carets under the wrong part.
    pub snippet: String,
}

impl fmt::Display for FileError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, message, help, snippet } = self;
        write!(formatter, "{file}:{line}:{column}: {message}\n{snippet}")?;
        help.as_ref().map_or(Ok(()), |help| write!(formatter, "\n  help: {help}"))
    }
}

/// Every mistake in a file, in the order of the file; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileErrors(pub Vec<FileError>);

impl fmt::Display for FileErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for error in &self.0 {
            write!(formatter, "{error}\n\n")?;
        }
        let file = self.0.first().map_or("", |error| error.file.as_str());
        match self.0.len() {
            1 => write!(formatter, "1 mistake in {file}"),
            count => write!(formatter, "{count} mistakes in {file}"),
        }
    }
}

impl std::error::Error for FileErrors {}

/// A mistake before it is rendered.
#[derive(Clone, Debug)]
pub struct Mistake {
    /// The bytes of the file that it is about.
    pub place: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The text it is about and the bytes of that, where the text does not stand in the file as it is (folded over several lines).
    pub within: Option<(String, Range<usize>)>,
}

/// Renders mistakes in the order of the file, each once.
#[must_use]
pub fn render(file: &str, text: &str, mut mistakes: Vec<Mistake>) -> FileErrors {
    mistakes.sort_by_key(|mistake| mistake.place.start);
    let mut errors: Vec<FileError> = Vec::with_capacity(mistakes.len());
    for mistake in mistakes {
        let (line, column) = line_and_column(text, mistake.place.start);
        let snippet = match &mistake.within {
            Some((source, range)) => excerpt(source, range, ""),
            None => excerpt(text, &mistake.place, &line.to_string()),
        };
        let Mistake { message, help, .. } = mistake;
        let error = FileError { file: file.to_owned(), line, column, message, help, snippet };
        // What is wrong under a YAML anchor is wrong wherever the anchor is used.
        if !errors.contains(&error) {
            errors.push(error);
        }
    }
    FileErrors(errors)
}

/// Line and column of a byte, both from 1.
#[must_use]
pub fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(offset)];
    let line_start = memchr::memrchr(b'\n', before.as_bytes()).map_or(0, |newline| newline + 1);
    (memchr::memchr_iter(b'\n', before.as_bytes()).count() + 1, before[line_start..].chars().count() + 1)
}

/// The first line of a range, with its number, and carets under the range.
fn excerpt(text: &str, range: &Range<usize>, number: &str) -> String {
    let start = text.floor_char_boundary(range.start);
    let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let line = text[line_start..].lines().next().unwrap_or_default();
    let line_end = line_start + line.len();
    let end = text.ceil_char_boundary(range.end).clamp(start, line_end.max(start));
    let carets = "^".repeat(text[start..end].chars().count().max(1));
    // A tab stays a tab, or the carets would stand elsewhere.
    let indent = text[line_start..start].chars().map(|letter| if letter == '\t' { '\t' } else { ' ' });
    let indent: String = indent.collect();
    format!("{number:>5} | {line}\n{:>5} | {indent}{carets}", "")
}
