//! What a line of the log is, where it is JSON: `tracing` writes it, and shippers of logs read it.

use std::borrow::Cow;

use bellwether_codec::contract::{Contract, of};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// The line as a contract.
pub const CONTRACT: Contract =
    Contract { name: "log", title: "A line of the log, where BELLWETHER_LOG_FORMAT is json", describe: of::<LogLine> };

struct LogLine;

impl JsonSchema for LogLine {
    fn schema_name() -> Cow<'static, str> {
        "LogLine".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "required": ["timestamp", "level", "fields", "target"],
            "properties": {
                "timestamp": { "description": "When it was logged, by the clock.", "type": "string", "format": "date-time" },
                "level": { "description": "How much it matters.", "type": "string", "enum": ["TRACE", "DEBUG", "INFO", "WARN", "ERROR"] },
                "fields": {
                    "description": "What happened in words, and values beside it, by names of their own.",
                    "type": "object",
                    "properties": { "message": { "description": "The words.", "type": "string" } },
                },
                "target": { "description": "The module that says it.", "type": "string" },
            },
        })
    }
}
