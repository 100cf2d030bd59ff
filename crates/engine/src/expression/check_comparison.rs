//! Checks what may be compared with what.

use super::check::{Checked, Checker, example};
use super::comparison::ComparisonOperator;
use super::nearest::nearest;
use super::program::{Condition, Number};
use super::scope::Symbol;
use super::syntax::Syntax;

impl<'a> Checker<'a> {
    pub(super) fn comparison(&mut self, operator: ComparisonOperator, left: &'a Syntax, right: &'a Syntax) -> Condition {
        let sides = (self.part(left), self.part(right));
        let numbers = match sides {
            (Checked::Invalid, _) | (_, Checked::Invalid) => None,
            (Checked::Clock(symbol), other) => self.clock_comparison(operator, (left, symbol), (right, other)),
            (other, Checked::Clock(symbol)) => self.clock_comparison(operator.mirrored(), (right, symbol), (left, other)),
            (Checked::Number(first), Checked::Number(second)) => Some((operator, first, second)),
            (first @ (Checked::Condition(_) | Checked::Flag(_)), second @ (Checked::Condition(_) | Checked::Flag(_))) => {
                self.equality_only(operator, left, right, "true and false have no order");
                Some((operator, truth(first), truth(second)))
            }
            (Checked::Label(symbol), Checked::Text(text)) => {
                self.equality_only(operator, left, right, "labels have no order");
                Some((operator, Number::Feature(symbol.feature), self.position(&symbol.labels(), text, right)))
            }
            (Checked::Text(text), Checked::Label(symbol)) => {
                self.equality_only(operator, left, right, "labels have no order");
                Some((operator, Number::Feature(symbol.feature), self.position(&symbol.labels(), text, left)))
            }
            (Checked::Label(first), Checked::Label(second)) if first.labels() == second.labels() => {
                self.equality_only(operator, left, right, "labels have no order");
                Some((operator, Number::Feature(first.feature), Number::Feature(second.feature)))
            }
            (first, second) => {
                self.mismatch(left, right, &first, &second);
                None
            }
        };
        let compare = |(operator, left, right)| Condition::compare(operator, left, right);
        numbers.map_or(Condition::Constant(false), compare)
    }

    /// Puts the feature that runs with the clock on the left.
    fn clock_comparison(
        &mut self,
        operator: ComparisonOperator,
        (side, symbol): (&Syntax, &Symbol),
        (other_side, other): (&Syntax, Checked),
    ) -> Option<(ComparisonOperator, Number, Number)> {
        let name = &symbol.name;
        match other {
            Checked::Number(number) if !self.has_clock(&number) && operator.is_ordering() => {
                return Some((operator, Number::Feature(symbol.feature), number));
            }
            Checked::Number(number) if !self.has_clock(&number) => {
                let message = format!("`{name}` runs with the clock, so it equals a number only for an instant");
                self.report(side, message).help = Some("compare it by < <= > or >=".to_owned());
            }
            Checked::Number(_) | Checked::Clock(_) => {
                let message = format!("`{name}` runs with the clock, and so does this other side");
                self.report(other_side, message).help = Some("compare each with a number or with features that stand still".to_owned());
            }
            other => {
                let message = format!("cannot compare a number with {}", other.describe());
                self.report(other_side, message);
            }
        }
        None
    }

    fn equality_only(&mut self, operator: ComparisonOperator, left: &Syntax, right: &Syntax, why: &str) {
        if operator.is_ordering() {
            let error = self.report(left, format!("{why}, so `{}` cannot compare them", operator.symbol()));
            error.range.end = right.range.end;
            error.help = Some("compare them by == or !=".to_owned());
        }
    }

    fn position(&mut self, labels: &[&str], text: &str, syntax: &Syntax) -> Number {
        if let Some(position) = labels.iter().position(|label| *label == text) {
            return Number::constant(position as f64);
        }
        let list = labels.iter().map(|label| format!("\"{label}\"")).collect::<Vec<_>>().join(", ");
        let help = match nearest(text, labels.iter().copied()) {
            Some(known) => format!("did you mean \"{known}\"? The labels are {list}"),
            None => format!("the labels are {list}"),
        };
        self.report(syntax, format!("\"{text}\" is not one of the labels")).help = Some(help);
        Number::constant(f64::NAN)
    }

    fn mismatch(&mut self, left: &Syntax, right: &Syntax, first: &Checked, second: &Checked) {
        let (message, help) = match (first, second) {
            (Checked::Text(_), Checked::Text(_)) => {
                ("two texts are compared".to_owned(), Some("a text is compared with a label feature".to_owned()))
            }
            (Checked::Label(..), Checked::Label(..)) => ("the two labels are from different lists".to_owned(), None),
            (Checked::Label(symbol), _) | (_, Checked::Label(symbol)) => (
                format!("cannot compare {} with {}", first.describe(), second.describe()),
                Some(format!("a label is compared with a text, as in `== \"{}\"`", example(symbol))),
            ),
            _ => (format!("cannot compare {} with {}", first.describe(), second.describe()), None),
        };
        let error = self.report(left, message);
        error.range.end = right.range.end;
        error.help = help;
    }
}

/// A condition as a side; a lone feature stays absent where it is.
fn truth(side: Checked) -> Number {
    match side {
        Checked::Flag(feature) => Number::Feature(feature),
        Checked::Condition(condition) => Number::truth(condition),
        _ => unreachable!("only conditions are compared as such"),
    }
}
