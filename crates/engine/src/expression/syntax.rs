//! The syntax tree between the parser and the checker.

use std::ops::Range;

use super::comparison::ComparisonOperator;
use super::program::ArithmeticOperator;

/// A node of the syntax tree with the bytes it was read from.
#[derive(Debug)]
pub(super) struct Syntax<'a> {
    pub range: Range<usize>,
    pub node: Node<'a>,
    /// The longest way down, which the parser limits.
    pub height: usize,
}

#[derive(Debug)]
pub(super) enum Node<'a> {
    Number(f64),
    Truth(bool),
    Text(String),
    Name(&'a str),
    Negate(Box<Syntax<'a>>),
    Not(Box<Syntax<'a>>),
    Arithmetic(ArithmeticOperator, Box<[Syntax<'a>; 2]>),
    Compare(ComparisonOperator, Box<[Syntax<'a>; 2]>),
    All(Vec<Syntax<'a>>),
    Any(Vec<Syntax<'a>>),
    Choose(Box<[Syntax<'a>; 3]>),
    Call { name: &'a str, name_range: Range<usize>, arguments: Vec<Syntax<'a>> },
}
