//! Fills a directory from a file: CSV with the columns `user` and `customer`, or JSON Lines with the same names.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde::Deserialize;

use super::CustomerDirectory;
use crate::event::TEXT_MAX_BYTES;
use crate::pseudonym::Pseudonymiser;

/// No more mistakes of a file are told.
const MAX_MISTAKES_TOLD: usize = 20;

/// Why a file does not tell whose users there are.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryFileError {
    /// It cannot be read.
    #[error("cannot read {file}: {error}")]
    Unreadable {
        /// Its name.
        file: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// Its name says nothing about what it holds.
    #[error("{file}: the name must end with .csv, .jsonl or .json")]
    UnknownKind {
        /// Its name.
        file: String,
    },
    /// Lines that are not as they should be.
    #[error("{}", .0.join("\n"))]
    Mistakes(
        /// Each with the file and the line.
        Vec<String>,
    ),
}

#[derive(Deserialize)]
struct Row {
    user: String,
    customer: String,
}

impl CustomerDirectory {
    /// Takes in a file, and tells how many users it names.
    ///
    /// # Errors
    /// With every mistake in the file, up to 20; what was right is in the directory by then.
    pub fn load(&self, path: &Path, pseudonymiser: &Pseudonymiser) -> Result<u64, DirectoryFileError> {
        let file = path.display().to_string();
        let reader = match File::open(path) {
            Ok(reader) => BufReader::new(reader),
            Err(error) => return Err(DirectoryFileError::Unreadable { file, error }),
        };
        let mut loading = Loading { directory: self, pseudonymiser, file: &file, seen: HashMap::new(), mistakes: Vec::new() };
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("csv") => loading.csv(reader),
            Some("jsonl" | "json") => loading.json_lines(reader),
            _ => return Err(DirectoryFileError::UnknownKind { file }),
        }
        let Loading { seen, mistakes, .. } = loading;
        if mistakes.is_empty() { Ok(seen.len() as u64) } else { Err(DirectoryFileError::Mistakes(mistakes)) }
    }
}

struct Loading<'l> {
    directory: &'l CustomerDirectory,
    pseudonymiser: &'l Pseudonymiser,
    file: &'l str,
    /// The line of each user, and a hash would do, but a file has as many as the directory at most.
    seen: HashMap<u64, u64>,
    mistakes: Vec<String>,
}

impl Loading<'_> {
    fn csv(&mut self, reader: impl Read) {
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(reader);
        let columns = match reader.headers() {
            Ok(columns) => columns.clone(),
            Err(error) => {
                self.mistake(1, &csv_problem(&error));
                return;
            }
        };
        for record in reader.records() {
            let position = match &record {
                Ok(record) => record.position(),
                Err(error) => error.position(),
            };
            let line = position.map_or(1, csv::Position::line);
            let row = record.and_then(|record| record.deserialize::<Row>(Some(&columns)));
            let going_on = match row {
                Ok(row) => self.row(line, &row),
                Err(error) => self.mistake(line, &csv_problem(&error)),
            };
            if !going_on {
                return;
            }
        }
    }

    fn json_lines(&mut self, reader: impl BufRead) {
        for (line, text) in (1..).zip(reader.lines()) {
            let going_on = match text {
                Ok(text) if text.trim().is_empty() => true,
                Ok(text) => match serde_json::from_str::<Row>(&text) {
                    Ok(row) => self.row(line, &row),
                    Err(error) => self.mistake(line, &error.to_string()),
                },
                Err(error) => {
                    self.mistake(line, &error.to_string());
                    false
                }
            };
            if !going_on {
                return;
            }
        }
    }

    /// Takes in a row; false if reading on makes no sense.
    fn row(&mut self, line: u64, Row { user, customer }: &Row) -> bool {
        for (name, text) in [("user", user), ("customer", customer)] {
            if text.is_empty() {
                return self.mistake(line, &format!("`{name}` is empty"));
            }
            if text.len() > TEXT_MAX_BYTES {
                return self.mistake(line, &format!("`{name}` has {} bytes, more than {TEXT_MAX_BYTES}", text.len()));
            }
        }
        let token = self.pseudonymiser.token(user);
        if let Some(earlier) = self.seen.insert(token.0, line) {
            return self.mistake(line, &format!("the user of line {earlier} again"));
        }
        if !self.directory.insert(token, customer) {
            self.mistake(line, &format!("more than {} users: see `max_users`", self.directory.max_users()));
            return false;
        }
        true
    }

    /// Writes a mistake down; false if it is the last that is told.
    fn mistake(&mut self, line: u64, problem: &str) -> bool {
        self.mistakes.push(format!("{}:{line}: {problem}", self.file));
        self.mistakes.len() < MAX_MISTAKES_TOLD
    }
}

/// Without the position, which stands before it.
fn csv_problem(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Deserialize { err, .. } => err.to_string(),
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => format!("{len} columns, and the first line has {expected_len}"),
        csv::ErrorKind::Utf8 { .. } => "not UTF-8".to_owned(),
        _ => error.to_string(),
    }
}
