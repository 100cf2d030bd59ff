//! `bellwether rules check`: every mistake in a rule file at once.

use std::path::PathBuf;

use bellwether_engine::own_feature::{Gather, OwnFeature};
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
    file.settings.own.iter().try_for_each(|feature| print(&own_feature(feature)))?;
    Ok(Outcome::Done)
}

/// A feature of the file's own, in a line.
fn own_feature(feature: &OwnFeature) -> String {
    let gathered = match &feature.gather {
        Gather::Count => "count".to_owned(),
        Gather::Sum(field) => format!("sum of {field}"),
        Gather::Distinct(field) => format!("distinct values of {field}"),
        Gather::Last(field) => format!("last {field}"),
    };
    let filters: Vec<&str> = feature.filters.iter().map(|filter| filter.field.as_str()).collect();
    let filtered = if filters.is_empty() { String::new() } else { format!(", filtered by {}", filters.join(", ")) };
    let told: Vec<&str> = [feature.unit.as_str(), feature.doc.as_str()].into_iter().filter(|text| !text.is_empty()).collect();
    let told = if told.is_empty() { String::new() } else { format!(" ({})", told.join("; ")) };
    format!("  feature {}: {gathered} of {} in {} days{filtered}{told}", feature.name, feature.event.name(), feature.window_days)
}
