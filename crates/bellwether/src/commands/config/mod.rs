//! `bellwether config`: what there is to do with a configuration file.

mod check;
mod print;
mod schema;
mod try_sample;

use clap::Subcommand;

use crate::failure::{Failure, Outcome};

/// Check and show a configuration, and try its mappings
///
/// A configuration file is YAML. What may stand in it: deploy/reference/configuration.md.
#[derive(Subcommand, Debug)]
#[command(after_help = "Example:\n  bellwether config check bellwether.yaml")]
pub enum Command {
    Check(check::Arguments),
    Print(print::Arguments),
    Schema(schema::Arguments),
    Try(try_sample::Arguments),
}

/// Does what is asked for.
pub fn run(command: Command) -> Result<Outcome, Failure> {
    match command {
        Command::Check(arguments) => check::run(&arguments),
        Command::Print(arguments) => print::run(&arguments),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Try(arguments) => try_sample::run(&arguments),
    }
}
