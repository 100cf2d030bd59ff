//! Checks the calls of the four functions.

use std::ops::Range;

use super::check::{Checked, Checker};
use super::error::ExpressionError;
use super::nearest::nearest;
use super::program::{Condition, Number};
use super::scope::Meaning;
use super::syntax::{Node, Syntax};

pub(super) const FUNCTIONS: [&str; 4] = ["max", "min", "abs", "has"];

impl<'a> Checker<'a> {
    pub(super) fn call(&mut self, syntax: &Syntax, name: &str, name_range: &Range<usize>, arguments: &'a [Syntax]) -> Checked<'a> {
        let count = arguments.len();
        match name {
            "max" | "min" => {
                let terms: Vec<Number> = arguments.iter().map(|argument| self.number(argument)).collect();
                match (count, name) {
                    (0 | 1, _) => self.wrong_count(syntax, name, "at least 2 arguments", count),
                    (_, "max") => Checked::Number(Number::largest(terms)),
                    _ => Checked::Number(Number::smallest(terms)),
                }
            }
            "abs" => match arguments {
                [argument] => Checked::Number(Number::absolute(self.number(argument))),
                _ => self.wrong_count(syntax, name, "1 argument", count),
            },
            "has" => match arguments {
                [argument] => Checked::Condition(self.presence(argument)),
                _ => self.wrong_count(syntax, name, "1 argument", count),
            },
            _ => self.unknown_function(name, name_range.clone()),
        }
    }

    fn wrong_count(&mut self, syntax: &Syntax, name: &str, takes: &str, found: usize) -> Checked<'a> {
        self.report(syntax, format!("`{name}` takes {takes}, found {found}"));
        Checked::Invalid
    }

    fn presence(&mut self, argument: &Syntax) -> Condition {
        let Node::Name(name) = argument.node else {
            self.report(argument, "`has` takes the name of a feature");
            return Condition::Constant(false);
        };
        match self.scope.find(name) {
            Some(Meaning::Feature(symbol)) => return Condition::Has(symbol.feature),
            Some(Meaning::Param(_)) => {
                self.report(argument, format!("`has` takes the name of a feature, and `{name}` is a param"));
            }
            None => self.errors.push(self.scope.unknown_name(name, argument.range.clone())),
        }
        Condition::Constant(false)
    }

    fn unknown_function(&mut self, name: &str, range: Range<usize>) -> Checked<'a> {
        let error = if self.scope.find(name).is_some() {
            ExpressionError::new(range, format!("`{name}` is not a function")).with_help("write it without `(...)`")
        } else {
            let error = ExpressionError::new(range, format!("unknown function `{name}`"));
            error.with_help(match nearest(name, FUNCTIONS) {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("the functions are {}", FUNCTIONS.join(", ")),
            })
        };
        self.errors.push(error);
        Checked::Invalid
    }
}
