//! Variants of a rule: the same under another value of one of its params, to try out side by side.

use std::sync::Arc;

use bellwether_engine::expression::nearest;
use bellwether_engine::rule::{Kind, Mode, ObjectKind, Rule, RuleDefinition};

use super::RuleFile;
use super::scopes::{About, Place};

/// Why there is no such variant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VariantError {
    /// No such rule.
    #[error("there is no rule `{rule}`{}", help(.nearest))]
    Rule {
        /// The name asked for.
        rule: String,
        /// One like it.
        nearest: Option<String>,
    },
    /// The rule has no such param.
    #[error("the rule `{rule}` has no param `{param}`{}", help(.nearest))]
    Param {
        /// The rule.
        rule: String,
        /// The name asked for.
        param: String,
        /// One like it.
        nearest: Option<String>,
    },
    /// The rule does not compile under that value.
    #[error("the rule `{rule}` is wrong where `{param}` is {value}: {error}")]
    Value {
        /// The rule.
        rule: String,
        /// The param.
        param: String,
        /// The value.
        value: String,
        /// What is wrong.
        error: String,
    },
}

fn help(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|nearest| format!(": did you mean `{nearest}`?")).unwrap_or_default()
}

impl RuleFile {
    /// The value of a param of a rule.
    ///
    /// # Errors
    ///
    /// When there is no such rule, or it has no such param.
    pub fn param(&self, rule: &str, param: &str) -> Result<f64, VariantError> {
        let definition = self.definition(rule)?;
        let value = definition.params.iter().find(|(known, _)| known == param).map(|(_, value)| *value);
        value.ok_or_else(|| {
            let known = definition.params.iter().map(|(name, _)| name.as_str());
            VariantError::Param { rule: rule.to_owned(), param: param.to_owned(), nearest: nearest(param, known).map(str::to_owned) }
        })
    }

    /// A rule under another value of a param, in shadow mode and with a name of its own.
    ///
    /// # Errors
    ///
    /// When there is no such rule, it has no such param, or does not compile under this value.
    pub fn variant(&self, rule: &str, param: &str, value: f64, name: String) -> Result<Arc<Rule>, VariantError> {
        self.param(rule, param)?;
        let mut definition = self.definition(rule)?.clone();
        for (known, old) in &mut definition.params {
            if known == param {
                *old = value;
            }
        }
        (definition.name, definition.mode) = (name, Mode::Shadow);
        let object = ObjectKind::ALL.iter().find(|(kind, _)| Some(*kind) == definition.object);
        let about = object.map_or(About::Customer, |(_, name)| About::Object(name));
        let place = Place::Rule { at_risk: definition.kind == Kind::AtRisk, about };
        Rule::compile(&definition, &place.symbols(&self.symbols), &self.settings.suppressions).map_err(|errors| VariantError::Value {
            rule: rule.to_owned(),
            param: param.to_owned(),
            value: value.to_string(),
            error: errors.first().map_or_else(String::new, |error| format!("{}: {}", error.field, error.error.message)),
        })
    }

    fn definition(&self, rule: &str) -> Result<&RuleDefinition, VariantError> {
        self.definitions.iter().find(|definition| definition.name == rule).ok_or_else(|| {
            let known = self.definitions.iter().map(|definition| definition.name.as_str());
            VariantError::Rule { rule: rule.to_owned(), nearest: nearest(rule, known).map(str::to_owned) }
        })
    }
}
