//! Which features may stand where, and expressions compiled under that, with their mistakes placed in the file.

use bellwether_engine::expression::{Expected, Expression, ExpressionError, Scope, Symbol, compile};
use bellwether_engine::feature::{Change, Feature, FeatureInfo, FeatureSet};
use bellwether_engine::own_feature::FIRST_OWN_FEATURE;
use bellwether_engine::rule_set::clock_feature_error;

use crate::yaml::{Mistake, Node, Reader, Value, part_of_scalar};

/// What follows from open at-risk episodes.
pub(super) const AT_RISK: FeatureSet = FeatureSet::of(&[Feature::AtRisk, Feature::OpenAtRisk, Feature::DaysSinceAtRisk]);

/// What follows from health.
pub(super) const HEALTH: FeatureSet = FeatureSet::of(&[
    Feature::Health,
    Feature::HealthChange28d,
    Feature::Grade,
    Feature::ExperienceScore,
    Feature::OutcomeScore,
    Feature::Quadrant,
]);

/// Where an expression stands.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    /// In a component or a veto of health.
    Health,
    /// In the condition that chooses a health profile.
    Profile,
    /// In the condition of a stage.
    Stage,
    /// In the condition of a suppression.
    Suppression,
    /// In a rule.
    Rule { at_risk: bool, about: About<'a> },
}

/// What a rule is about.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum About<'a> {
    /// The customer as a whole.
    Customer,
    /// Objects of this kind.
    Object(&'a str),
    /// Objects of a kind that is misspelt: any of their features may be right.
    Unclear,
}

impl Place<'_> {
    /// The features that may stand here.
    pub fn symbols(self, all: &[Symbol]) -> Vec<Symbol> {
        all.iter().filter(|symbol| self.barrier_of(symbol.feature).is_none()).cloned().collect()
    }

    /// [`Self::barrier`] by the number of a feature; own features may stand everywhere.
    pub fn barrier_of(self, feature: u16) -> Option<(String, String)> {
        (feature < FIRST_OWN_FEATURE).then(|| self.barrier(&Feature::ALL[usize::from(feature)])).flatten()
    }

    /// Why a feature may not stand here, and what to do about it.
    pub fn barrier(self, row: &FeatureInfo) -> Option<(String, String)> {
        let name = row.name;
        let daily = matches!(self, Place::Health | Place::Profile | Place::Stage);
        if let Some(object) = object_of(row) {
            let rights = [About::Object(object), About::Unclear];
            let allowed = matches!(self, Place::Rule { about, .. } if rights.contains(&about));
            let help = match self {
                Place::Rule { about: About::Customer, .. } => format!("a rule about each {object} has `object: {object}`"),
                _ => "use a feature of the customer as a whole".to_owned(),
            };
            return (!allowed).then(|| (format!("`{name}` is a feature of one {object} and cannot stand here"), help));
        }
        if row.feature == Feature::AgeDays && !matches!(self, Place::Rule { .. }) {
            let message = format!("`{name}` is the age of an episode and cannot stand here");
            return Some((message, "it may stand in `severity`, `until` and `summary` of a rule".to_owned()));
        }
        if daily && row.change == Change::Clock {
            return clock_feature_error(name).map(|error| (error.message, error.help.unwrap_or_default()));
        }
        let made_later = match self {
            Place::Health | Place::Profile if HEALTH.contains(row.feature) => Some("health"),
            Place::Health | Place::Stage if row.feature == Feature::Stage => Some("the stage"),
            Place::Health | Place::Profile | Place::Stage | Place::Rule { at_risk: true, .. } if AT_RISK.contains(row.feature) => {
                Some("at-risk rules")
            }
            _ => None,
        };
        made_later.map(|of| {
            let help = "health is computed first, then the stage, then at-risk rules, then the others; each may use what was before";
            (format!("`{name}` is the outcome of {of} and cannot stand here"), help.to_owned())
        })
    }
}

/// The kind of object that a feature is about, as its doc line begins: `[ticket] ...`.
pub(super) fn object_of(row: &FeatureInfo) -> Option<&'static str> {
    row.doc.strip_prefix('[')?.split_once(']').map(|(object, _)| object)
}

impl Reader<'_> {
    /// A compiled condition without params.
    pub(super) fn condition(&mut self, node: &Node, place: Place<'_>) -> Option<Expression> {
        let source = self.expression(node)?;
        let compiled = compile(&source, Expected::Boolean, &Scope { symbols: &place.symbols(&self.symbols), params: &[] });
        compiled.map_err(|errors| self.expression_errors(node, &source, errors, place)).ok()
    }

    /// Places mistakes of an expression, or of a template, in the file.
    pub(super) fn expression_errors(&mut self, node: &Node, source: &str, errors: Vec<ExpressionError>, place: Place<'_>) {
        for error in errors {
            self.expression_error(node, source, explained(error, source, place));
        }
    }

    fn expression_error(&mut self, node: &Node, source: &str, error: ExpressionError) {
        let ExpressionError { range, message, help } = error;
        let value = match &node.value {
            Value::Text(text) => text.as_str(),
            _ => source,
        };
        let raw = self.text.get(node.place.clone()).unwrap_or_default();
        let exact = part_of_scalar(raw, node.place.start, value, &range);
        let within = exact.is_none().then(|| (source.to_owned(), range));
        let place = exact.unwrap_or(node.place.start..node.place.start);
        self.mistakes.push(Mistake { place, message, help, within });
    }
}

/// A feature that exists, but not here, is not just unknown.
fn explained(error: ExpressionError, source: &str, place: Place<'_>) -> ExpressionError {
    let name = source.get(error.range.clone()).unwrap_or_default();
    let row = Feature::ALL.iter().find(|row| row.name == name && error.message.starts_with("unknown name"));
    match row.and_then(|row| place.barrier(row)) {
        Some((message, help)) => ExpressionError { message, help: Some(help), ..error },
        None => error,
    }
}
