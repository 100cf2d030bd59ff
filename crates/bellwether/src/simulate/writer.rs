//! Writes events as CloudEvents, structured JSON, one a line.

use std::collections::BTreeMap;
use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;

use super::calendar::timestamp;
use super::customer::Happened;
use super::event::{Data, system};

/// Writes events and counts them.
pub struct Writer<'a> {
    out: &'a mut dyn Write,
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

impl<'a> Writer<'a> {
    /// Writes to `out`.
    pub fn new(out: &'a mut dyn Write) -> Writer<'a> {
        Writer { out, line: Vec::with_capacity(512), by_type: BTreeMap::new() }
    }

    /// Writes one event.
    pub fn write(&mut self, event: &Happened) -> io::Result<()> {
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
        self.out.write_all(&self.line)
    }

    /// How many events of each type were written.
    pub fn finish(self) -> io::Result<BTreeMap<&'static str, u64>> {
        self.out.flush()?;
        Ok(self.by_type)
    }
}

/// The id of a customer, such as `c-00042`.
pub fn customer_id(number: u32) -> String {
    format!("c-{number:05}")
}
