//! `bellwether run --config`: the live product beside Kafka.

use std::path::Path;
use std::sync::Arc;

use bellwether_codec::event::Decoder;
use bellwether_codec::pseudonym::Pseudonymiser;
use bellwether_console::guarded::SetLogLevel;
use bellwether_live::config::UnknownTypes;
use bellwether_live::kafka::{self, JournalTopic, RunOptions};
use bellwether_live::metrics::Metrics;

use super::run::Role;
use crate::configuration::Configuration;
use crate::console_server::Run;
use crate::failure::{Failure, Outcome};
use crate::inputs::ingest_clock;
use crate::kafka::Kafka;
use crate::metrics_server;
use crate::rule_text;
use crate::stop;
use crate::terminal::tell;

/// Runs until a signal comes.
pub fn run(path: &Path, role: Role, workers: u16, set_log_level: &SetLogLevel) -> Result<Outcome, Failure> {
    let Kafka { configuration, connect } = Kafka::read(path)?;
    let pseudonymiser = configuration.pseudonymiser()?;
    let lookup = connect.settings().user_lookup.as_ref().map(|lookup| lookup.directory(&pseudonymiser));
    let directory = lookup.transpose().map_err(|error| Failure::Usage(format!("user_lookup: {error}")))?;
    let mut options = RunOptions {
        role: match role {
            Role::All => kafka::Role::All,
            Role::Ingest => kafka::Role::Ingest,
            Role::Process => kafka::Role::Process,
        },
        workers: usize::from(workers),
        data: configuration.data.clone(),
        memory_bytes: configuration.memory_bytes,
        pseudonymiser,
        directory: directory.map(Arc::new),
        compile_rules: Arc::new(rule_text::compile),
        clock: ingest_clock,
        connect,
        intake: None,
        looks_for_owners: configuration.console.is_some(),
        advertised_url: configuration.console.as_ref().and_then(|console| console.advertised_url.clone()),
    };
    let stop = stop::flag_of_signals()?;
    let metrics = Arc::new(Metrics::new());
    if let Some(address) = metrics_server::serve(&configuration.metrics, &metrics, &stop)? {
        tell(&format!("metrics are at http://{address}/metrics"));
    }
    let instance = configuration.kafka.as_ref().and_then(|kafka| kafka.instance.as_deref());
    let run = Run { metrics: &metrics, stop: &stop, set_log_level, instance };
    let decoder = posted_decoder(&configuration, options.pseudonymiser);
    options.intake = run.serve_beside_kafka(configuration.console.clone(), decoder, JournalTopic::new(&options.connect))?;
    kafka::run(&options, &metrics, &stop)?;
    tell("stopped by a signal: what was taken in is committed, and the same command goes on from here");
    Ok(Outcome::Done)
}

/// How what is posted is read: as the source of its topic does.
fn posted_decoder(configuration: &Configuration, pseudonymiser: Pseudonymiser) -> Decoder {
    let topic = configuration.console.as_ref().and_then(|console| console.events_topic.as_ref());
    let source = topic.zip(configuration.kafka.as_ref()).and_then(|(topic, kafka)| kafka.source_of(topic));
    let skips = source.is_some_and(|source| source.unknown_types == UnknownTypes::Skip);
    Decoder::new(pseudonymiser).skip_unknown_types(skips)
}
