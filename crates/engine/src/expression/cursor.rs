//! The parser's place among the tokens, and its two guards against nesting that would exhaust the stack.

use std::ops::Range;

use super::MAX_NESTING;
use super::comparison::ComparisonOperator;
use super::error::ExpressionError;
use super::lexer::{Kind, Token};
use super::syntax::{Node, Syntax};

/// An error that stops the parser, or what was read.
pub(super) type Parsed<'a> = Result<Syntax<'a>, ExpressionError>;

pub(super) struct Parser<'a, 'e> {
    pub source: &'a str,
    pub tokens: Vec<Token>,
    /// Never beyond the last token, which is `End`.
    pub position: usize,
    pub errors: &'e mut Vec<ExpressionError>,
    depth: usize,
}

impl<'a, 'e> Parser<'a, 'e> {
    pub(super) fn new(source: &'a str, tokens: Vec<Token>, errors: &'e mut Vec<ExpressionError>) -> Self {
        Self { source, tokens, position: 0, errors, depth: 0 }
    }

    /// Guards the parser's own recursion; `node` guards that of everything that walks the tree later.
    pub(super) fn nested(&mut self, read: impl FnOnce(&mut Self) -> Parsed<'a>) -> Parsed<'a> {
        self.depth += 1;
        if self.depth > MAX_NESTING {
            return Err(too_deep(self.next_range()));
        }
        let syntax = read(self)?;
        self.depth -= 1;
        Ok(syntax)
    }

    pub(super) fn node(&self, range: Range<usize>, height_below: usize, node: Node<'a>) -> Parsed<'a> {
        let height = height_below + 1;
        if height > MAX_NESTING { Err(too_deep(range)) } else { Ok(Syntax { range, node, height }) }
    }

    pub(super) fn take(&mut self, kind: &Kind) -> bool {
        let fits = self.next_kind() == kind;
        self.position += usize::from(fits);
        fits
    }

    pub(super) fn take_comparison(&mut self) -> Option<ComparisonOperator> {
        let Kind::Compare(operator) = *self.next_kind() else {
            return None;
        };
        self.position += 1;
        Some(operator)
    }

    pub(super) fn next_kind(&self) -> &Kind {
        &self.tokens[self.position].kind
    }

    pub(super) fn next_range(&self) -> Range<usize> {
        self.tokens[self.position].range.clone()
    }

    pub(super) fn expected(&self, what: &str) -> ExpressionError {
        let range = self.next_range();
        let found = match self.next_kind() {
            Kind::End => "the end of the expression".to_owned(),
            _ => format!("`{}`", &self.source[range.clone()]),
        };
        ExpressionError::new(range, format!("expected {what}, found {found}"))
    }
}

fn too_deep(range: Range<usize>) -> ExpressionError {
    ExpressionError::new(range, format!("the expression is nested deeper than {MAX_NESTING} levels"))
}
