//! `bellwether dlq list`: what was refused, and why.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bellwether_codec::contract::{Contract, of};
use bellwether_codec::timestamp::format_time;
use bellwether_engine::time::Time;
use bellwether_kafka::{Batch, Reader};
use bellwether_live::error::LiveError;
use bellwether_live::kafka::{Letter, letter_partitions};
use clap::{Args, value_parser};
use comfy_table::Table;
use schemars::JsonSchema;
use serde::Serialize;

use super::Kinds;
use crate::bytes_text::{beginning, text_or_base64};
use crate::failure::{Failure, Outcome};
use crate::kafka::Kafka;
use crate::sizes::count;
use crate::terminal::{print, tell};
use crate::text_table::text_table;

/// The width where there is no terminal.
const WIDTH: u16 = 160;
/// How much of a key and a value a row shows, in characters.
const KEY_CHARACTERS: usize = 24;
const VALUE_CHARACTERS: usize = 60;
/// Letters that are in memory at once while they are searched.
const MAX_RECORDS: usize = 10_000;
const MAX_BYTES: usize = 16 << 20;

/// List dead letters: why each was refused, and where it came from
///
/// The latest ones, the latest last. The time is that of the refused record.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  bellwether dlq list --config bellwether.yaml --limit 20
  bellwether dlq list --config bellwether.yaml --reason missing_field --json")]
pub struct Arguments {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,

    #[command(flatten)]
    kinds: Kinds,

    /// Print JSON lines, with values whole
    #[arg(long)]
    json: bool,

    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = value_parser!(u64).range(1..=100_000))]
    limit: u64,
}

/// A line as a contract.
pub const CONTRACT: Contract =
    Contract { name: "dlq-list", title: "A record of the topic of dead letters, as a line of `dlq list --json`", describe: of::<Told> };

/// A refused record. Its key is there in one of two forms, or not at all, and so is its value.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ListedDeadLetter")]
struct Told {
    /// The code of the reason, such as `missing_field`; further ones may come.
    #[schemars(extend("pattern" = "^[a-z0-9_]+$"))]
    reason: String,
    /// Exactly what was wrong.
    message: String,
    /// The topic it was read from.
    topic: String,
    /// The partition it was read from.
    partition: i32,
    /// The offset at which it stood.
    offset: u64,
    /// The timestamp that the record had; empty where it had none.
    time: String,
    /// Bytes of the whole record, if it is too large for the topic of dead letters: then key and value are the beginning of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u64")]
    size: Option<u64>,
    /// Its key, if it is UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    key: Option<String>,
    /// The same otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("contentEncoding" = "base64"))]
    key_base64: Option<String>,
    /// Its value, if it is UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    value: Option<String>,
    /// The same otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("contentEncoding" = "base64"))]
    value_base64: Option<String>,
}

/// Prints the letters.
pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let Kafka { connect, .. } = Kafka::read(&arguments.config)?;
    let filter = arguments.kinds.filter();
    let mut latest: BTreeMap<(i64, i32, u64), Told> = BTreeMap::new();
    let (mut found, mut batch) = (0_u64, Batch::default());
    for at in letter_partitions(&connect)? {
        let mut reader = Reader::of_all(connect.connection(), at).map_err(LiveError::from)?;
        let mut more = true;
        while more {
            batch.clear();
            more = reader.read(&mut batch, MAX_RECORDS, MAX_BYTES).map_err(LiveError::from)?;
            for letter in batch.records().filter_map(Letter::of).filter(|letter| filter.matches(letter)) {
                found += 1;
                let record = letter.record;
                latest.insert((record.timestamp_ms.unwrap_or_default(), record.at.partition, record.offset), told(&letter));
                if latest.len() as u64 > arguments.limit {
                    latest.pop_first();
                }
            }
        }
    }
    if arguments.json {
        for letter in latest.values() {
            print(&serde_json::to_string(letter).map_err(|error| Failure::Run(error.to_string()))?)?;
        }
    } else if !latest.is_empty() {
        print(&table(latest.values()).trim_fmt())?;
    }
    tell(&format!("{} dead letters, {} shown", count(found), count(latest.len())));
    Ok(Outcome::Done)
}

fn told(letter: &Letter<'_>) -> Told {
    let record = letter.record;
    let (key, key_base64) = text_or_base64(record.key);
    let (value, value_base64) = text_or_base64(record.value);
    Told {
        reason: letter.reason.to_owned(),
        message: letter.message.to_owned(),
        topic: letter.topic.to_owned(),
        partition: letter.partition,
        offset: letter.offset,
        time: letter.timestamp_ms.map(|time| format_time(Time(time))).unwrap_or_default(),
        size: letter.whole_bytes,
        key,
        key_base64,
        value,
        value_base64,
    }
}

fn table<'t>(letters: impl Iterator<Item = &'t Told>) -> Table {
    let mut table = text_table(["reason", "message", "topic", "partition", "offset", "time", "key", "value"], &[3, 4], WIDTH);
    for letter in letters {
        let key = letter.key.as_ref().or(letter.key_base64.as_ref()).map(|key| beginning(key, KEY_CHARACTERS));
        let value = letter.value.as_ref().or(letter.value_base64.as_ref()).map(|value| beginning(value, VALUE_CHARACTERS));
        table.add_row([
            letter.reason.clone(),
            letter.message.clone(),
            letter.topic.clone(),
            letter.partition.to_string(),
            letter.offset.to_string(),
            letter.time.clone(),
            key.unwrap_or_default(),
            match letter.size {
                Some(size) => format!("{} (of a record of {} bytes)", value.unwrap_or_default(), count(size)),
                None => value.unwrap_or_default(),
            },
        ]);
    }
    table
}
