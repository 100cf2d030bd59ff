//! `bellwether silence add`: signals are kept back from now on, or from a time on.

use bellwether_engine::life_settings::Silence;
use bellwether_engine::time::Time;
use clap::Args;

use super::place::Place;
use crate::failure::{Failure, Outcome};
use crate::inputs::parse_time_argument;
use crate::silence_text;

/// Keep signals back until a time
///
/// What is named together is meant together: a rule and an owner are that rule's signals to that owner.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  bellwether silence add migration --segment enterprise --until 2026-04-01 --reason 'they all log in elsewhere' --rules rules.yaml
  bellwether silence add holidays --owner ann --from 2026-07-01 --until 2026-07-15 --config bellwether.yaml")]
#[group(id = "about", required = true, multiple = true, args = ["rule", "customer", "owner", "segment"])]
pub struct Arguments {
    /// Its name, which decisions tell
    name: String,

    /// Signals of this rule
    #[arg(long, value_name = "NAME")]
    rule: Option<String>,

    /// Signals about this customer
    #[arg(long, value_name = "ID")]
    customer: Option<String>,

    /// Signals to this owner
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,

    /// Signals about customers of this segment
    #[arg(long, value_name = "NAME")]
    segment: Option<String>,

    /// When it begins, in journal time [default: when it takes effect]: a date (UTC) or 2026-03-01T08:15:00Z
    #[arg(long, value_name = "TIME", value_parser = parse_time_argument)]
    from: Option<Time>,

    /// When it is over, in journal time: a date (UTC) or 2026-03-01T08:15:00Z
    #[arg(long, value_name = "TIME", value_parser = parse_time_argument)]
    until: Time,

    /// Why, for those who read the list
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,

    #[command(flatten)]
    place: Place,
}

/// Adds it.
pub fn run(arguments: Arguments) -> Result<Outcome, Failure> {
    let Arguments { name, rule, customer, owner, segment, from, until, reason, place } = arguments;
    let from = from.unwrap_or(Time::MIN);
    let silence = Silence { name, rule, customer, owner, segment, from, until, reason: reason.unwrap_or_default() };
    let told = format!("added the silence `{}`: {}", silence.name, silence_text::about(&silence));
    place.change(&told, |rules| silence_text::with(rules, &silence))
}
