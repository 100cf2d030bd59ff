//! A rule set: all decision settings together, under a number.

use std::sync::Arc;

use crate::expression::{ExpressionError, Symbol};
use crate::feature::{Change, Feature, FeatureSet};
use crate::rule::{Kind, Rule};
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
    /// For each feature the rules that it may change, one bit each.
    rules_of_feature: Vec<u128>,
    /// For each feature the rules whose guard it may change, one bit each.
    guards_of_feature: Vec<u128>,
    /// The features that change at midnights and at weekly checks, with the rules that they may change: what each review asks for.
    rules_of_change: [(FeatureSet, u128); 2],
    /// Features that the stages read.
    pub stage_features: FeatureSet,
    /// Features that anything reads: rules, health or stages. Most events change no other.
    pub features: FeatureSet,
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
        let rules_of = |reads: &dyn Fn(&Rule, u16) -> bool| -> Vec<u128> {
            let bits = |feature| (0..rules.len()).filter(|index| reads(&rules[*index], feature)).fold(0, |bits, index| bits | 1 << index);
            (0..128).map(bits).collect()
        };
        let rules_of_feature = rules_of(&|rule, feature| rule.features.has_number(feature));
        let guards_of_feature = rules_of(&|rule, feature| rule.guard.as_ref().is_some_and(|guard| guard.changes.has_number(feature)));
        let rules_of_change = [Change::Day, Change::Week].map(|change| {
            let features = FeatureSet::changing(change);
            (features, union_of(&rules_of_feature, features))
        });
        let stage_features = FeatureSet(settings.stages.iter().fold(0, |bits, stage| bits | stage.when.features()));
        let features = rules.iter().fold(stage_features.union(settings.health.features), |all, rule| all.union(rule.features));
        Self { number, rules, settings, rules_of_feature, guards_of_feature, rules_of_change, stage_features, features }
    }

    /// The rules that a change of these features may change, one bit each.
    #[must_use]
    pub fn rules_reading(&self, features: FeatureSet) -> u128 {
        if features == FeatureSet::ALL {
            return self.all();
        }
        let (mut rest, mut rules) = (features.0, 0);
        for (changing, of_change) in self.rules_of_change {
            if rest & changing.0 == changing.0 {
                rest &= !changing.0;
                rules |= of_change;
            }
        }
        rules | union_of(&self.rules_of_feature, FeatureSet(rest))
    }

    /// The rules whose guard a change of these features may change, one bit each.
    pub(crate) fn guards_reading(&self, features: FeatureSet) -> u128 {
        if features == FeatureSet::ALL { self.all() } else { union_of(&self.guards_of_feature, features) }
    }

    /// All rules, one bit each.
    #[must_use]
    pub fn all(&self) -> u128 {
        if self.rules.len() == MAX_RULES { u128::MAX } else { (1 << self.rules.len()) - 1 }
    }
}

fn union_of(rules_of_feature: &[u128], features: FeatureSet) -> u128 {
    let (mut rest, mut rules) = (features.0, 0);
    while rest != 0 {
        rules |= rules_of_feature.get(rest.trailing_zeros() as usize).copied().unwrap_or(0);
        rest &= rest - 1;
    }
    rules
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
