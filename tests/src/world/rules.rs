//! The rules of a world.

use std::sync::Arc;

use bellwether_codec::rules::RuleFile;
use bellwether_engine::time::Time;
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
    poisoned_rule_sets(None)
}

/// Compiles rule files to rules under which the reviews of a customer from a time on panic.
#[must_use]
pub fn poisoned_rule_sets(review: Option<(Arc<str>, Time)>) -> Arc<RuleSets> {
    Arc::new(RuleSets::new(Arc::new(move |text: &str, number| {
        let mut file = RuleFile::parse("rules.yaml", text).map_err(|errors| errors.to_string())?;
        file.settings.poison_review.clone_from(&review);
        Ok(file.rule_set(number))
    })))
}
