//! `bellwether topics`: the topics that the product writes.

mod check;
mod create;
pub mod wanted;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::failure::{Failure, Outcome};

/// Make and check the topics that Bellwether writes
#[derive(Subcommand, Debug)]
#[command(after_help = "Example:\n  bellwether topics create --config bellwether.yaml")]
pub enum Command {
    /// Create the topics that are missing, and begin the journal
    ///
    /// The journal gets its first record in each partition: its id, the number of its partitions, and which key user ids are pseudonymised with. Topics
    /// that exist are left as they are; `topics check` compares them.
    #[command(after_help = "Example:\n  bellwether topics create --config bellwether.yaml")]
    Create(Arguments),
    /// Compare the topics with what the configuration wants
    ///
    /// Exits with 1 if something differs.
    #[command(after_help = "Example:\n  bellwether topics check --config bellwether.yaml")]
    Check(Arguments),
}

/// The configuration.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// Does what is asked for.
pub fn run(command: Command) -> Result<Outcome, Failure> {
    match command {
        Command::Create(arguments) => create::run(&arguments.config),
        Command::Check(arguments) => check::run(&arguments.config),
    }
}
