//! The language of rule conditions: a small subset of CEL, checked and compiled once, evaluated without allocating.
//!
//! # Writing expressions
//!
//! ```text
//! days_since_login >= days && mrr > 0
//! stage == "adoption" && (has(nps) ? nps < 7 : tickets_open > 2)
//! max(logins_28d, 1) / max(logins_prev_28d, 1) < 0.5
//! ```
//!
//! | what | how |
//! |---|---|
//! | numbers | `30`, `0.5`; all arithmetic is on 64-bit floating point, so `7 / 2` is `3.5` |
//! | truth | `true`, `false` |
//! | labels | `"red"` or `'red'`, only to compare a label feature with by `==` or `!=` |
//! | names | features, and the rule's own params; a param hides a feature of the same name |
//! | operators, loosest first | `? :`, then `\|\|`, then `&&`, then `== != < <= > >=`, then `+ -`, then `* /`, then `!` and unary `-` |
//! | functions | `max(a, b, ...)`, `min(a, b, ...)`, `abs(x)`, `has(feature)` |
//!
//! Comparisons are not chained: `1 < mrr && mrr < 9`, not `1 < mrr < 9`. A `? :` between `?` and `:` needs parentheses.
//! An expression has at most [`MAX_SOURCE_BYTES`] bytes and [`MAX_NESTING`] levels; a sum or product counts one level for
//! each of its terms, `&&` and `||` count one however long they are.
//!
//! # Absent values
//!
//! Absent means unknown. It is never zero and never "no".
//!
//! - Arithmetic with an absent value is absent. A result that is not finite, as of a division by zero, is absent.
//! - A comparison with an absent side is false, `!=` included.
//! - A feature that is true or false counts as false where it is absent, and so does its direct `!`: with `onboarded` absent,
//!   both `onboarded` and `!onboarded` are false. `!!x` is `x`.
//! - `!` of anything else is plain negation: with `nps` absent, `nps > 6` is false and `!(nps > 6)` is true.
//! - `has(x)` is true where `x` is present.
//! - `max` and `min` skip absent arguments, and are absent only if all are.
//! - `a ? b : c` is `c` where `a` is false, and so where `a` is an absent feature.
//!
//! # Features that run with the clock
//!
//! `days_since_login` and its like change with time alone, and the engine works out the instant at which a condition on
//! them turns. Such a feature stands alone on one side of `<`, `<=`, `>` or `>=`, and the other side has none of them; or
//! it stands in `has(...)`. So write `days_since_login > days + 7`, not `days_since_login - 7 > days`.

mod check;
mod check_call;
mod check_comparison;
mod comparison;
mod cursor;
mod error;
mod fold;
mod grounds;
mod lexer;
mod nearest;
mod parser;
mod program;
mod scope;
mod syntax;
pub mod template;
mod terms;
#[cfg(test)]
mod tests;

pub use comparison::{Comparison, ComparisonOperator};
pub use error::ExpressionError;
pub use grounds::Ground;
pub use nearest::nearest;
pub use scope::{Expected, Scope, Symbol, ValueType};
pub use terms::{Terms, Threshold};

use program::Program;

/// The longest expression or template, in bytes.
pub const MAX_SOURCE_BYTES: usize = 4096;

/// The deepest nesting of an expression.
pub const MAX_NESTING: usize = 64;

/// A checked and compiled expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    source: String,
    program: Program,
    features: u128,
    comparisons: Vec<Comparison>,
    clock_comparisons: Vec<Comparison>,
    grounds: Vec<Ground>,
}

/// Compiles `source`, or says everything that is wrong with it, in the order of the source.
///
/// # Panics
///
/// If a symbol used has a feature number of 128 or more.
pub fn compile(source: &str, expected: Expected, scope: &Scope) -> Result<Expression, Vec<ExpressionError>> {
    error::check_length(source)?;
    let (syntax, mut errors) = parser::parse(source)?;
    let program = check::check(&syntax, expected, scope, &mut errors);
    if !errors.is_empty() {
        errors.sort_by_key(|error| error.range.start);
        return Err(errors);
    }
    let mut grounds = Vec::new();
    program.collect_grounds(&mut grounds);
    let comparisons: Vec<Comparison> = grounds.iter().filter_map(|ground| ground.comparison(scope.clock_features())).collect();
    let clock_comparisons = comparisons.iter().filter(|comparison| comparison.clock).cloned().collect();
    Ok(Expression { source: source.to_owned(), features: program.features(), program, comparisons, clock_comparisons, grounds })
}

impl Expression {
    /// The value under the features given: NaN is absent, conditions are 1 or 0. The result is never infinite.
    pub fn evaluate(&self, value_of: &impl Fn(u16) -> f64) -> f64 {
        match &self.program {
            Program::Number(number) => number.evaluate(value_of),
            Program::Condition(condition) => f64::from(u8::from(condition.holds(value_of))),
        }
    }

    /// Whether the condition holds; of a number, whether it is present and not zero.
    pub fn is_true(&self, value_of: &impl Fn(u16) -> f64) -> bool {
        match &self.program {
            Program::Number(number) => ComparisonOperator::NotEqual.holds(number.evaluate(value_of), 0.0),
            Program::Condition(condition) => condition.holds(value_of),
        }
    }

    /// The features that the value depends on, as a set of bits.
    pub fn features(&self) -> u128 {
        self.features
    }

    /// Every comparison with a lone feature on one side, in the order of the source.
    ///
    /// What constants decide is left out: `false && mrr > 0` has none.
    pub fn comparisons(&self) -> &[Comparison] {
        &self.comparisons
    }

    /// Those with a feature that runs with the clock.
    pub fn clock_comparisons(&self) -> &[Comparison] {
        &self.clock_comparisons
    }

    /// Everything that it asks of a feature, in the order of the source, but for what constants decide.
    pub fn grounds(&self) -> &[Ground] {
        &self.grounds
    }

    /// The text that this was compiled from.
    pub fn source(&self) -> &str {
        &self.source
    }
}
