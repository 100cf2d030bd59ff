//! `bellwether journal`: what there is to do with a journal topic beside running on it.

mod import;

use clap::Subcommand;

use crate::failure::{Failure, Outcome};

/// Work on the journal of a Kafka run
#[derive(Subcommand, Debug)]
#[command(after_help = "Example:\n  bellwether journal import --config bellwether.yaml --events history/")]
pub enum Command {
    Import(import::Arguments),
}

/// Does what is asked for.
pub fn run(command: Command) -> Result<Outcome, Failure> {
    match command {
        Command::Import(arguments) => import::run(&arguments),
    }
}
