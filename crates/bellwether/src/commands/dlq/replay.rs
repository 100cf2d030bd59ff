//! `bellwether dlq replay`: dead letters go back to where they came from.

use std::path::PathBuf;

use bellwether_live::kafka::{PutBack, letters_to_put_back, put_back_letters};
use clap::Args;

use super::Kinds;
use crate::failure::{Failure, Outcome};
use crate::kafka::Kafka;
use crate::sizes::count;
use crate::terminal::{print, tell};

/// Put dead letters back into the topics that they came from, each once
///
/// They go into their partitions as they came: key, value, headers and time. A second call leaves alone what was put back before, also when the
/// first one broke off. A letter that is refused again is a new dead letter. Letters that came from the journal stay: they are in the journal already.
/// So do those that hold only the beginning of a record, which was too large for the topic of dead letters.
///
/// Where a topic deletes old records by their time, what is put back may be deleted soon: let `run` read it first.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  bellwether dlq replay --config bellwether.yaml --dry-run
  bellwether dlq replay --config bellwether.yaml --reason unknown_customer")]
pub struct Arguments {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,

    #[command(flatten)]
    kinds: Kinds,

    /// Only tell what would be put back
    #[arg(long)]
    dry_run: bool,
}

/// Puts the letters back, and prints how many into which topic.
pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let Kafka { connect, .. } = Kafka::read(&arguments.config)?;
    let filter = arguments.kinds.filter();
    let outcome = if arguments.dry_run { letters_to_put_back(&connect, &filter)? } else { put_back_letters(&connect, &filter)? };
    let PutBack { topics, poisoned, cut, foreign } = outcome;
    for (topic, number) in &topics {
        print(&format!("{number} {topic}"))?;
    }
    let verb = if arguments.dry_run { "would be put back" } else { "were put back" };
    tell(&format!("{} dead letters {verb}", count(topics.values().sum::<u64>())));
    if poisoned > 0 {
        tell(&format!("{} came from the journal: they stay, since the journal holds them already", count(poisoned)));
    }
    if cut > 0 {
        tell(&format!(
            "{} hold only the beginning of a record that is too large for their topic: they stay, and the record stands where `dlq list` says",
            count(cut)
        ));
    }
    if foreign > 0 {
        tell(&format!("{} stay, since nothing tells of a topic that they could go back to", count(foreign)));
    }
    Ok(Outcome::Done)
}
