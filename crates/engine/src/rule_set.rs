//! A rule set: all decision settings together, under a number.

use std::sync::Arc;

use crate::expression::{ExpressionError, Symbol};
use crate::feature::{Change, Feature, FeatureSet};
use crate::rule::{Kind, Rule};
use crate::rule_readers::RuleReaders;
use crate::settings::Settings;

/// The most rules a set may have: one bit each.
pub const MAX_RULES: usize = 128;

/// Everything that decides, compiled.
#[derive(Debug)]
pub struct RuleSet {
    /// Number in the journal; higher replaces lower.
    pub number: u32,
    /// The rules: at-risk first, so that others can look at open at-risk episodes.
    pub rules: Vec<Arc<Rule>>,
    /// The other settings.
    pub settings: Settings,
    /// Which rules a change of features concerns.
    readers: RuleReaders,
    /// The rules that each rule holds back, one bit each: rules behind it alone.
    inhibited: Vec<u128>,
    /// Features that the stages read.
    pub stage_features: FeatureSet,
    /// Features that anything reads: rules, health or stages. Most events change no other.
    pub features: FeatureSet,
    /// Whether more than what holds episodes back asks for holidays: then every midnight may matter to a customer about whom all is quiet.
    pub(crate) reads_holidays: bool,
}

impl RuleSet {
    /// Puts rules and settings together; rules beyond [`MAX_RULES`] are the caller's mistake.
    ///
    /// # Panics
    ///
    /// With more than [`MAX_RULES`] rules.
    #[must_use]
    pub fn new(number: u32, mut rules: Vec<Arc<Rule>>, settings: Settings) -> Self {
        assert!(rules.len() <= MAX_RULES, "a rule set holds at most {MAX_RULES} rules");
        rules.sort_by_key(|rule| rule.kind != Kind::AtRisk);
        let readers = RuleReaders::new(&rules);
        let inhibited = crate::inhibition::inhibited(&rules);
        let stage_features = FeatureSet(settings.stages.iter().fold(0, |bits, stage| bits | stage.when.features()));
        let features = rules.iter().fold(stage_features.union(settings.health.features), |all, rule| all.union(rule.features));
        let decided = rules.iter().fold(stage_features.union(settings.health.features), |all, rule| all.union(rule.decided_by()));
        let reads_holidays = decided.contains(Feature::Holiday);
        Self { number, rules, settings, readers, inhibited, stage_features, features, reads_holidays }
    }

    /// Whether the rule of this hash is one of them.
    pub(crate) fn has(&self, hash: u32) -> bool {
        self.rules.iter().any(|rule| rule.hash == hash)
    }

    /// All rules, one bit each.
    pub(crate) fn all(&self) -> u128 {
        if self.rules.len() == MAX_RULES { u128::MAX } else { (1 << self.rules.len()) - 1 }
    }

    /// The rules that one rule holds back, one bit each.
    pub(crate) fn inhibited_by(&self, index: usize) -> u128 {
        self.inhibited.get(index).copied().unwrap_or(0)
    }

    /// Which rules a change of features concerns.
    pub(crate) fn readers(&self) -> &RuleReaders {
        &self.readers
    }
}

/// Symbols for conditions that are looked at only when an event comes and at UTC midnight (health, stages): without the clock features.
#[must_use]
pub fn daily_symbols() -> Vec<Symbol> {
    crate::feature::symbols().into_iter().filter(|symbol| !symbol.clock).collect()
}

/// A mistake about a feature that runs with the clock where only daily ones may stand.
#[must_use]
pub fn clock_feature_error(name: &str) -> Option<ExpressionError> {
    let row = Feature::ALL.iter().find(|row| row.name == name && row.change == Change::Clock)?;
    Some(ExpressionError {
        range: 0..row.name.len(),
        message: format!("`{name}` runs with the clock and cannot stand here"),
        help: Some("health and stages change with events and at UTC midnight only; use a feature over a window of days".to_owned()),
    })
}
