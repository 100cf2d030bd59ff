//! Which features a risk model may read, and why others are refused.

use bellwether_engine::expression::nearest;
use bellwether_engine::feature::{Change, Feature, FeatureInfo, FeatureSet};

use crate::observe::{is_quantity, row_features};

/// What a customer does when it leaves: a model of these says that whoever is leaving leaves.
const LEAVING: FeatureSet = FeatureSet::of(&[
    Feature::CancelSessions7d,
    Feature::CancelSessions28d,
    Feature::DaysSinceCancelView,
    Feature::CancelReasonGiven,
    Feature::CancelRequested,
    Feature::DaysSinceCancelRequest,
    Feature::CancelUnacknowledgedBusinessHours,
    Feature::Subscriptions,
]);

/// What people write down once they have heard that a customer will leave.
const HEARSAY: FeatureSet = FeatureSet::of(&[Feature::RiskNotesOpen]);

/// What health, stages and rules make of other features.
const DERIVED: FeatureSet = FeatureSet::of(&[
    Feature::Health,
    Feature::HealthChange28d,
    Feature::Grade,
    Feature::Stage,
    Feature::AtRisk,
    Feature::OpenAtRisk,
    Feature::DaysSinceAtRisk,
    Feature::DaysInStage,
    Feature::ExperienceScore,
    Feature::OutcomeScore,
    Feature::Quadrant,
]);

/// Why a model cannot be given a feature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// It is not there.
    #[error("there is no feature `{name}` of the customer as a whole{}", .nearest.map(|nearest| format!(": did you mean `{nearest}`?")).unwrap_or_default())]
    Unknown {
        /// What was asked for.
        name: String,
        /// The nearest name.
        nearest: Option<&'static str>,
    },
    /// It is refused.
    #[error("a risk model may not read `{name}`: {reason}")]
    Refused {
        /// The feature.
        name: &'static str,
        /// Why.
        reason: &'static str,
    },
}

/// Why a feature is refused; nothing for those that a model may read.
#[must_use]
pub fn refusal(row: &FeatureInfo) -> Option<&'static str> {
    if LEAVING.contains(row.feature) {
        Some("it is part of the churn itself, and would be a leak")
    } else if HEARSAY.contains(row.feature) {
        Some("people write it down once they know of the churn, and it would be a leak")
    } else if DERIVED.contains(row.feature) {
        Some("it is made of other features by the rule file, which the model is to replace")
    } else if row.feature == Feature::Holiday {
        Some("it says more about the day than about the customer")
    } else if !is_quantity(row) {
        Some("it is a label, no quantity")
    } else if row.change == Change::Clock {
        Some("it runs with time, and health, as which the model is written, cannot use it")
    } else {
        None
    }
}

/// The features to learn from: those of these names, or all that are not refused.
///
/// # Errors
///
/// When a name is unknown or refused.
pub fn inputs(names: &[String]) -> Result<Vec<Feature>, InputError> {
    if names.is_empty() {
        return Ok(row_features().filter(|row| refusal(row).is_none()).map(|row| row.feature).collect());
    }
    let mut features = names.iter().map(|name| input(name)).collect::<Result<Vec<Feature>, InputError>>()?;
    features.sort_unstable();
    features.dedup();
    Ok(features)
}

fn input(name: &str) -> Result<Feature, InputError> {
    let Some(row) = row_features().find(|row| row.name == name) else {
        return Err(InputError::Unknown { name: name.to_owned(), nearest: nearest(name, row_features().map(|row| row.name)) });
    };
    match refusal(row) {
        Some(reason) => Err(InputError::Refused { name: row.name, reason }),
        None => Ok(row.feature),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaks_is_refused_by_name_and_left_out_otherwise() {
        let all = inputs(&[]).expect("nothing is named");
        assert!(all.contains(&Feature::UsageRatio) && all.len() > 30, "{all:?}");
        for name in ["cancel_sessions_28d", "cancel_requested", "subscriptions", "risk_notes_open", "health", "days_since_login", "grade"] {
            let told = inputs(&[name.to_owned()]).expect_err("it is refused");
            assert!(matches!(told, InputError::Refused { name: refused, .. } if refused == name), "{told}");
            assert!(all.iter().all(|feature| feature.name() != name), "{name}");
        }
    }

    #[test]
    fn names_are_looked_for() {
        assert_eq!(inputs(&["nps".to_owned(), "mrr".to_owned(), "nps".to_owned()]), Ok(vec![Feature::Nps, Feature::Mrr]));
        let told = inputs(&["usage_rati".to_owned()]).expect_err("it is misspelt").to_string();
        assert_eq!(told, "there is no feature `usage_rati` of the customer as a whole: did you mean `usage_ratio`?");
        assert!(inputs(&["ticket_urgent".to_owned()]).is_err(), "it is one of a ticket");
    }
}
