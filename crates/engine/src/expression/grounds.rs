//! The grounds of a condition: each thing that it asks of a feature, and whether the answer speaks for it.

use super::comparison::{Comparison, ComparisonOperator};
use super::program::{Condition, Number, Program};
use super::scope::bit;

/// One thing that a condition asks, read as `feature operator threshold`: a comparison, `feature == 1` or `feature == 0` for a feature that is true or
/// false, and `feature != absent` for `has(feature)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Ground {
    /// The feature on the left.
    pub feature: u16,
    /// How it is compared; mirrored if the feature was written on the right.
    pub operator: ComparisonOperator,
    right: Right,
    is_negated: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Right {
    Number(Number),
    Truth(bool),
    Absent,
}

impl Ground {
    /// The value on the right; NaN where it is absent.
    pub fn threshold(&self, value_of: &impl Fn(u16) -> f64) -> f64 {
        match &self.right {
            Right::Number(number) => number.evaluate(value_of),
            Right::Truth(truth) => f64::from(u8::from(*truth)),
            Right::Absent => f64::NAN,
        }
    }

    /// Whether it speaks for the condition: it holds, or does not where the condition negates it.
    pub fn supports(&self, value_of: &impl Fn(u16) -> f64) -> bool {
        let value = value_of(self.feature);
        let holds = match &self.right {
            Right::Number(_) | Right::Truth(_) => self.operator.holds(value, self.threshold(value_of)),
            Right::Absent => value.is_finite(),
        };
        holds != self.is_negated
    }

    /// The comparison that it is, if it is one with a number.
    pub(super) fn comparison(&self, clock_features: u128) -> Option<Comparison> {
        let Right::Number(right) = &self.right else { return None };
        let clock = clock_features & bit(self.feature) != 0;
        Some(Comparison { feature: self.feature, operator: self.operator, clock, right: right.clone() })
    }
}

/// The grounds met on a walk in the order of the source.
struct Collector<'a> {
    found: &'a mut Vec<Ground>,
}

impl Program {
    pub(super) fn collect_grounds(&self, found: &mut Vec<Ground>) {
        let mut collector = Collector { found };
        match self {
            Self::Number(number) => collector.number(number),
            Self::Condition(condition) => collector.condition(condition, false),
        }
    }
}

impl Collector<'_> {
    fn condition(&mut self, condition: &Condition, is_negated: bool) {
        match condition {
            Condition::Constant(_) => {}
            Condition::IsTrue(feature) => self.push(*feature, ComparisonOperator::Equal, Right::Truth(true), is_negated),
            Condition::IsFalse(feature) => self.push(*feature, ComparisonOperator::Equal, Right::Truth(false), is_negated),
            Condition::Has(feature) => self.push(*feature, ComparisonOperator::NotEqual, Right::Absent, is_negated),
            Condition::Threshold { feature, operator, constant } => {
                self.push(*feature, *operator, Right::Number(Number::Constant(*constant)), is_negated);
            }
            Condition::Compare { operator, sides } => {
                if let Number::Feature(feature) = sides[0] {
                    self.push(feature, *operator, Right::Number(sides[1].clone()), is_negated);
                }
                sides.iter().for_each(|side| self.number(side));
            }
            Condition::Not(inner) => self.condition(inner, !is_negated),
            Condition::All(terms) | Condition::Any(terms) => terms.iter().for_each(|term| self.condition(term, is_negated)),
            Condition::Choose(parts) => {
                self.condition(&parts[0], false);
                self.condition(&parts[1], is_negated);
                self.condition(&parts[2], is_negated);
            }
        }
    }

    fn number(&mut self, number: &Number) {
        match number {
            Number::Constant(_) | Number::Feature(_) => {}
            Number::Negate(inner) | Number::Absolute(inner) => self.number(inner),
            Number::Arithmetic { sides, .. } => sides.iter().for_each(|side| self.number(side)),
            Number::Largest(terms) | Number::Smallest(terms) => terms.iter().for_each(|term| self.number(term)),
            Number::Choose(parts) => {
                self.condition(&parts.0, false);
                self.number(&parts.1);
                self.number(&parts.2);
            }
            Number::Truth(condition) => self.condition(condition, false),
        }
    }

    fn push(&mut self, feature: u16, operator: ComparisonOperator, right: Right, is_negated: bool) {
        self.found.push(Ground { feature, operator, right, is_negated });
    }
}
