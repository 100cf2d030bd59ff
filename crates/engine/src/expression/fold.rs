//! Constructors of compiled nodes that work out at once what constants decide, so that params cost nothing later.

use super::comparison::ComparisonOperator;
use super::program::{ArithmeticOperator, Condition, Number, present};

fn all_absent(_: u16) -> f64 {
    f64::NAN
}

impl Number {
    pub(super) fn constant(value: f64) -> Self {
        Self::Constant(present(value))
    }

    pub(super) fn negate(inner: Self) -> Self {
        Self::Negate(Box::new(inner)).folded()
    }

    pub(super) fn absolute(inner: Self) -> Self {
        Self::Absolute(Box::new(inner)).folded()
    }

    pub(super) fn arithmetic(operator: ArithmeticOperator, left: Self, right: Self) -> Self {
        let is_absent = |side: &Self| matches!(side, Self::Constant(value) if value.is_nan());
        if is_absent(&left) || is_absent(&right) {
            return Self::Constant(f64::NAN);
        }
        Self::Arithmetic { operator, sides: Box::new([left, right]) }.folded()
    }

    pub(super) fn largest(terms: Vec<Self>) -> Self {
        Self::Largest(terms.into()).folded()
    }

    pub(super) fn smallest(terms: Vec<Self>) -> Self {
        Self::Smallest(terms.into()).folded()
    }

    pub(super) fn choose(condition: Condition, then: Self, otherwise: Self) -> Self {
        match condition {
            Condition::Constant(true) => then,
            Condition::Constant(false) => otherwise,
            condition => Self::Choose(Box::new((condition, then, otherwise))),
        }
    }

    pub(super) fn truth(condition: Condition) -> Self {
        Self::Truth(Box::new(condition)).folded()
    }

    fn folded(self) -> Self {
        if self.features() == 0 { Self::Constant(self.evaluate(&all_absent)) } else { self }
    }
}

impl Condition {
    /// Never `IsFalse`, which is for what was written as `!feature`: folding `feature && true` must change nothing.
    pub(super) fn not(inner: Self) -> Self {
        match inner {
            Self::Constant(value) => Self::Constant(!value),
            Self::Not(inner) => *inner,
            inner => Self::Not(Box::new(inner)),
        }
    }

    pub(super) fn all(terms: Vec<Self>) -> Self {
        if terms.contains(&Self::Constant(false)) {
            return Self::Constant(false);
        }
        let mut open: Vec<Self> = terms.into_iter().filter(|term| *term != Self::Constant(true)).collect();
        match open.len() {
            0 => Self::Constant(true),
            1 => open.remove(0),
            _ => Self::All(open.into()),
        }
    }

    pub(super) fn any(terms: Vec<Self>) -> Self {
        if terms.contains(&Self::Constant(true)) {
            return Self::Constant(true);
        }
        let mut open: Vec<Self> = terms.into_iter().filter(|term| *term != Self::Constant(false)).collect();
        match open.len() {
            0 => Self::Constant(false),
            1 => open.remove(0),
            _ => Self::Any(open.into()),
        }
    }

    pub(super) fn choose(condition: Self, then: Self, otherwise: Self) -> Self {
        match condition {
            Self::Constant(true) => then,
            Self::Constant(false) => otherwise,
            condition => Self::Choose(Box::new([condition, then, otherwise])),
        }
    }

    /// A lone feature always ends up on the left.
    pub(super) fn compare(operator: ComparisonOperator, left: Number, right: Number) -> Self {
        match (left, right) {
            (Number::Constant(left), Number::Constant(right)) => Self::Constant(operator.holds(left, right)),
            (Number::Constant(absent), _) | (_, Number::Constant(absent)) if absent.is_nan() => Self::Constant(false),
            (Number::Feature(feature), Number::Constant(constant)) => Self::Threshold { feature, operator, constant },
            (Number::Constant(constant), Number::Feature(feature)) => Self::Threshold { feature, operator: operator.mirrored(), constant },
            (left, right @ Number::Feature(_)) if !matches!(left, Number::Feature(_)) => {
                Self::Compare { operator: operator.mirrored(), sides: Box::new([right, left]) }
            }
            (left, right) => Self::Compare { operator, sides: Box::new([left, right]) },
        }
    }
}
