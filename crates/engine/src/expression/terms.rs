//! Some terms of a conjunction, to be looked at without the others: while they do not hold, the whole does not.

use super::Expression;
use super::comparison::ComparisonOperator;
use super::program::{Condition, Program};

/// Terms of a condition that is their conjunction with others.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    condition: Condition,
    features: u128,
}

/// A term that compares a feature with a constant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    /// The feature.
    pub feature: u16,
    /// How it is compared.
    pub operator: ComparisonOperator,
    /// What with.
    pub constant: f64,
}

impl Terms {
    /// Whether all of them hold.
    pub fn hold(&self, value_of: &impl Fn(u16) -> f64) -> bool {
        self.condition.holds(value_of)
    }

    /// The features that they read, as a set of bits.
    pub fn features(&self) -> u128 {
        self.features
    }
}

impl Condition {
    fn threshold(&self) -> Option<Threshold> {
        match *self {
            Self::Threshold { feature, operator, constant } => Some(Threshold { feature, operator, constant }),
            _ => None,
        }
    }
}

impl Expression {
    /// The terms that are `wanted`, told by the features that one reads, as a set of bits, and by its threshold; `None` where there is none.
    pub fn terms(&self, wanted: impl Fn(u128, Option<Threshold>) -> bool) -> Option<Terms> {
        let is_wanted = |term: &&Condition| wanted(term.features(), term.threshold());
        let terms: Vec<Condition> = self.conjunction().iter().filter(is_wanted).cloned().collect();
        let features = terms.iter().fold(0, |all, term| all | term.features());
        (!terms.is_empty()).then(|| Terms { condition: Condition::all(terms), features })
    }

    /// The terms that compare a feature with a constant.
    pub fn thresholds(&self) -> impl Iterator<Item = Threshold> {
        self.conjunction().iter().filter_map(Condition::threshold)
    }

    fn conjunction(&self) -> &[Condition] {
        match &self.program {
            Program::Condition(Condition::All(terms)) => terms,
            Program::Condition(condition) => std::slice::from_ref(condition),
            Program::Number(_) => &[],
        }
    }
}
