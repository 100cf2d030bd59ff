//! Every feature of a customer that is known, with what its value is called: for whoever asks, not for rules.

use std::borrow::Cow;

use crate::expression::ValueType;
use crate::feature::Feature;
use crate::own_feature::FIRST_OWN_FEATURE;
use crate::settings::Settings;
use crate::view::View;

/// A feature with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownFeature {
    /// Its name, as rules have it.
    pub name: Cow<'static, str>,
    /// Its value; of a label its place in the list.
    pub value: f64,
    /// The label, or `true` or `false`.
    pub label: Option<String>,
    /// Its unit; empty for those of the rule file's own.
    pub unit: &'static str,
}

/// The features of the customer as a whole that are known, those of the rule file's own last.
pub fn known_features(view: &View<'_>, settings: &Settings) -> impl Iterator<Item = KnownFeature> {
    let own = (FIRST_OWN_FEATURE..).zip(settings.own.iter()).map(|(feature, _)| feature);
    let all = Feature::ALL.iter().map(|row| row.feature as u16).chain(own);
    all.filter_map(|feature| {
        let value = Some(view.value(feature)).filter(|value| value.is_finite())?;
        let unit = Feature::ALL.get(usize::from(feature)).map_or("", |row| row.unit);
        Some(KnownFeature { name: settings.feature_name(feature), value, label: label(feature, value, settings), unit })
    })
}

/// What a value is called, where it is no quantity.
#[must_use]
pub fn label(feature: u16, value: f64, settings: &Settings) -> Option<String> {
    // A feature of the rule file's own is a number.
    let row = Feature::ALL.get(usize::from(feature))?;
    match row.value_type {
        ValueType::Label(_) if row.feature == Feature::Stage => Some(settings.stage_name(value as u8).to_owned()),
        ValueType::Label(labels) => labels.get(value as usize).map(|label| (*label).to_owned()),
        ValueType::Boolean => Some((value != 0.0).to_string()),
        ValueType::Number => None,
    }
}
