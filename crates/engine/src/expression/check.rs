//! Checks names and types of a syntax tree and compiles it, going on after each error to find them all.

use super::check_call::FUNCTIONS;
use super::error::ExpressionError;
use super::program::{Condition, Number, Program};
use super::scope::{Expected, Meaning, Scope, Symbol, ValueType};
use super::syntax::{Node, Syntax};

/// The result is of use only if no error was added.
pub(super) fn check(syntax: &Syntax, expected: Expected, scope: &Scope, errors: &mut Vec<ExpressionError>) -> Program {
    let mut checker = Checker { scope, errors };
    match expected {
        Expected::Boolean => Program::Condition(checker.condition(syntax)),
        Expected::Number => Program::Number(checker.number(syntax)),
    }
}

pub(super) struct Checker<'a> {
    pub scope: &'a Scope<'a>,
    pub errors: &'a mut Vec<ExpressionError>,
}

/// What a part of an expression turned out to be.
pub(super) enum Checked<'a> {
    Number(Number),
    Condition(Condition),
    /// A lone boolean feature, which unlike other conditions may be absent.
    Flag(u16),
    /// A lone feature that runs with the clock.
    Clock(&'a Symbol),
    Label(&'a Symbol),
    Text(&'a str),
    /// Already reported.
    Invalid,
}

/// Stands in for a part that was reported.
const REPORTED: Condition = Condition::Constant(false);

impl<'a> Checker<'a> {
    /// The part as a number, or a report that it is none.
    pub(super) fn number(&mut self, syntax: &'a Syntax) -> Number {
        match self.part(syntax) {
            Checked::Number(number) => return number,
            Checked::Invalid => {}
            Checked::Clock(symbol) => self.report_clock(syntax, symbol),
            found => {
                let help = match found {
                    Checked::Condition(_) | Checked::Flag(_) => "`condition ? 1 : 0` makes a number of a condition",
                    _ => "a label can only be compared, as in `grade == \"red\"`",
                };
                self.report(syntax, format!("expected a number, found {}", found.describe())).help = Some(help.into());
            }
        }
        Number::constant(f64::NAN)
    }

    /// The part as a condition, or a report that it is none.
    pub(super) fn condition(&mut self, syntax: &'a Syntax) -> Condition {
        match self.part(syntax) {
            Checked::Condition(condition) => return condition,
            Checked::Flag(feature) => return Condition::IsTrue(feature),
            Checked::Invalid => {}
            found => {
                let help = match found {
                    Checked::Label(symbol) => {
                        format!("compare it with a label, as in `== \"{}\"`", example(symbol))
                    }
                    Checked::Text(_) => "compare a label feature with it, as in `grade == \"red\"`".to_owned(),
                    _ => "compare it with something, as in `mrr > 0`".to_owned(),
                };
                let message = format!("expected a condition (true or false), found {}", found.describe());
                self.report(syntax, message).help = Some(help);
            }
        }
        REPORTED
    }

    pub(super) fn part(&mut self, syntax: &'a Syntax) -> Checked<'a> {
        match &syntax.node {
            Node::Number(value) => Checked::Number(Number::constant(*value)),
            Node::Truth(value) => Checked::Condition(Condition::Constant(*value)),
            Node::Text(text) => Checked::Text(text),
            Node::Name(name) => self.name(syntax, name),
            Node::Negate(inner) => Checked::Number(Number::negate(self.number(inner))),
            Node::Not(inner) => self.not(inner),
            Node::Arithmetic(operator, sides) => {
                let (left, right) = (self.number(&sides[0]), self.number(&sides[1]));
                Checked::Number(Number::arithmetic(*operator, left, right))
            }
            Node::Compare(operator, sides) => Checked::Condition(self.comparison(*operator, &sides[0], &sides[1])),
            Node::All(terms) => Checked::Condition(Condition::all(self.conditions(terms))),
            Node::Any(terms) => Checked::Condition(Condition::any(self.conditions(terms))),
            Node::Choose(parts) => self.choice(&parts[0], &parts[1], &parts[2]),
            Node::Call { name, name_range, arguments } => self.call(syntax, name, name_range, arguments),
        }
    }

    fn conditions(&mut self, terms: &'a [Syntax]) -> Vec<Condition> {
        terms.iter().map(|term| self.condition(term)).collect()
    }

    fn name(&mut self, syntax: &Syntax, name: &str) -> Checked<'a> {
        let symbol = match self.scope.find(name) {
            Some(Meaning::Param(value)) => return Checked::Number(Number::constant(value)),
            Some(Meaning::Feature(symbol)) => symbol,
            None => {
                if FUNCTIONS.contains(&name) {
                    let help = format!("write what it applies to: `{name}(...)`");
                    self.report(syntax, format!("`{name}` is a function")).help = Some(help);
                } else {
                    self.errors.push(self.scope.unknown_name(name, syntax.range.clone()));
                }
                return Checked::Invalid;
            }
        };
        match symbol.value_type {
            _ if symbol.clock => Checked::Clock(symbol),
            ValueType::Number => Checked::Number(Number::Feature(symbol.feature)),
            ValueType::Boolean => Checked::Flag(symbol.feature),
            ValueType::Label(_) => Checked::Label(symbol),
        }
    }

    /// Decided by what is written and not by what is left after folding, or a param could change what absent means.
    fn not(&mut self, inner: &'a Syntax) -> Checked<'a> {
        if let Node::Not(doubly) = &inner.node {
            return Checked::Condition(self.condition(doubly));
        }
        match self.part(inner) {
            Checked::Flag(feature) => Checked::Condition(Condition::IsFalse(feature)),
            Checked::Condition(condition) => Checked::Condition(Condition::not(condition)),
            Checked::Invalid => Checked::Invalid,
            found => {
                let message = format!("`!` stands before a condition, found {}", found.describe());
                self.report(inner, message).help = Some("`!` binds tightest: write `!(mrr > 0)`".to_owned());
                Checked::Invalid
            }
        }
    }

    fn choice(&mut self, condition: &'a Syntax, then: &'a Syntax, otherwise: &'a Syntax) -> Checked<'a> {
        let condition = self.condition(condition);
        match (self.branch(then), self.branch(otherwise)) {
            (Checked::Number(then), Checked::Number(otherwise)) => Checked::Number(Number::choose(condition, then, otherwise)),
            (Checked::Condition(then), Checked::Condition(otherwise)) => Checked::Condition(Condition::choose(condition, then, otherwise)),
            (Checked::Invalid, _) | (_, Checked::Invalid) => Checked::Invalid,
            (first, second) => {
                let message = format!("one branch is {}, the other {}", first.describe(), second.describe());
                self.report(otherwise, message);
                Checked::Invalid
            }
        }
    }

    fn branch(&mut self, syntax: &'a Syntax) -> Checked<'a> {
        match self.part(syntax) {
            Checked::Flag(feature) => Checked::Condition(Condition::IsTrue(feature)),
            Checked::Clock(symbol) => {
                self.report_clock(syntax, symbol);
                Checked::Invalid
            }
            found @ (Checked::Label(..) | Checked::Text(_)) => {
                let message = format!("a branch is a number or a condition, found {}", found.describe());
                self.report(syntax, message);
                Checked::Invalid
            }
            found => found,
        }
    }

    /// Adds an error; the caller may add help to it.
    pub(super) fn report(&mut self, syntax: &Syntax, message: impl Into<String>) -> &mut ExpressionError {
        self.errors.push_mut(ExpressionError::new(syntax.range.clone(), message))
    }

    pub(super) fn report_clock(&mut self, syntax: &Syntax, symbol: &Symbol) {
        let name = &symbol.name;
        let message = format!("`{name}` runs with the clock, so it must stand alone on one side of < <= > >=");
        self.report(syntax, message).help = Some(format!("move the rest to the other side, as in `{name} > days + 7`"));
    }

    pub(super) fn has_clock(&self, number: &Number) -> bool {
        number.features() & self.scope.clock_features() != 0
    }
}

impl Checked<'_> {
    pub(super) fn describe(&self) -> &'static str {
        match self {
            Self::Number(_) | Self::Clock(_) => "a number",
            Self::Condition(_) | Self::Flag(_) => "a condition",
            Self::Label(..) => "a label",
            Self::Text(_) => "a text",
            Self::Invalid => "an error",
        }
    }
}

/// A label to show in a help text.
pub(super) fn example(symbol: &Symbol) -> String {
    symbol.labels().first().map(|label| (*label).to_owned()).unwrap_or_default()
}
