//! `bellwether dlq`: what could not be taken in or folded beside Kafka.

mod list;
mod replay;

use bellwether_codec::rejection::RejectReason;
use bellwether_live::kafka::LetterFilter;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

use crate::failure::{Failure, Outcome};

pub use list::CONTRACT;

/// Look at the dead letters of a Kafka run, and put them back
///
/// A dead letter is a record that was refused, as it came, with the reason beside it. Mend the mapping or the producer, then put it back.
#[derive(Subcommand, Debug)]
#[command(after_help = "Example:\n  bellwether dlq list --config bellwether.yaml --reason unknown_customer")]
pub enum Command {
    List(list::Arguments),
    Replay(replay::Arguments),
}

/// Which dead letters are meant.
#[derive(Args, Debug)]
pub struct Kinds {
    /// Only those refused for this reason
    #[arg(long, value_name = "CODE", value_parser = PossibleValuesParser::new(RejectReason::ALL.map(RejectReason::code)), hide_possible_values = true)]
    reason: Option<String>,

    /// Only those that came from this topic
    #[arg(long, value_name = "TOPIC")]
    topic: Option<String>,
}

impl Kinds {
    fn filter(&self) -> LetterFilter {
        LetterFilter { reason: self.reason.clone(), topic: self.topic.clone() }
    }
}

/// Does what is asked for.
pub fn run(command: Command) -> Result<Outcome, Failure> {
    match command {
        Command::List(arguments) => list::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
    }
}
