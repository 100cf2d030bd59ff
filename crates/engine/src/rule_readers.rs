//! Which rules a change of features concerns.

use std::sync::Arc;

use crate::evaluate::DAY;
use crate::feature::{Change, FeatureSet};
use crate::guard::RARITIES;
use crate::rule::Rule;

/// The rules that read each feature: in what they say, and in their guards of each rarity.
#[derive(Debug)]
pub(crate) struct RuleReaders {
    pub rules: Readers,
    pub guards: [Readers; RARITIES],
}

impl RuleReaders {
    pub fn new(rules: &[Arc<Rule>]) -> Self {
        let guards = |rarity: usize| {
            let mut readers = Readers::new(rules, |rule| {
                let of_rarity = rule.guards.iter().filter(|guard| guard.rarity == rarity);
                of_rarity.fold(FeatureSet::EMPTY, |all, guard| all.union(guard.changes))
            });
            if rarity == 0 {
                // What is rarest changes by events alone: see the guards.
                readers.of_change.iter_mut().for_each(|(_, rules)| *rules = 0);
            }
            readers
        };
        Self { rules: Readers::new(rules, |rule| rule.features), guards: std::array::from_fn(guards) }
    }
}

/// The rules that read each feature, one bit each.
#[derive(Debug)]
pub(crate) struct Readers {
    of_feature: Vec<u128>,
    /// The features that any of them reads. Most events change none that guards read.
    features: FeatureSet,
    /// The features that change at midnights and at weekly checks, with their readers: what each review asks for.
    of_change: [(FeatureSet, u128); 2],
}

impl Readers {
    fn new(rules: &[Arc<Rule>], reads: impl Fn(&Rule) -> FeatureSet) -> Self {
        let read: Vec<FeatureSet> = rules.iter().map(|rule| reads(rule)).collect();
        let readers = |feature| read.iter().zip(0..).fold(0, |bits, (read, index)| bits | u128::from(read.has_number(feature)) << index);
        let of_feature: Vec<u128> = (0..128).map(readers).collect();
        let of_change = [DAY, FeatureSet::changing(Change::Week)].map(|features| (features, union(&of_feature, features)));
        let features = read.into_iter().fold(FeatureSet::EMPTY, FeatureSet::union);
        Self { of_feature, features, of_change }
    }

    /// The rules that a change of these features concerns, one bit each.
    #[inline]
    pub fn of(&self, changed: FeatureSet) -> u128 {
        if changed.intersects(self.features) { self.of_some(changed) } else { 0 }
    }

    fn of_some(&self, changed: FeatureSet) -> u128 {
        let (mut rest, mut rules) = (changed, 0);
        for (changing, of_change) in self.of_change {
            if changing.without(rest) == FeatureSet::EMPTY {
                rest = rest.without(changing);
                rules |= of_change;
            }
        }
        rules | union(&self.of_feature, rest)
    }
}

fn union(of_feature: &[u128], features: FeatureSet) -> u128 {
    let (mut rest, mut rules) = (features.0, 0);
    while rest != 0 {
        rules |= of_feature.get(rest.trailing_zeros() as usize).copied().unwrap_or(0);
        rest &= rest - 1;
    }
    rules
}
