//! `bellwether journal`: what there is to do with a journal beside running on it.

mod export;
mod import;
mod inspect;
mod rewrite;

use clap::Subcommand;

use crate::failure::{Failure, Outcome};

pub use inspect::CONTRACT;

/// Work on a journal: look at it, fill it with history, write it as tables, or write it anew
#[derive(Subcommand, Debug)]
#[command(after_help = "\
Examples:
  bellwether journal import --config bellwether.yaml --events history/
  bellwether journal export --journal ./bellwether-data --to events.parquet")]
pub enum Command {
    Export(export::Arguments),
    Import(import::Arguments),
    Inspect(inspect::Arguments),
    Rewrite(rewrite::Arguments),
}

/// Does what is asked for.
pub fn run(command: Command) -> Result<Outcome, Failure> {
    match command {
        Command::Export(arguments) => export::run(&arguments),
        Command::Import(arguments) => import::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Rewrite(arguments) => rewrite::run(&arguments),
    }
}
