//! `bellwether pseudonym`: under which token the journal and the signals know a user.

use bellwether_codec::pseudonym::token_text;
use clap::Args;

use crate::environment;
use crate::failure::{Failure, Outcome};
use crate::terminal::print;

/// Tell under which pseudonym the journal and the signals know a user
///
/// User ids are replaced by keyed hashes before anything is stored. Signals name users by these; this command finds out who is who. The key is
/// that of the environment variable BELLWETHER_PSEUDONYM_KEY.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  bellwether pseudonym alice@example.org")]
pub struct Arguments {
    /// The user id, exactly as it stands in the events
    user: String,
}

/// Prints the pseudonym.
pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    print(&token_text(environment::pseudonymiser()?.token(&arguments.user)))?;
    Ok(Outcome::Done)
}
