//! The rules of a world.

use std::sync::Arc;

use bellwether_codec::rules::RuleFile;
use bellwether_engine::poison::Poison;
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
    poisoned_rule_sets(&Poisoned::default())
}

/// What panics, and under which rule sets.
#[derive(Clone, Debug, Default)]
pub struct Poisoned {
    /// What does.
    pub poison: Poison,
    /// Under the rule set of this number and later ones.
    pub from_rule_set: u32,
}

impl Poisoned {
    /// Poisons the rule file of a rule set.
    pub fn poison(&self, file: &mut RuleFile, number: u32) {
        if number >= self.from_rule_set {
            file.settings.poison = self.poison.clone();
        }
    }
}

/// Compiles rule files to rules under which something panics.
#[must_use]
pub fn poisoned_rule_sets(poisoned: &Poisoned) -> Arc<RuleSets> {
    let poisoned = poisoned.clone();
    Arc::new(RuleSets::new(Arc::new(move |text: &str, number| {
        let mut file = RuleFile::parse("rules.yaml", text).map_err(|errors| errors.to_string())?;
        poisoned.poison(&mut file, number);
        Ok(file.rule_set(number))
    })))
}
