//! `bellwether rules test`: the unit tests that a rule file carries.

use std::path::PathBuf;

use bellwether_backtest::rule_tests;
use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::rule_text::RuleText;
use crate::terminal::print;

/// Run the unit tests that stand in a rule file
///
/// Prints each test that failed, with what was expected and what happened, and each rule that lacks a test in which it raises, one in which it clears,
/// or a near miss. Exits with 1 if there are any.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  bellwether rules test rules.yaml")]
pub struct Arguments {
    /// The rule file [default: the built-in rule pack]
    file: Option<PathBuf>,

    /// Print the tests that passed, too
    #[arg(long)]
    verbose: bool,
}

/// Runs the tests.
pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let file = RuleText::read(arguments.file.as_deref())?.parse()?;
    let results = rule_tests::run(&file);
    for result in results.iter().filter(|result| arguments.verbose || !result.passed()) {
        print(&result.to_string())?;
    }
    let gaps = rule_tests::coverage(&file);
    for gap in &gaps {
        print(&format!("UNTESTED {gap}"))?;
    }
    let failed = results.iter().filter(|result| !result.passed()).count();
    print(&format!("{} passed, {failed} failed", results.len() - failed))?;
    Ok(Outcome::of(failed > 0 || !gaps.is_empty()))
}
