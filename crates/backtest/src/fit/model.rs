//! A risk model: which inputs it reads, how it standardises them, and what each weighs.

use bellwether_engine::feature::Feature;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use super::labels::LabelledRow;
use super::logistic::{Logistic, Matrix, fit, probability};
use crate::observe::FeatureRow;

/// Of the known values of an input, so many at either end are taken to be like the next: outliers must not decide.
const CLIPPED_SHARE: f64 = 0.002;

/// An input that is known in fewer rows is left out.
const MIN_KNOWN_SHARE: f64 = 0.002;

/// An input that weighs less, in log-odds for a standard deviation, is left out: it makes the model longer, not better.
const MIN_WEIGHT: f64 = 0.02;

/// The most inputs that a model has: those that weigh most. Each is a component of health, which every evaluation and every record has to bear.
pub const MAX_INPUTS: usize = 32;

/// One input of a model.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "ModelInput")]
pub struct Input {
    /// The feature.
    #[serde(serialize_with = "name")]
    #[schemars(with = "String")]
    pub feature: Feature,
    /// Lower values count as this.
    pub low: f64,
    /// Higher values count as this.
    pub high: f64,
    /// Mean of the values so clipped; absent ones count as it.
    pub mean: f64,
    /// Their standard deviation.
    pub deviation: f64,
    /// Share of the rows in which it is known.
    pub known_share: f64,
    /// Log-odds of a churn for a standard deviation more.
    pub weight: f64,
}

/// A logistic model of the risk that a customer churns within a horizon.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Model {
    /// Log-odds where every input is at its mean.
    pub intercept: f64,
    /// The inputs, by falling absolute weight.
    pub inputs: Vec<Input>,
}

impl Input {
    /// How a feature is standardised; nothing when it tells the rows not apart.
    fn of(feature: Feature, rows: &[LabelledRow<'_>]) -> Option<Self> {
        let mut values: Vec<f64> = rows.iter().filter_map(|row| row.row.value(feature)).collect();
        let known_share = values.len() as f64 / rows.len() as f64;
        if values.is_empty() || known_share < MIN_KNOWN_SHARE {
            return None;
        }
        values.sort_by(f64::total_cmp);
        let last = values.len() - 1;
        let clipped = (last as f64 * CLIPPED_SHARE) as usize;
        let (mut low, mut high) = (values[clipped], values[last - clipped]);
        // What is rarely another value than usual, as a serious incident, is not to be clipped away.
        if low == high {
            (low, high) = (values[0], values[last]);
        }
        let clip = |value: &f64| value.clamp(low, high);
        let count = values.len() as f64;
        let mean = values.iter().map(clip).sum::<f64>() / count;
        let variance = values.iter().map(|value| (clip(value) - mean).powi(2)).sum::<f64>() / count;
        let deviation = variance.sqrt();
        // Against the rounding of equal numbers.
        (deviation > 1e-9 * mean.abs().max(1e-9)).then_some(Self { feature, low, high, mean, deviation, known_share, weight: 0.0 })
    }

    /// Its standardised value in a row.
    fn standardised(&self, row: &FeatureRow) -> f64 {
        row.value(self.feature).map_or(0.0, |value| (value.clamp(self.low, self.high) - self.mean) / self.deviation)
    }

    /// Log-odds between its lowest and its highest value.
    #[must_use]
    pub fn reach(&self) -> f64 {
        (self.weight * (self.high - self.low) / self.deviation).abs()
    }
}

impl Model {
    /// Fits a model to rows. `None` when nothing can be learned from them: nobody leaves, nobody stays, or no input tells them apart.
    #[must_use]
    pub fn fit(features: &[Feature], rows: &[LabelledRow<'_>], ridge: f64) -> Option<Self> {
        let inputs: Vec<Input> = features.iter().filter_map(|feature| Input::of(*feature, rows)).collect();
        let all = Self::fit_inputs(inputs, rows, ridge)?;
        let heavy: Vec<Input> = all.inputs.iter().filter(|input| input.weight.abs() >= MIN_WEIGHT).take(MAX_INPUTS).cloned().collect();
        if heavy.len() == all.inputs.len() || heavy.is_empty() { Some(all) } else { Self::fit_inputs(heavy, rows, ridge) }
    }

    fn fit_inputs(mut inputs: Vec<Input>, rows: &[LabelledRow<'_>], ridge: f64) -> Option<Self> {
        if inputs.is_empty() {
            return None;
        }
        let values = rows.iter().flat_map(|row| inputs.iter().map(|input| input.standardised(row.row))).collect();
        let churned: Vec<bool> = rows.iter().map(|row| row.churned()).collect();
        let Logistic { intercept, weights } = fit(&Matrix { columns: inputs.len(), values }, &churned, ridge)?;
        inputs.iter_mut().zip(weights).for_each(|(input, weight)| input.weight = weight);
        inputs.sort_by(|one, other| other.weight.abs().total_cmp(&one.weight.abs()));
        Some(Self { intercept, inputs })
    }

    /// The risk in a row, 0 to 1.
    #[must_use]
    pub fn risk(&self, row: &FeatureRow) -> f64 {
        probability(self.intercept + self.inputs.iter().map(|input| input.weight * input.standardised(row)).sum::<f64>())
    }

    /// The weighted mean of the components of this model as a health profile, 0 to 100: log-odds between those of the best customer that the
    /// model can think of and of the worst, the other way round.
    #[must_use]
    pub fn mean_of_components(&self, row: &FeatureRow) -> f64 {
        self.parts().map(|(input, weight)| weight * input.component(row.value(input.feature))).sum::<f64>() / self.total_weight()
    }

    /// Each input with the weight of its component.
    pub fn parts(&self) -> impl Iterator<Item = (&Input, f64)> {
        // A component that may be absent is the mean of its value and of what absent counts as, which halves what it says.
        self.inputs.iter().map(|input| (input, input.reach() * if input.is_always_known() { 1.0 } else { 2.0 }))
    }

    fn total_weight(&self) -> f64 {
        self.parts().map(|(_, weight)| weight).sum()
    }
}

impl Input {
    /// Whether it was known in every row.
    #[must_use]
    pub fn is_always_known(&self) -> bool {
        self.known_share >= 1.0
    }

    /// Its component's score of a value: 100 at the end where the risk is lowest.
    #[must_use]
    pub fn score(&self, value: f64) -> f64 {
        let share = (value.clamp(self.low, self.high) - self.low) / (self.high - self.low);
        100.0 * if self.weight > 0.0 { 1.0 - share } else { share }
    }

    fn component(&self, value: Option<f64>) -> f64 {
        let absent = self.score(self.mean);
        match value {
            Some(value) if self.is_always_known() => self.score(value),
            Some(value) => (self.score(value) + absent) / 2.0,
            None => absent,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
fn name<S: Serializer>(feature: &Feature, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(feature.name())
}
