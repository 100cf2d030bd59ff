//! Dead letters of a route: a line of JSON for each message that is not tried any more, on the disk before its position is kept.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::error::ForwardError;
use crate::metrics::DeadReason;

/// The file.
pub(crate) struct Letters {
    path: PathBuf,
    file: Mutex<File>,
}

/// What is told besides the message itself.
#[derive(Debug)]
pub(crate) struct Death<'a> {
    pub route: &'a str,
    /// The id of the message; empty where it is unreadable.
    pub id: &'a str,
    pub reason: DeadReason,
    /// In words.
    pub detail: &'a str,
    /// The last answer, if there was one.
    pub status: Option<u16>,
    pub attempts: u32,
}

/// A message that is not tried any more.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ForwardDeadLetter")]
struct Line<'a> {
    /// When it was given up, by the clock.
    #[schemars(extend("format" = "date-time"))]
    at: String,
    /// The route.
    route: &'a str,
    /// The id of the message; empty where it is unreadable.
    id: &'a str,
    /// Why: the receiver never takes it, all attempts failed, or it is no signal.
    #[schemars(extend("enum" = reasons()))]
    reason: &'static str,
    /// The same in words.
    detail: &'a str,
    /// The HTTP status of the last answer; null where there was none.
    status: Option<u16>,
    /// How often it was tried.
    attempts: u32,
    /// The message as it is sent, such as a signal; as a text where it is not JSON.
    #[schemars(with = "serde_json::Value")]
    message: &'a RawValue,
}

fn reasons() -> [&'static str; 3] {
    [DeadReason::Refused, DeadReason::Attempts, DeadReason::Unreadable].map(DeadReason::name)
}

/// Adds the schema of a line to a generator.
pub(crate) fn describe(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<Line<'_>>()
}

impl Letters {
    /// Opens the file, or makes it. A line that broke off is ended.
    pub fn open(path: &Path) -> Result<Self, ForwardError> {
        let open = || -> io::Result<File> {
            let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
            if file.metadata()?.len() > 0 {
                file.seek(SeekFrom::End(-1))?;
                let mut last = [0];
                file.read_exact(&mut last)?;
                if last != *b"\n" {
                    file.write_all(b"\n")?;
                }
            }
            Ok(file)
        };
        let file = open().map_err(|error| ForwardError::Write { path: path.to_owned(), error })?;
        Ok(Self { path: path.to_owned(), file: Mutex::new(file) })
    }

    /// Writes one down. A message that is JSON stands there as it is, anything else as a text.
    pub fn write(&self, death: &Death<'_>, body: &[u8]) -> Result<(), ForwardError> {
        let Death { route, id, reason, detail, status, attempts } = *death;
        let as_text;
        let message = match serde_json::from_slice::<&RawValue>(body) {
            Ok(message) if !body.contains(&b'\n') => message,
            _ => {
                as_text = to_raw_value(&String::from_utf8_lossy(body)).expect("a text is plain data");
                &*as_text
            }
        };
        let line = Line { at: Timestamp::now().to_string(), route, id, reason: reason.name(), detail, status, attempts, message };
        let mut line = serde_json::to_vec(&line).expect("a letter is plain data");
        line.push(b'\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(&line).and_then(|()| file.sync_data()).map_err(|error| ForwardError::Write { path: self.path.clone(), error })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_letter_is_a_line_also_behind_one_that_broke_off() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("letters.jsonl");
        std::fs::write(&path, "{\"half\":").unwrap();
        let letters = Letters::open(&path).unwrap();
        let death = Death { route: "crm", id: "a", reason: DeadReason::Refused, detail: "no \"a\"", status: Some(404), attempts: 1 };
        letters.write(&death, br#"{"id":"a"}"#).unwrap();
        letters.write(&Death { reason: DeadReason::Unreadable, status: None, ..death }, b"not {json\xff").unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<serde_json::Value> = text.lines().skip(1).map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((lines[0]["message"]["id"].as_str(), lines[0]["status"].as_u64()), (Some("a"), Some(404)));
        assert_eq!((lines[1]["message"].as_str(), lines[1]["reason"].as_str()), (Some("not {json\u{fffd}"), Some("unreadable")));
    }
}
