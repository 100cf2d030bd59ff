//! Compiled expressions as two trees, of numbers and of conditions, so that a tree that type-checked cannot go wrong.

use super::comparison::ComparisonOperator;
use super::scope::bit;

/// A compiled expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Program {
    Number(Number),
    Condition(Condition),
}

/// Something with a number as value, NaN where it is absent; never infinite.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Number {
    Constant(f64),
    Feature(u16),
    Negate(Box<Number>),
    Absolute(Box<Number>),
    Arithmetic {
        operator: ArithmeticOperator,
        sides: Box<[Number; 2]>,
    },
    Largest(Box<[Number]>),
    Smallest(Box<[Number]>),
    Choose(Box<(Condition, Number, Number)>),
    /// 1 or 0, to compare conditions with each other.
    Truth(Box<Condition>),
}

/// Something that holds or does not.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    Constant(bool),
    IsTrue(u16),
    /// Not the negation of `IsTrue`: both are false where the feature is absent.
    IsFalse(u16),
    Has(u16),
    /// The most common comparison, without the detour over two numbers.
    Threshold {
        feature: u16,
        operator: ComparisonOperator,
        constant: f64,
    },
    Compare {
        operator: ComparisonOperator,
        sides: Box<[Number; 2]>,
    },
    Not(Box<Condition>),
    All(Box<[Condition]>),
    Any(Box<[Condition]>),
    Choose(Box<[Condition; 3]>),
}

/// The four operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ArithmeticOperator {
    Add,
    Subtract,
    Multiply,
    Divide,
}

impl ArithmeticOperator {
    #[inline]
    fn apply(self, left: f64, right: f64) -> f64 {
        present(match self {
            Self::Add => left + right,
            Self::Subtract => left - right,
            Self::Multiply => left * right,
            Self::Divide => left / right,
        })
    }
}

/// Infinity is absent.
#[inline]
pub(super) fn present(value: f64) -> f64 {
    if value.is_finite() { value } else { f64::NAN }
}

impl Program {
    pub(super) fn features(&self) -> u128 {
        match self {
            Self::Number(number) => number.features(),
            Self::Condition(condition) => condition.features(),
        }
    }
}

impl Number {
    /// Leaves are worked out where they stand: a call costs more than what most of them do.
    #[inline]
    pub(super) fn evaluate(&self, value_of: &impl Fn(u16) -> f64) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::Feature(feature) => present(value_of(*feature)),
            branch => branch.evaluate_branch(value_of),
        }
    }

    #[inline(never)]
    fn evaluate_branch(&self, value_of: &impl Fn(u16) -> f64) -> f64 {
        match self {
            Self::Constant(_) | Self::Feature(_) => self.evaluate(value_of),
            Self::Negate(inner) => -inner.evaluate(value_of),
            Self::Absolute(inner) => inner.evaluate(value_of).abs(),
            Self::Arithmetic { operator, sides } => operator.apply(sides[0].evaluate(value_of), sides[1].evaluate(value_of)),
            Self::Largest(terms) => extreme(terms, ComparisonOperator::Greater, value_of),
            Self::Smallest(terms) => extreme(terms, ComparisonOperator::Less, value_of),
            Self::Choose(parts) => {
                let (condition, then, otherwise) = &**parts;
                if condition.holds(value_of) { then.evaluate(value_of) } else { otherwise.evaluate(value_of) }
            }
            Self::Truth(condition) => f64::from(u8::from(condition.holds(value_of))),
        }
    }

    pub(super) fn features(&self) -> u128 {
        match self {
            Self::Constant(_) => 0,
            Self::Feature(feature) => bit(*feature),
            Self::Negate(inner) | Self::Absolute(inner) => inner.features(),
            Self::Arithmetic { sides, .. } => union(sides.iter().map(Self::features)),
            Self::Largest(terms) | Self::Smallest(terms) => union(terms.iter().map(Self::features)),
            Self::Choose(parts) => parts.0.features() | parts.1.features() | parts.2.features(),
            Self::Truth(condition) => condition.features(),
        }
    }
}

impl Condition {
    /// Leaves first, as with numbers.
    #[inline]
    pub(super) fn holds(&self, value_of: &impl Fn(u16) -> f64) -> bool {
        match self {
            Self::Threshold { feature, operator, constant } => operator.holds(present(value_of(*feature)), *constant),
            Self::IsTrue(feature) => ComparisonOperator::NotEqual.holds(present(value_of(*feature)), 0.0),
            branch => branch.holds_branch(value_of),
        }
    }

    #[inline(never)]
    fn holds_branch(&self, value_of: &impl Fn(u16) -> f64) -> bool {
        match self {
            Self::Threshold { .. } | Self::IsTrue(_) => self.holds(value_of),
            Self::Constant(value) => *value,
            Self::IsFalse(feature) => value_of(*feature) == 0.0,
            Self::Has(feature) => value_of(*feature).is_finite(),
            Self::Compare { operator, sides } => operator.holds(sides[0].evaluate(value_of), sides[1].evaluate(value_of)),
            Self::Not(inner) => !inner.holds(value_of),
            Self::All(terms) => terms.iter().all(|term| term.holds(value_of)),
            Self::Any(terms) => terms.iter().any(|term| term.holds(value_of)),
            Self::Choose(parts) => {
                let [condition, then, otherwise] = &**parts;
                if condition.holds(value_of) { then.holds(value_of) } else { otherwise.holds(value_of) }
            }
        }
    }

    pub(super) fn features(&self) -> u128 {
        match self {
            Self::Constant(_) => 0,
            Self::IsTrue(feature) | Self::IsFalse(feature) | Self::Has(feature) => bit(*feature),
            Self::Threshold { feature, .. } => bit(*feature),
            Self::Compare { sides, .. } => union(sides.iter().map(Number::features)),
            Self::Not(inner) => inner.features(),
            Self::All(terms) | Self::Any(terms) => union(terms.iter().map(Self::features)),
            Self::Choose(parts) => union(parts.iter().map(Self::features)),
        }
    }
}

/// The largest or smallest of the terms that are present; of equals (0 and -0), the first.
fn extreme(terms: &[Number], better: ComparisonOperator, value_of: &impl Fn(u16) -> f64) -> f64 {
    let mut best = f64::NAN;
    for term in terms {
        let value = term.evaluate(value_of);
        if best.is_nan() || better.holds(value, best) {
            best = value;
        }
    }
    best
}

fn union(sets: impl Iterator<Item = u128>) -> u128 {
    sets.fold(0, |union, set| union | set)
}
