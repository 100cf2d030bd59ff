//! `bellwether snapshot`: copies of a stopped instance's partitions, kept elsewhere.

mod instance;
mod list;
mod listed;
mod restore;
mod take;
mod verify;

use clap::Subcommand;

use crate::failure::{Failure, Outcome};

pub use listed::CONTRACT;

/// Keep copies of what a stopped instance knows, and bring them back
///
/// A snapshot is one journal partition: the state of each customer at one position of the journal, without the journal. It is kept in a directory,
/// below the id of its journal. Stop the instance first: a store is open once.
#[derive(Subcommand, Debug)]
#[command(after_help = "Example:\n  bellwether snapshot take --data state --to /backup/bellwether")]
pub enum Command {
    Take(take::Arguments),
    List(list::Arguments),
    Verify(verify::Arguments),
    Restore(restore::Arguments),
}

/// Does what is asked for.
pub fn run(command: Command) -> Result<Outcome, Failure> {
    match command {
        Command::Take(arguments) => take::run(&arguments),
        Command::List(arguments) => list::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Restore(arguments) => restore::run(&arguments),
    }
}
