//! Sources that have fallen silent: rules that would take that for the silence of customers are frozen until they have resumed.

use serde::{Deserialize, Serialize};

use crate::event_type::Family;
use crate::expression::Expression;
use crate::feature::{Change, FeatureSet};
use crate::rule::{Rule, families};
use crate::rule_set::RuleSet;

/// Silent sources that are remembered at once; more are ignored.
pub const MAX_SILENT_SOURCES: usize = 64;

/// Features that the passing of time moves. Of the others, no silence says anything.
const MOVING: FeatureSet =
    FeatureSet::changing(Change::Day).union(FeatureSet::changing(Change::Week)).union(FeatureSet::changing(Change::Clock));

/// A set of event families.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Families(u16);

impl Families {
    /// The families of these names; names that none has are left out.
    #[must_use]
    pub fn named<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let mut families = Self::default();
        for name in names {
            Family::ALL.into_iter().filter(|family| family.name() == name).for_each(|family| families.insert(family));
        }
        families
    }

    /// Adds a family.
    pub fn insert(&mut self, family: Family) {
        self.0 |= 1 << family as u8;
    }

    /// Whether a family is in the set.
    #[must_use]
    pub fn contains(self, family: Family) -> bool {
        self.0 & 1 << family as u8 != 0
    }

    /// Names of the families, in the order of `Family::ALL`.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Family::ALL.into_iter().filter(move |family| self.contains(*family)).map(Family::name)
    }
}

/// Sources that are silent, with the families of events that they deliver, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SilentSources(Vec<(Box<str>, Families)>);

impl SilentSources {
    /// A source has fallen silent.
    pub fn insert(&mut self, source: &str, families: Families) {
        match self.0.binary_search_by(|(known, _)| (**known).cmp(source)) {
            Ok(index) => self.0[index].1 = families,
            Err(index) if self.0.len() < MAX_SILENT_SOURCES => self.0.insert(index, (source.into(), families)),
            Err(_) => {}
        }
    }

    /// A source has resumed. Returns whether it was silent.
    pub fn remove(&mut self, source: &str) -> bool {
        let found = self.0.binary_search_by(|(known, _)| (**known).cmp(source));
        found.is_ok_and(|index| {
            self.0.remove(index);
            true
        })
    }

    /// Names of the sources, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(source, _)| &**source)
    }

    /// What is missing of events meanwhile.
    #[must_use]
    pub fn families(&self) -> Families {
        Families(self.0.iter().fold(0, |all, (_, families)| all | families.0))
    }
}

/// The rules that are frozen while events of these families are missing, one bit each: those in which such events stand against time.
pub(crate) fn frozen(rules: &RuleSet, missing: Families) -> u128 {
    let is_frozen = |rule: &Rule| families(moving(rule)).iter().chain(&rule.own_families).any(|family| missing.contains(*family));
    rules.rules.iter().enumerate().filter(|(_, rule)| is_frozen(rule)).fold(0, |bits, (index, _)| bits | 1 << index)
}

fn moving(rule: &Rule) -> FeatureSet {
    let conditions = rule.until.iter().chain(rule.severity.iter().map(|(_, condition)| condition));
    FeatureSet(conditions.map(Expression::features).fold(rule.when.features(), |all, features| all | features) & MOVING.0)
}
