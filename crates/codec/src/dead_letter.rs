//! Dead letters: what was refused, why, where it came from, and its original bytes, as one JSON line each.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::json;
use xxhash_rust::xxh3::xxh3_128;

use crate::contract::ID_PATTERN;
use crate::rejection::{RejectReason, Rejection};

/// How much of the original a dead letter keeps. Its length and hash are always those of the whole.
pub const DEAD_LETTER_MAX_BYTES: usize = 64 * 1024;

/// One refused record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter<'a> {
    /// Why.
    pub reason: RejectReason,
    /// Exactly what was wrong.
    pub detail: &'a str,
    /// The input it came from: a file name, a topic and partition, `http`.
    pub input: &'a str,
    /// Line number in the input, from 1.
    pub line: u64,
    /// Byte offset of its start in the decompressed input.
    pub offset: u64,
    /// Length of the whole original in bytes.
    pub length: u64,
    /// `xxh3_128` of the whole original.
    pub hash: u128,
    /// The original, or its start; at most [`DEAD_LETTER_MAX_BYTES`] of it are written.
    pub bytes: &'a [u8],
}

/// A refused line: why, where it stood, and what it was. `text` and `base64` exclude each other.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DeadLetter", extend("oneOf" = json!([{ "required": ["text"] }, { "required": ["base64"] }])))]
struct Line<'a> {
    /// The code of the reason, such as `missing_field`; further ones may come.
    #[schemars(extend("pattern" = "^[a-z0-9_]+$"))]
    reason: &'static str,
    /// Exactly what was wrong.
    detail: &'a str,
    /// The input it came from: a file name, a topic and partition, `http`.
    input: &'a str,
    /// Line number in the input, from 1.
    line: u64,
    /// Byte offset of its start in the decompressed input.
    offset: u64,
    /// Length of the whole original in bytes.
    length: u64,
    /// `xxh3_128` of the whole original.
    #[schemars(extend("pattern" = ID_PATTERN))]
    hash: String,
    /// The original, or its first 64 KiB, if it is UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    text: Option<&'a str>,
    /// The same otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("contentEncoding" = "base64"))]
    base64: Option<Cow<'a, str>>,
}

/// Adds the schema of a line to a generator.
pub fn describe(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<Line<'_>>()
}

impl<'a> DeadLetter<'a> {
    /// A dead letter for a record whose bytes are all at hand; `line` counts from 1.
    #[must_use]
    pub fn new(rejection: &'a Rejection, input: &'a str, line: u64, offset: u64, bytes: &'a [u8]) -> Self {
        Self {
            reason: rejection.reason,
            detail: &rejection.detail,
            input,
            line,
            offset,
            length: bytes.len() as u64,
            hash: xxh3_128(bytes),
            bytes,
        }
    }

    /// Appends the dead letter as one JSON line, newline included.
    pub fn write_line(&self, into: &mut Vec<u8>) {
        let kept = &self.bytes[..self.bytes.len().min(DEAD_LETTER_MAX_BYTES)];
        let is_cut = self.length > kept.len() as u64;
        let text = readable(kept, is_cut);
        let line = Line {
            reason: self.reason.code(),
            detail: self.detail,
            input: self.input,
            line: self.line,
            offset: self.offset,
            length: self.length,
            hash: format!("{:032x}", self.hash),
            text,
            base64: text.is_none().then(|| STANDARD.encode(kept).into()),
        };
        serde_json::to_writer(&mut *into, &line).expect("text and numbers always serialise, and a vector takes every byte");
        into.push(b'\n');
    }
}

/// The bytes as text, if they are; a cut may go through the last character, which is then left out.
fn readable(bytes: &[u8], is_cut: bool) -> Option<&str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(error) if is_cut && error.error_len().is_none() => std::str::from_utf8(&bytes[..error.valid_up_to()]).ok(),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(bytes: &[u8]) -> serde_json::Value {
        let rejection = Rejection::new(RejectReason::InvalidJson, "expected `,`");
        let mut line = Vec::new();
        DeadLetter::new(&rejection, "a.jsonl", 3, 120, bytes).write_line(&mut line);
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        assert_eq!(line.last(), Some(&b'\n'));
        serde_json::from_slice(&line).unwrap()
    }

    #[test]
    fn a_line_says_everything() {
        let rejection = Rejection::new(RejectReason::InvalidJson, "expected `,`");
        let mut line = Vec::new();
        DeadLetter::new(&rejection, "a.jsonl", 3, 120, b"{\"a\"\n}").write_line(&mut line);
        let expected = r#"{"reason":"invalid_json","detail":"expected `,`","input":"a.jsonl","line":3,"offset":120,"length":6,"hash":"HASH","text":"{\"a\"\n}"}"#;
        let hash = format!("{:032x}", xxh3_128(b"{\"a\"\n}"));
        assert_eq!(String::from_utf8(line).unwrap(), expected.replace("HASH", &hash) + "\n");
    }

    #[test]
    fn bytes_that_are_no_text_come_as_base64() {
        let letter = written(b"{\xff}");
        assert_eq!(letter["base64"], "e/99");
        assert!(letter.get("text").is_none());
    }

    #[test]
    fn an_unfinished_character_in_a_whole_record_is_not_text() {
        assert_eq!(written(b"{\xe2\x82")["base64"], "e+KC");
    }

    #[test]
    fn a_long_record_is_cut_but_measured_whole() {
        let text = "\u{20ac}".repeat(DEAD_LETTER_MAX_BYTES);
        let letter = written(text.as_bytes());
        assert_eq!(letter["length"], 3 * DEAD_LETTER_MAX_BYTES);
        assert_eq!(letter["hash"], format!("{:032x}", xxh3_128(text.as_bytes())));
        assert_eq!(letter["text"].as_str().unwrap().len(), DEAD_LETTER_MAX_BYTES / 3 * 3);
    }
}
