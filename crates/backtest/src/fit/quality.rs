//! How good predictions are.

use schemars::JsonSchema;
use serde::Serialize;

/// How a model does on rows that it has not seen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "ModelQuality")]
pub struct Quality {
    /// Rows.
    pub rows: u64,
    /// Rows that end in a churn.
    pub churns: u64,
    /// The chance that one that churns is given more risk than one that does not; ties count half.
    pub auc: Option<f64>,
    /// Mean squared difference of risk and outcome.
    pub brier: Option<f64>,
    /// The same if everybody is given the share of churns.
    pub brier_of_prevalence: Option<f64>,
}

impl Quality {
    /// Judges risks, each with what happened.
    #[must_use]
    pub fn of(risks: &[(f64, bool)]) -> Self {
        let rows = risks.len() as f64;
        let churns = risks.iter().filter(|(_, churned)| *churned).count();
        let squared: f64 = risks.iter().map(|(risk, churned)| (risk - f64::from(u8::from(*churned))).powi(2)).sum();
        let prevalence = churns as f64 / rows;
        Self {
            rows: risks.len() as u64,
            churns: churns as u64,
            auc: auc(risks),
            brier: (rows > 0.0).then_some(squared / rows),
            brier_of_prevalence: (rows > 0.0).then_some(prevalence * (1.0 - prevalence)),
        }
    }
}

/// The area under the ROC curve, from the ranks of those that churned; ties count half. None without both kinds.
#[must_use]
pub fn auc(risks: &[(f64, bool)]) -> Option<f64> {
    let mut sorted = risks.to_vec();
    sorted.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (mut below, mut wins, mut positives) = (0.0, 0.0, 0.0);
    for equal in sorted.chunk_by(|one, other| one.0 == other.0) {
        let churned = equal.iter().filter(|(_, churned)| *churned).count() as f64;
        let stayed = equal.len() as f64 - churned;
        wins += churned * (below + stayed / 2.0);
        below += stayed;
        positives += churned;
    }
    (positives > 0.0 && below > 0.0).then(|| wins / (positives * below))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_those_of_the_textbook() {
        // The example of scikit-learn: labels 0 0 1 1, scores 0.1 0.4 0.35 0.8.
        let risks = [(0.1, false), (0.4, false), (0.35, true), (0.8, true)];
        assert_eq!(auc(&risks), Some(0.75));
        assert_eq!(auc(&[(0.5, true), (0.5, false)]), Some(0.5));
        assert_eq!(auc(&[(0.5, true)]), None);
        let quality = Quality::of(&risks);
        assert!((quality.brier.expect("there are rows") - 0.158_125).abs() < 1e-12);
        assert_eq!((quality.rows, quality.churns, quality.brier_of_prevalence), (4, 2, Some(0.25)));
    }
}
