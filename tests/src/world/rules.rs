//! The rules of a world.

use std::sync::Arc;

use bellwether_codec::rules::RuleFile;
use bellwether_live::kafka::RuleSets;

/// The built-in rules.
pub const PACK: &str = include_str!("../../../deploy/rules/default.yaml");

/// The rules in force from the start: the default ones without their own tests, which are most of what there is to compile.
#[must_use]
pub fn pack() -> &'static str {
    PACK.split("\ntests:\n").next().unwrap_or(PACK)
}

/// Compiles rule files.
#[must_use]
pub fn rule_sets() -> Arc<RuleSets> {
    Arc::new(RuleSets::new(Arc::new(|text: &str, number| {
        RuleFile::parse("rules.yaml", text).map(|file| file.rule_set(number)).map_err(|errors| errors.to_string())
    })))
}
