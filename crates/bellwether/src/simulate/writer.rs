//! Renders events as CloudEvents, structured JSON, one a line.

use std::collections::BTreeMap;
use std::io;

use jiff::Timestamp;
use serde::Serialize;

use super::calendar::timestamp;
use super::customer::Happened;
use super::event::{Data, system};

/// Renders events and counts them.
#[derive(Default)]
pub struct Writer {
    line: Vec<u8>,
    by_type: BTreeMap<&'static str, u64>,
}

#[derive(Serialize)]
struct CloudEvent<'a> {
    specversion: &'static str,
    id: &'a str,
    source: &'a str,
    r#type: &'static str,
    subject: &'a str,
    time: Timestamp,
    data: &'a Data,
}

impl Writer {
    /// One event as a line, with its end.
    pub fn line(&mut self, event: &Happened) -> io::Result<&[u8]> {
        let system = system(event.kind);
        let (id, subject) = match event.customer {
            Some(number) => (format!("{system}-{number:05}-{}", event.sequence), customer_id(number)),
            None => (format!("{system}-company-{}", event.sequence), "_company".to_owned()),
        };
        let source = format!("/{system}");
        let time = timestamp(event.time);
        self.line.clear();
        let cloud_event = CloudEvent {
            specversion: "1.0",
            id: &id,
            source: &source,
            r#type: event.kind.name(),
            subject: &subject,
            time,
            data: &event.data,
        };
        serde_json::to_writer(&mut self.line, &cloud_event)?;
        self.line.push(b'\n');
        *self.by_type.entry(event.kind.name()).or_default() += 1;
        Ok(&self.line)
    }

    /// How many lines of each type were rendered.
    pub fn by_type(self) -> BTreeMap<&'static str, u64> {
        self.by_type
    }
}

/// The id of a customer, such as `c-00042`.
pub fn customer_id(number: u32) -> String {
    format!("c-{number:05}")
}
