//! `bellwether rules`: what there is to do with a rule file.

mod check;
mod list;
mod publish;
mod test;
mod trial;
mod usage;

use clap::Subcommand;

pub use publish::MAX_BYTES as MAX_PUBLISHED_BYTES;

use crate::failure::{Failure, Outcome};

/// Check, test and list the rules that make signals
///
/// A rule file is YAML. Where a command takes FILE and you leave it out, the built-in rule pack is meant.
#[derive(Subcommand, Debug)]
#[command(after_help = "Example:\n  bellwether rules list")]
pub enum Command {
    Check(check::Arguments),
    Test(test::Arguments),
    List(list::Arguments),
    Publish(publish::Arguments),
}

/// Does what is asked for.
pub fn run(command: Command) -> Result<Outcome, Failure> {
    match command {
        Command::Check(arguments) => check::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
        Command::List(arguments) => list::run(&arguments),
        Command::Publish(arguments) => publish::run(&arguments),
    }
}
