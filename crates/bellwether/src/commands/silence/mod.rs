//! `bellwether silence`: what is not to be told for a while.

mod add;
mod end;
mod list;
mod place;

use clap::Subcommand;

use crate::failure::{Failure, Outcome};

/// Keep signals back for a while: of a rule, a customer, an owner or a segment
///
/// A silence is part of the rule set. What it keeps back is a decision with the reason `silence: NAME`; what still holds at its end is raised then.
/// With --rules it stands in a rule file, and takes effect when `run --rules` starts with that file; with --config it is published to Kafka's journal.
#[derive(Subcommand, Debug)]
#[command(after_help = "Example:\n  bellwether silence list --rules rules.yaml")]
pub enum Command {
    Add(add::Arguments),
    List(list::Arguments),
    End(end::Arguments),
}

/// Does what is asked for.
pub fn run(command: Command) -> Result<Outcome, Failure> {
    match command {
        Command::Add(arguments) => add::run(arguments),
        Command::List(arguments) => list::run(&arguments),
        Command::End(arguments) => end::run(&arguments),
    }
}
