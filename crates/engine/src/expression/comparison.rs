//! Comparisons, which the engine reads one by one to solve for the instant at which one turns.

use super::program::Number;

/// How two values are compared.
///
/// The bits of each say which orders it accepts: less, equal, greater. An absent value is in none of the three to any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ComparisonOperator {
    /// `==`
    Equal = 0b010,
    /// `!=`
    NotEqual = 0b101,
    /// `<`
    Less = 0b001,
    /// `<=`
    LessOrEqual = 0b011,
    /// `>`
    Greater = 0b100,
    /// `>=`
    GreaterOrEqual = 0b110,
}

impl ComparisonOperator {
    /// Whether `left` stands so to `right`; false where either is absent (NaN).
    #[inline]
    pub fn holds(self, left: f64, right: f64) -> bool {
        let order = u8::from(left < right) | u8::from(left == right) << 1 | u8::from(left > right) << 2;
        order & self as u8 != 0
    }

    /// As it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// Whether it asks for an order and not for equality.
    pub fn is_ordering(self) -> bool {
        !matches!(self, Self::Equal | Self::NotEqual)
    }

    /// The operator that says the same with the sides exchanged.
    pub(super) fn mirrored(self) -> Self {
        match self {
            Self::Equal | Self::NotEqual => self,
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
        }
    }
}

/// A comparison of one feature with something else, read as `feature operator threshold`.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The feature on the left.
    pub feature: u16,
    /// How it is compared; mirrored if the feature was written on the right.
    pub operator: ComparisonOperator,
    /// Whether the feature runs with the clock.
    pub clock: bool,
    pub(super) right: Number,
}

impl Comparison {
    /// The value on the right; NaN where it is absent.
    pub fn threshold(&self, value_of: &impl Fn(u16) -> f64) -> f64 {
        self.right.evaluate(value_of)
    }

    /// The features that the threshold depends on, as a set of bits; none of them runs with the clock if `clock` is set.
    pub fn threshold_features(&self) -> u128 {
        self.right.features()
    }
}
