//! Rule files: YAML with settings, health, stages, suppressions, signals and their unit tests, read, checked and compiled.
//!
//! [`crate::yaml`] has the values with their places, and tells every mistake; `load` puts the sections together, each of which has a file
//! of its own.

mod features_page;
mod health;
mod holidays;
mod kpis;
mod life;
mod load;
mod own_features;
mod rule_tests;
mod scopes;
mod settings;
mod signals;
mod suppressions;
mod test_events;
mod time_zone;
mod variants;

use std::sync::Arc;

use bellwether_engine::expression::Symbol;
use bellwether_engine::rule::{Rule, RuleDefinition};
use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::settings::Settings;

pub use crate::yaml::{DurationError, FileError as RuleFileError, FileErrors as RuleFileErrors, format_duration, parse_duration};
pub use features_page::features_page;
pub use rule_tests::{Expectation, RuleTest, TestEvent};
pub use test_events::{TEST_CUSTOMER, TEST_START, TestLine};
pub use variants::VariantError;

/// Reasons of decisions that are not suppressions: no suppression may have such a name.
pub const RESERVED_REASONS: [&str; 9] =
    ["shadow", "hold-out", "quiet", "silence", "owner-cap", "inhibited", "dismissed", "snoozed", "outcome"];

/// A rule file without mistakes.
#[derive(Clone, Debug)]
pub struct RuleFile {
    /// Its name, as errors tell it.
    pub name: String,
    /// The compiled rules, in the order of the file.
    pub rules: Vec<Arc<Rule>>,
    /// What each rule was compiled from.
    definitions: Vec<RuleDefinition>,
    /// What their conditions may name.
    symbols: Vec<Symbol>,
    /// The line on which each rule begins.
    pub rule_lines: Vec<usize>,
    /// All other decision settings.
    pub settings: Settings,
    /// The unit tests, in the order of the file.
    pub tests: Vec<RuleTest>,
    /// The time zone of its business hours, where it names one that it has no table of.
    pub time_zone: Option<String>,
    /// Hash of the text: other content has another.
    pub hash: u128,
}

impl RuleFile {
    /// Reads a rule file. `name` is what errors call it.
    ///
    /// # Errors
    /// With every mistake in the text, in its order. Only what is no YAML at all is told alone.
    pub fn parse(name: &str, text: &str) -> Result<RuleFile, RuleFileErrors> {
        load::load(name, text)
    }

    /// What must be added to the text before it is published: the table of a time zone that it only names.
    #[must_use]
    pub fn time_zone_section(&self) -> Option<String> {
        self.time_zone.as_ref().map(|name| time_zone::section(name, &self.settings.business_hours.zone))
    }

    /// Its rules and settings under a number.
    #[must_use]
    pub fn rule_set(&self, number: u32) -> RuleSet {
        RuleSet::new(number, self.rules.clone(), self.settings.clone())
    }
}
