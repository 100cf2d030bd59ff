//! `bellwether journal inspect`: what a journal holds, record by record.

use std::path::PathBuf;

use bellwether_backtest::inspect::{Content, Inspected, inspect};
use bellwether_codec::contract::{Contract, of};
use bellwether_codec::event::Decoder;
use bellwether_codec::timestamp::format_time;
use bellwether_engine::event::CustomerKey;
use bellwether_engine::event_type::EventType;
use bellwether_engine::time::Time;
use clap::{Args, value_parser};
use comfy_table::Table;
use schemars::JsonSchema;
use serde::Serialize;

use super::super::journal_range::JournalRange;
use super::super::replay_journal::{self, JournalPlace};
use crate::bytes_text::{beginning, text_or_base64};
use crate::environment;
use crate::failure::{Failure, Outcome};
use crate::sizes::count;
use crate::terminal::{print, tell};
use crate::text_table::text_table;

/// The width where there is no terminal.
const WIDTH: u16 = 160;
/// How much of an id and of a problem a row shows, in characters.
const TEXT_CHARACTERS: usize = 60;

/// Show the records of a journal: what was journaled, when, and up to where time was by then
///
/// In the order in which they stand, partition by partition. Journal time is the watermark that a record carries. Of a customer that was erased, what is
/// dated before is not shown.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  bellwether journal inspect --journal ./bellwether-data --customer c-1042
  bellwether journal inspect --journal kafka://localhost:9092/bellwether.journal --partition 3 --journal-from 120000 --limit 20
  bellwether journal inspect --journal kafka://localhost:9092/bellwether.journal --journal-from 2026-03-01T03:00:00Z --type rules.published --json")]
pub struct Arguments {
    /// A data directory, or kafka://BROKERS/TOPIC
    #[arg(long, value_name = "DIR|URL")]
    journal: JournalPlace,

    /// The configuration file, if its client properties are needed to reach the journal
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    #[command(flatten)]
    range: JournalRange,

    /// Only this partition
    #[arg(long, value_name = "N", conflicts_with = "customer")]
    partition: Option<u16>,

    /// Only events of this customer, whose partition alone is read
    #[arg(long, value_name = "ID")]
    customer: Option<String>,

    /// Only this type: of an event, such as login, or of a control record, such as tick or rules.published
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,

    /// Print JSON lines, with values whole
    #[arg(long)]
    json: bool,

    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = value_parser!(u64).range(1..=100_000))]
    limit: u64,
}

/// A line as a contract.
pub const CONTRACT: Contract =
    Contract { name: "journal-record", title: "A record of a journal, as a line of `journal inspect --json`", describe: of::<Told> };

/// A record of a journal.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "JournalRecord")]
struct Told {
    /// The partition it stands in.
    partition: u16,
    /// The offset at which it stands.
    offset: u64,
    /// When the broker appended it, RFC 3339; a data directory does not know that.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    appended_at: Option<String>,
    /// The watermark that it carries, RFC 3339: up to where time was when it was journaled; nothing before time has begun, and not every record has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    journal_time: Option<String>,
    /// What it is: `event`, `control`, `erasure` of a customer, who is not named, `erased` (an event of a customer that was erased since), or
    /// `unreadable`; further ones may come.
    #[schemars(extend("pattern" = "^[a-z_]+$"))]
    what: &'static str,
    /// The type of the event or of the control record, or the code of the reason for which it cannot be read; nothing of an event that is not shown.
    #[serde(skip_serializing_if = "Option::is_none", rename = "type")]
    #[schemars(with = "String")]
    kind: Option<String>,
    /// The customer of an event.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    customer: Option<String>,
    /// When an event happened, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    event_time: Option<String>,
    /// The `source` of an event.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    source: Option<String>,
    /// The `id` of an event.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    id: Option<String>,
    /// Exactly why it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    problem: Option<String>,
    /// Its value, if it is UTF-8; nothing of an event that is not shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    value: Option<String>,
    /// The same otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("contentEncoding" = "base64"))]
    value_base64: Option<String>,
}

/// Prints the records.
pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let journal = replay_journal::open_part(&arguments.journal, &arguments.range, arguments.config.as_deref())?;
    let decoder = Decoder::new(environment::pseudonymiser()?);
    let all = journal.partitions();
    let partitions = match (&arguments.customer, arguments.partition) {
        (_, Some(number)) if number >= all => {
            return Err(Failure::Usage(format!("--partition {number}: the journal has {all}, from 0 on")));
        }
        (_, Some(number)) => number..number + 1,
        (Some(customer), None) => {
            let number = CustomerKey::of(customer).partition(all);
            number..number + 1
        }
        (None, None) => 0..all,
    };
    let (mut shown, mut is_cut) = (Vec::new(), false);
    inspect(&*journal, &decoder, partitions, &mut |inspected| {
        let told = Told::of(inspected);
        if arguments.wants(&told) {
            is_cut = shown.len() as u64 == arguments.limit;
            if !is_cut {
                shown.push(told);
            }
        }
        !is_cut
    })?;
    if arguments.json {
        for told in &shown {
            print(&serde_json::to_string(told).map_err(|error| Failure::Run(error.to_string()))?)?;
        }
    } else if !shown.is_empty() {
        print(&table(&shown).trim_fmt())?;
    }
    let more = if is_cut { "; there are more: --limit" } else { "" };
    tell(&format!("{} record{} shown{more}", count(shown.len()), if shown.len() == 1 { "" } else { "s" }));
    Ok(Outcome::Done)
}

impl Arguments {
    fn wants(&self, told: &Told) -> bool {
        let is_of_customer = self.customer.is_none() || self.customer == told.customer;
        is_of_customer && (self.kind.is_none() || self.kind == told.kind)
    }
}

impl Told {
    fn of(inspected: &Inspected<'_>) -> Self {
        let Inspected { partition, record, content } = inspected;
        let mut told = Self {
            partition: *partition,
            offset: record.offset,
            appended_at: record.appended_at.map(format_time),
            journal_time: record.stated_watermark().filter(|watermark| *watermark > Time(0)).map(format_time),
            what: "erased",
            kind: None,
            customer: None,
            event_time: None,
            source: None,
            id: None,
            problem: None,
            value: None,
            value_base64: None,
        };
        match content {
            Content::Erased => return told,
            Content::Erasure(time) => {
                told.what = "erasure";
                told.kind = Some(EventType::CustomerErased.name().to_owned());
                told.event_time = Some(format_time(*time));
                return told;
            }
            Content::Event(event) => {
                told.what = "event";
                told.kind = Some(event.event_type().name().to_owned());
                told.customer = Some(event.customer.to_string());
                told.event_time = Some(format_time(event.time));
                told.source = Some(event.source.to_string());
                told.id = Some(event.id.to_string());
            }
            Content::Control(control) => {
                told.what = "control";
                told.kind = Some(control.name().to_owned());
            }
            Content::Unreadable(rejection) => {
                told.what = "unreadable";
                told.kind = Some(rejection.reason.code().to_owned());
                told.problem = Some(rejection.detail.clone());
            }
        }
        (told.value, told.value_base64) = text_or_base64(record.value);
        told
    }
}

fn table(records: &[Told]) -> Table {
    let mut table =
        text_table(["partition", "offset", "appended", "journal time", "type", "customer", "event time", "source", "id"], &[0, 1], WIDTH);
    for told in records {
        let text = |text: &Option<String>| text.as_ref().map(|text| beginning(text, TEXT_CHARACTERS)).unwrap_or_default();
        let kind = told.kind.as_deref().unwrap_or(told.what);
        table.add_row([
            told.partition.to_string(),
            told.offset.to_string(),
            text(&told.appended_at),
            text(&told.journal_time),
            if told.problem.is_some() { format!("unreadable: {kind}") } else { kind.to_owned() },
            text(&told.customer),
            text(&told.event_time),
            text(&told.source),
            if told.problem.is_some() { text(&told.problem) } else { text(&told.id) },
        ]);
    }
    table
}
