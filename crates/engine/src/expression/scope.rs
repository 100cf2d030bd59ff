//! What an expression may name: features with their types, and the params of a rule.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::error::ExpressionError;
use super::nearest::nearest;
use crate::event_type::Family;

/// The type of a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueType {
    /// A number with a unit of its own.
    Number,
    /// True (1) or false (0).
    Boolean,
    /// One of a fixed list; the value is the position in the list.
    Label(&'static [&'static str]),
}

/// What the expression as a whole must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// A condition.
    Boolean,
    /// A number.
    Number,
}

/// A feature as an expression sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// The name in expressions.
    pub name: Cow<'static, str>,
    /// Its number, below 128.
    pub feature: u16,
    /// Its type.
    pub value_type: ValueType,
    /// Whether it changes continuously with time alone.
    pub clock: bool,
    /// The labels of a label feature, where the settings name others than its type does.
    pub labels: Option<Arc<[Arc<str>]>>,
    /// The events that a user's own feature is made from; none for a built-in one, whose table knows.
    pub family: Option<Family>,
}

impl Symbol {
    /// The labels of a label feature, in the order of its values.
    #[must_use]
    pub fn labels(&self) -> Vec<&str> {
        match (&self.labels, self.value_type) {
            (Some(labels), _) => labels.iter().map(|label| &**label).collect(),
            (None, ValueType::Label(labels)) => labels.to_vec(),
            (None, _) => Vec::new(),
        }
    }
}

/// Everything that an expression may name.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The features.
    pub symbols: &'a [Symbol],
    /// The params of the rule; their values are compiled in.
    pub params: &'a [(String, f64)],
}

/// What a name stands for.
pub(super) enum Meaning<'a> {
    Param(f64),
    Feature(&'a Symbol),
}

impl<'a> Scope<'a> {
    pub(super) fn find(&self, name: &str) -> Option<Meaning<'a>> {
        let param = self.params.iter().find(|(param, _)| param == name);
        let symbol = || self.symbols.iter().find(|symbol| symbol.name == name);
        param.map(|(_, value)| Meaning::Param(*value)).or_else(|| symbol().map(Meaning::Feature))
    }

    /// Features before params: a typo near both is more often meant for the former.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> {
        let symbols = self.symbols.iter().map(|symbol| &*symbol.name);
        symbols.chain(self.params.iter().map(|(name, _)| name.as_str()))
    }

    pub(super) fn clock_features(&self) -> u128 {
        self.symbols.iter().filter(|symbol| symbol.clock).map(|symbol| bit(symbol.feature)).fold(0, |set, bit| set | bit)
    }

    pub(super) fn unknown_name(&self, name: &str, range: Range<usize>) -> ExpressionError {
        let error = ExpressionError::new(range, format!("unknown name `{name}`"));
        match nearest(name, self.names()) {
            Some(known) => error.with_help(format!("did you mean `{known}`?")),
            None => error.with_help("a name is a feature or one of the rule's params"),
        }
    }
}

/// The set that holds one feature.
pub(super) fn bit(feature: u16) -> u128 {
    assert!(feature < 128, "feature {feature} does not fit a set of 128");
    1 << feature
}
