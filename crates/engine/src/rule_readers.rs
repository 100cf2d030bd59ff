//! Which rules a change of features concerns.

use std::sync::Arc;

use crate::evaluate::DAY;
use crate::feature::{Change, FeatureSet};
use crate::guard::RARITIES;
use crate::rule::Rule;

/// Rules that read certain features, one bit each.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Readers {
    /// Rules that the features may change.
    pub rules: u128,
    /// Rules that have a guard which they may change, by its rarity.
    pub guards: [u128; RARITIES],
}

impl Readers {
    fn add(&mut self, other: &Self) {
        self.rules |= other.rules;
        self.guards.iter_mut().zip(other.guards).for_each(|(all, more)| *all |= more);
    }

    fn of(rules: &[Arc<Rule>], feature: u16) -> Self {
        let mut readers = Self::default();
        for (index, rule) in rules.iter().enumerate() {
            readers.rules |= u128::from(rule.features.has_number(feature)) << index;
            for guard in &rule.guards {
                readers.guards[guard.rarity] |= u128::from(guard.changes.has_number(feature)) << index;
            }
        }
        readers
    }
}

/// The readers of each feature.
#[derive(Debug)]
pub(crate) struct RuleReaders {
    of_feature: Vec<Readers>,
    /// The features that change at midnights and at weekly checks, with their readers: what each review asks for.
    of_change: [(FeatureSet, Readers); 2],
    of_all: Readers,
}

impl RuleReaders {
    pub fn new(rules: &[Arc<Rule>]) -> Self {
        let of_feature: Vec<Readers> = (0..128).map(|feature| Readers::of(rules, feature)).collect();
        let of_change = [DAY, FeatureSet::changing(Change::Week)].map(|features| {
            let mut readers = union(&of_feature, features);
            // What is rarest changes by events alone: see the guards.
            readers.guards[0] = 0;
            (features, readers)
        });
        let all = if rules.len() == 128 { u128::MAX } else { (1 << rules.len()) - 1 };
        Self { of_feature, of_change, of_all: Readers { rules: all, guards: [all; RARITIES] } }
    }

    /// The rules and guards that a change of these features may change.
    pub fn of(&self, features: FeatureSet) -> Readers {
        if features == FeatureSet::ALL {
            return self.of_all;
        }
        let (mut rest, mut readers) = (features.0, Readers::default());
        for (changing, of_change) in &self.of_change {
            if rest & changing.0 == changing.0 {
                rest &= !changing.0;
                readers.add(of_change);
            }
        }
        readers.add(&union(&self.of_feature, FeatureSet(rest)));
        readers
    }
}

fn union(of_feature: &[Readers], features: FeatureSet) -> Readers {
    let (mut rest, mut readers) = (features.0, Readers::default());
    while rest != 0 {
        if let Some(of_one) = of_feature.get(rest.trailing_zeros() as usize) {
            readers.add(of_one);
        }
        rest &= rest - 1;
    }
    readers
}
