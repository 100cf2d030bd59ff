//! `bellwether erase`: forgets a customer, and tells what was removed.

use std::path::PathBuf;

use bellwether_codec::timestamp::format_time;
use bellwether_engine::time::Time;
use bellwether_live::erasing::{ErasureReport, erase};
use bellwether_live::error::LiveError;
use bellwether_live::kafka::{JournalError, publish_erasure, read_created};
use clap::Args;

use super::run;
use crate::failure::{Failure, Outcome};
use crate::inputs::{ingest_clock, parse_time_argument};
use crate::kafka::Kafka;
use crate::terminal::{print, tell};

/// Erase a customer, and tell what was removed
///
/// Its state, timer and contributions go, its open signals end as expired, its health record becomes a tombstone, and its records in the journal
/// become blanks. A keyed hash of its id and the time stay: what is dated before and comes later is dropped and counted. The data directory must
/// not be in use. Beside Kafka this publishes the erasure, and the instances do the rest; the journal topic and the input topics keep
/// their bytes for as long as their retention says. Snapshots are not touched: take a new one, and those older than it are pruned.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  bellwether erase c-1042 --data state
  bellwether erase c-1042 --data state --outputs       once subscribers have read that its signals have expired
  bellwether erase c-1042 --config bellwether.yaml")]
pub struct Arguments {
    /// The customer id, exactly as it stands in the events
    customer: String,

    /// The data directory of an embedded run
    #[arg(long, value_name = "DIR", default_value = "./bellwether-data")]
    data: PathBuf,

    /// The signals file of that run [default: signals.jsonl in the data directory]
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    signals: Option<PathBuf>,

    /// Also make the customer's lines in signals, decisions and dead letters blank, in place
    #[arg(long, conflicts_with = "config")]
    outputs: bool,

    /// Beside Kafka: the configuration file
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    config: Option<PathBuf>,

    /// What is dated up to this time is dropped [default: now]
    #[arg(long, value_name = "TIME", value_parser = parse_time_argument)]
    time: Option<Time>,
}

/// Erases the customer.
pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let now = ingest_clock().ok_or_else(|| Failure::Run("the clock of this machine cannot be read".to_owned()))?;
    let time = arguments.time.unwrap_or(now);
    if let Some(config) = &arguments.config {
        return publish(config, &arguments.customer, time);
    }
    if !arguments.data.join("state").is_dir() {
        return Err(Failure::Usage(format!("{} is no data directory with a journal", arguments.data.display())));
    }
    let options = run::options_as_found(&arguments.data, arguments.signals.clone())?;
    let report = erase(options, &arguments.customer, time, arguments.outputs)?;
    for line in told(&report, time, arguments.outputs) {
        print(&line)?;
    }
    Ok(Outcome::Done)
}

fn publish(config: &std::path::Path, customer: &str, time: Time) -> Result<Outcome, Failure> {
    let Kafka { connect, .. } = Kafka::read(config)?;
    let topic = &connect.settings().journal.topic;
    let mut client = connect.control_client().map_err(LiveError::from)?;
    let not_created = || LiveError::from(JournalError::NotCreated { topic: topic.clone() });
    let created = read_created(&mut client, topic)?.ok_or_else(not_created)?;
    let partition = publish_erasure(&mut client, topic, created.partitions, customer, time)?;
    tell(&format!(
        "published the erasure to partition {partition} of {topic}; the instance that owns it removes state, timer and open signals"
    ));
    tell("the journal and the input topics keep their bytes as long as their retention says; snapshots go when newer ones are taken");
    Ok(Outcome::Done)
}

fn told(report: &ErasureReport, time: Time, with_outputs: bool) -> Vec<String> {
    let ErasureReport { partition, hash, states, journal_records, lines, files } = report;
    let mut told = vec![
        format!("erased up to {}, remembered as {hash:032x}", format_time(time)),
        format!("state and timer     {} before, {} after (partition {partition})", states.0, states.1),
        format!("journal records     {} blanked, the erasure among them; {} left", journal_records.0, journal_records.1),
    ];
    told.extend(lines.iter().map(|(path, count)| format!("lines made blank    {count} in {}", path.display())));
    let found: Vec<_> = files.iter().filter(|(_, count)| *count > 0).collect();
    told.push(format!("files searched      {}, {} with the id in them", files.len(), found.len()));
    told.extend(found.into_iter().map(|(path, count)| format!("                    {count} times in {}", path.display())));
    if !with_outputs {
        told.push(
            "signals, decisions and dead letters are kept as they are: --outputs makes the customer's lines in them blank".to_owned(),
        );
    }
    told
}
