//! Reads tokens into a syntax tree, with the precedence of CEL.

use std::ops::Range;

use super::comparison::ComparisonOperator;
use super::cursor::{Parsed, Parser};
use super::error::ExpressionError;
use super::lexer::{Kind, Token, tokens};
use super::program::ArithmeticOperator;
use super::syntax::{Node, Syntax};

/// The tree, with the errors that did not prevent it.
pub(super) fn parse(source: &str) -> Result<(Syntax<'_>, Vec<ExpressionError>), Vec<ExpressionError>> {
    let mut errors = Vec::new();
    let parsed = tokens(source, &mut errors).and_then(|tokens| {
        let mut parser = Parser::new(source, tokens, &mut errors);
        parser.whole()
    });
    match parsed {
        Ok(syntax) => Ok((syntax, errors)),
        Err(fatal) => {
            errors.push(fatal);
            errors.sort_by_key(|error| error.range.start);
            Err(errors)
        }
    }
}

impl<'a> Parser<'a, '_> {
    fn whole(&mut self) -> Parsed<'a> {
        if self.tokens.len() == 1 {
            return Err(ExpressionError::new(0..0, "the expression is empty"));
        }
        let syntax = self.expression()?;
        if self.next_kind() == &Kind::End {
            return Ok(syntax);
        }
        let error = self.expected("an operator or the end of the expression");
        Err(match &self.source[self.next_range()] {
            "in" => error.with_help("compare with each label: `grade == \"red\" || grade == \"amber\"`"),
            "?" => error.with_help("put a `? :` between `?` and `:` in parentheses"),
            _ => error,
        })
    }

    fn expression(&mut self) -> Parsed<'a> {
        self.nested(|parser| {
            let condition = parser.any()?;
            if !parser.take(&Kind::Question) {
                return Ok(condition);
            }
            let then = parser.any()?;
            if !parser.take(&Kind::Colon) {
                let error = parser.expected("`:`");
                return Err(match parser.next_kind() {
                    Kind::Question => error.with_help("put a `? :` between `?` and `:` in parentheses"),
                    _ => error.with_help("a choice is `condition ? value : otherwise`"),
                });
            }
            let otherwise = parser.expression()?;
            let height = condition.height.max(then.height).max(otherwise.height);
            let range = condition.range.start..otherwise.range.end;
            parser.node(range, height, Node::Choose(Box::new([condition, then, otherwise])))
        })
    }

    fn any(&mut self) -> Parsed<'a> {
        self.list(&Kind::Or, Self::all, Node::Any)
    }

    fn all(&mut self) -> Parsed<'a> {
        self.list(&Kind::And, Self::relation, Node::All)
    }

    fn list(&mut self, operator: &Kind, term: fn(&mut Self) -> Parsed<'a>, node: fn(Vec<Syntax<'a>>) -> Node<'a>) -> Parsed<'a> {
        let first = term(self)?;
        if self.next_kind() != operator {
            return Ok(first);
        }
        let mut terms = vec![first];
        while self.take(operator) {
            terms.push(term(self)?);
        }
        let height = terms.iter().map(|term| term.height).max().unwrap_or(0);
        let range = terms[0].range.start..terms[terms.len() - 1].range.end;
        self.node(range, height, node(terms))
    }

    fn relation(&mut self) -> Parsed<'a> {
        let left = self.sum()?;
        let Some(operator) = self.take_comparison() else {
            return Ok(left);
        };
        let right = self.sum()?;
        let range = left.range.start..right.range.end;
        if let Some(second) = self.take_comparison() {
            self.chained(range.clone(), right.range.clone(), second)?;
        }
        self.node(range, left.height.max(right.height), Node::Compare(operator, Box::new([left, right])))
    }

    /// Reports `a < b < c` and reads over the rest of it.
    fn chained(&mut self, first: Range<usize>, middle: Range<usize>, mut operator: ComparisonOperator) -> Result<(), ExpressionError> {
        let mut help = format!("write `{}", &self.source[first.clone()]);
        let mut middle = middle;
        loop {
            let right = self.sum()?.range;
            help.push_str(&format!(" && {} {} {}", &self.source[middle], operator.symbol(), &self.source[right.clone()]));
            middle = right;
            match self.take_comparison() {
                Some(next) => operator = next,
                None => break,
            }
        }
        let message = "comparisons cannot be chained";
        self.errors.push(ExpressionError::new(first.start..middle.end, message).with_help(help + "`"));
        Ok(())
    }

    fn sum(&mut self) -> Parsed<'a> {
        self.chain(Self::product, |kind| match kind {
            Kind::Plus => Some(ArithmeticOperator::Add),
            Kind::Minus => Some(ArithmeticOperator::Subtract),
            _ => None,
        })
    }

    fn product(&mut self) -> Parsed<'a> {
        self.chain(Self::unary, |kind| match kind {
            Kind::Times => Some(ArithmeticOperator::Multiply),
            Kind::Divide => Some(ArithmeticOperator::Divide),
            _ => None,
        })
    }

    fn chain(&mut self, term: fn(&mut Self) -> Parsed<'a>, operator_of: fn(&Kind) -> Option<ArithmeticOperator>) -> Parsed<'a> {
        let mut left = term(self)?;
        while let Some(operator) = operator_of(self.next_kind()) {
            self.position += 1;
            let right = term(self)?;
            let range = left.range.start..right.range.end;
            let height = left.height.max(right.height);
            left = self.node(range, height, Node::Arithmetic(operator, Box::new([left, right])))?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed<'a> {
        let start = self.next_range().start;
        let wrap = match self.next_kind() {
            Kind::Not => Node::Not,
            Kind::Minus => Node::Negate,
            _ => return self.primary(),
        };
        self.position += 1;
        let inner = self.nested(Self::unary)?;
        self.node(start..inner.range.end, inner.height, wrap(Box::new(inner)))
    }

    fn primary(&mut self) -> Parsed<'a> {
        let Token { kind, range } = self.tokens[self.position].clone();
        let node = match kind {
            Kind::Number(value) => Node::Number(value),
            Kind::Text(text) => Node::Text(text),
            Kind::Name => match &self.source[range.clone()] {
                "true" => Node::Truth(true),
                "false" => Node::Truth(false),
                name => Node::Name(name),
            },
            Kind::Open => return self.parenthesised(),
            _ => return Err(self.expected("a value")),
        };
        self.position += 1;
        match node {
            Node::Name(name) if self.next_kind() == &Kind::Open => self.call(name, range),
            node => self.node(range, 0, node),
        }
    }

    fn parenthesised(&mut self) -> Parsed<'a> {
        let start = self.next_range().start;
        self.position += 1;
        let inner = self.expression()?;
        let end = self.close()?;
        Ok(Syntax { range: start..end, ..inner })
    }

    fn call(&mut self, name: &'a str, name_range: Range<usize>) -> Parsed<'a> {
        self.position += 1;
        let mut arguments = Vec::new();
        if self.next_kind() != &Kind::Close {
            arguments.push(self.expression()?);
            while self.take(&Kind::Comma) {
                arguments.push(self.expression()?);
            }
        }
        let end = self.close()?;
        let height = arguments.iter().map(|argument| argument.height).max().unwrap_or(0);
        self.node(name_range.start..end, height, Node::Call { name, name_range, arguments })
    }

    fn close(&mut self) -> Result<usize, ExpressionError> {
        let end = self.next_range().end;
        if self.take(&Kind::Close) { Ok(end) } else { Err(self.expected("an operator or `)`")) }
    }
}
