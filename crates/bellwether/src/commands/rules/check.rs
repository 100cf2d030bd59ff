//! `bellwether rules check`: every mistake in a rule file at once.

use std::path::PathBuf;

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::rule_text::RuleText;
use crate::terminal::print;

/// Tell every mistake in a rule file, with its line and column
///
/// Exits with 2 if there are any.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  bellwether rules check rules.yaml")]
pub struct Arguments {
    /// The rule file
    file: PathBuf,
}

/// Checks the file.
pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let file = RuleText::read(Some(&arguments.file))?.parse()?;
    print(&format!("{}: {} rules and {} tests, no mistakes", file.name, file.rules.len(), file.tests.len()))?;
    Ok(Outcome::Done)
}
