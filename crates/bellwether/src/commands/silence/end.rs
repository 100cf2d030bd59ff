//! `bellwether silence end`: what was kept back is told again.

use clap::Args;

use super::place::Place;
use crate::failure::{Failure, Outcome};
use crate::silence_text;

/// End a silence before its time
///
/// It is taken out of the rules. What it kept back and still holds is raised when that takes effect.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  bellwether silence end migration --rules rules.yaml")]
pub struct Arguments {
    /// Its name
    name: String,

    #[command(flatten)]
    place: Place,
}

/// Ends it.
pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let told = format!("ended the silence `{}`", arguments.name);
    arguments.place.change(&told, |rules| silence_text::without(rules, &arguments.name))
}
