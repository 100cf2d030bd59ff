//! `bellwether config try`: what a source makes of one record.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use bellwether_codec::event::encode_event_indented;
use bellwether_codec::pseudonym::Pseudonymiser;
use bellwether_codec::source::{SourceEvent, SourceRecord};
use bellwether_live::config::{KafkaSettings, SourceSettings, TopicPattern};
use clap::Args;

use crate::configuration::{Configuration, ConfigurationFile};
use crate::failure::{Failure, Outcome};
use crate::inputs::ingest_clock;
use crate::terminal::{print, tell};

/// Show the event that a source makes of a sample record, or why it makes none
///
/// The sample is the value of a Kafka record. What comes out is the event as the journal keeps it. Exits with 1 if the record is refused.
#[derive(Args, Debug)]
#[command(name = "try", after_help = "Example:\n  bellwether config try --config bellwether.yaml --source logins sample.json")]
pub struct Arguments {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,

    /// The name of the source
    #[arg(long, value_name = "NAME")]
    source: String,

    /// The key of the record
    #[arg(long, value_name = "TEXT")]
    key: Option<String>,

    /// The topic of the record [default: the first that the source names]
    #[arg(long, value_name = "TOPIC")]
    topic: Option<String>,

    /// A header of the record; may be given several times
    #[arg(long = "header", value_name = "NAME=VALUE", value_parser = header)]
    headers: Vec<(String, String)>,

    /// The file that holds the value of the record
    sample: PathBuf,
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Decodes the sample.
pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let file = ConfigurationFile::read(&arguments.config)?;
    let (kafka, source) = find(&file.configuration, &arguments.source)?;
    let unreadable = |error| Failure::Usage(format!("cannot read the sample {}: {error}", arguments.sample.display()));
    let value = fs::read(&arguments.sample).map_err(unreadable)?;
    let pseudonymiser = pseudonymiser(&file.configuration);
    let lookup = kafka.user_lookup.as_ref().map(|lookup| lookup.directory(&pseudonymiser));
    let directory = lookup.transpose().map_err(|error| Failure::Usage(format!("user_lookup: {error}")))?;
    let decoder = source.decoder(pseudonymiser, directory.map(Arc::new).as_ref());
    let headers: Vec<_> = arguments.headers.iter().map(|(name, value)| (name.as_str(), Some(value.as_bytes()))).collect();
    let record = SourceRecord {
        topic: arguments.topic.as_deref().unwrap_or_else(|| first_topic(source)),
        partition: 0,
        offset: 0,
        timestamp_ms: ingest_clock().map(|time| time.0),
        key: arguments.key.as_deref().map(str::as_bytes),
        value: Some(&value),
        headers: &headers,
    };
    match decoder.decode(&record) {
        Ok(SourceEvent::Event(event)) => {
            let mut text = Vec::new();
            encode_event_indented(&event, &mut text);
            print(&String::from_utf8_lossy(&text))?;
            Ok(Outcome::Done)
        }
        Ok(SourceEvent::Skipped) => {
            tell("skipped: the source leaves such records out (its filter, tombstones or unknown types)");
            Ok(Outcome::Done)
        }
        Err(rejection) => {
            tell(&format!("refused: {rejection}"));
            Ok(Outcome::Findings)
        }
    }
}

/// Samples are tried where the secrets are not, too.
fn pseudonymiser(configuration: &Configuration) -> Pseudonymiser {
    configuration.pseudonymiser().unwrap_or_else(|failure| {
        tell(&format!("note: {failure}; users are shown under the public key"));
        Pseudonymiser::default()
    })
}

fn find<'c>(configuration: &'c Configuration, name: &str) -> Result<(&'c KafkaSettings, &'c SourceSettings), Failure> {
    let kafka = configuration.kafka.as_ref().ok_or_else(|| Failure::Usage("the configuration has no section kafka".to_owned()))?;
    let source = kafka.sources.iter().find(|source| source.name == name);
    let source = source.ok_or_else(|| {
        let names: Vec<&str> = kafka.sources.iter().map(|source| source.name.as_str()).collect();
        Failure::Usage(format!("there is no source `{name}`; there are {}", names.join(", ")))
    })?;
    Ok((kafka, source))
}

/// A pattern names no topic; then the source's own name stands for one.
fn first_topic(source: &SourceSettings) -> &str {
    let named = source.topics.iter().find_map(|topic| if let TopicPattern::Name(name) = topic { Some(name.as_str()) } else { None });
    named.unwrap_or(&source.name)
}
