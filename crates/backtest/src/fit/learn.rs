//! Learning by a split in time: from the rows whose horizon ends before it, judged on those after it.

use bellwether_codec::contract::{Contract, of};
use bellwether_codec::timestamp::format_time;
use bellwether_engine::event::CustomerKey;
use bellwether_engine::feature::Feature;
use bellwether_engine::time::Time;
use schemars::JsonSchema;
use serde::Serialize;

use super::labels::{LabelledRow, Labelling, churns};
use super::model::Model;
use super::quality::Quality;
use crate::evaluate::MIN_CHURNS;
use crate::observe::Observed;

/// With fewer churns after the split the figures are only indicative, and a cross-validation is made beside them.
pub const ENOUGH_CHURNS: usize = 300;

/// Parts of a cross-validation; each customer is in one of them.
const FOLDS: u128 = 5;

/// Health under this is red, as a tenth of the training rows has it.
pub const AMBER_FROM: f64 = 40.0;

/// Health from this on is green, as half of the training rows has it.
pub const GREEN_FROM: f64 = 70.0;

/// Shares of the training rows with less health than this.
const SCALE: [(f64, f64); 4] = [(0.0, 0.0), (0.1, AMBER_FROM), (0.5, GREEN_FROM), (1.0, 100.0)];

/// Points of a scale that are nearer to each other are one.
const MIN_DISTANCE: f64 = 0.001;

/// How to learn.
#[derive(Clone, Debug)]
pub struct LearnOptions<'o> {
    /// Who churns. Its end is that of the log.
    pub labelling: Labelling<'o>,
    /// Learn from what is known at this time.
    pub until: Time,
    /// The features to learn from.
    pub features: Vec<Feature>,
    /// Half of this times the squared weights is added to the log-loss.
    pub ridge: f64,
}

/// Why nothing was learned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LearnError {
    /// Too few churns.
    #[error(
        "the {rows} rows with a horizon that ends by {until} end in {churns} churns, and {MIN_CHURNS} are needed: learn until later, \
         or from a longer log"
    )]
    TooFewChurns {
        /// Churns that they end in.
        churns: usize,
        /// Rows.
        rows: usize,
        /// The split.
        until: String,
    },
    /// The features say nothing.
    #[error("none of the features tells the customers apart: there is nothing to learn from them")]
    NothingToLearn,
}

/// The model as a contract.
pub const CONTRACT: Contract = Contract { name: "fit", title: "A risk model that was learned, with its figures", describe: of::<Learned> };

/// A model with how good it is.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "LearnedModel")]
pub struct Learned {
    /// Learned from what was known then.
    #[schemars(extend("format" = "date-time"))]
    pub until: String,
    /// A churn within so many days is what the model foretells.
    pub horizon_days: f64,
    /// The ridge.
    pub ridge: f64,
    /// The features that it could choose from.
    pub features: Vec<&'static str>,
    /// Straight lines by which the weighted mean of the components becomes health: a tenth of the training rows is to be red, half of them green.
    pub scale: Vec<(f64, f64)>,
    /// On the rows that it was learned from.
    pub training: Quality,
    /// How many churns those rows end in; several rows may end in one.
    pub training_churns: u64,
    /// On rows after the split. Between the two lies the horizon, so that no churn is in both.
    pub test: Quality,
    /// How many churns these rows end in.
    pub test_churns: u64,
    /// Whether too few churns come after the split for more than an indication.
    pub is_indicative: bool,
    /// If so: on the training rows, each part of the customers judged by a model of the others.
    pub cross_validation: Option<Quality>,
    /// The model.
    pub model: Model,
}

/// Learns a model.
///
/// # Errors
///
/// When there are too few churns, or the features say nothing.
pub fn learn(observed: &Observed, options: &LearnOptions<'_>) -> Result<Learned, LearnError> {
    let end = options.labelling.end;
    let until = options.until.min(end);
    // What happens after the split is not known to the training, not even that a notice was withdrawn.
    let training = complete(Labelling { end: until, ..options.labelling }.label(observed));
    if churns(&training) < MIN_CHURNS {
        return Err(LearnError::TooFewChurns { churns: churns(&training), rows: training.len(), until: format_time(options.until) });
    }
    let fit = |rows: &[LabelledRow<'_>]| Model::fit(&options.features, rows, options.ridge);
    let model = fit(&training).ok_or(LearnError::NothingToLearn)?;
    let test = complete(Labelling { from: until.max(options.labelling.from), ..options.labelling }.label(observed));
    let is_indicative = churns(&test) < ENOUGH_CHURNS;
    Ok(Learned {
        until: format_time(until),
        horizon_days: options.labelling.horizon_ms as f64 / bellwether_engine::time::DAY_MS as f64,
        ridge: options.ridge,
        features: options.features.iter().map(|feature| feature.name()).collect(),
        scale: scale(&model, &training),
        training_churns: churns(&training) as u64,
        test_churns: churns(&test) as u64,
        training: Quality::of(&risks(&model, training.iter())),
        test: Quality::of(&risks(&model, test.iter())),
        is_indicative,
        cross_validation: is_indicative.then(|| cross_validate(&training, fit)),
        model,
    })
}

fn complete(mut rows: Vec<LabelledRow<'_>>) -> Vec<LabelledRow<'_>> {
    rows.retain(|row| row.is_complete);
    rows
}

fn risks<'r>(model: &Model, rows: impl Iterator<Item = &'r LabelledRow<'r>>) -> Vec<(f64, bool)> {
    rows.map(|row| (model.risk(row.row), row.churned())).collect()
}

fn cross_validate(rows: &[LabelledRow<'_>], fit: impl Fn(&[LabelledRow<'_>]) -> Option<Model>) -> Quality {
    let mut judged = Vec::with_capacity(rows.len());
    for fold in 0..FOLDS {
        // The rows of a customer are alike: it is either learned from or judged.
        let (held_out, others): (Vec<LabelledRow<'_>>, Vec<LabelledRow<'_>>) =
            rows.iter().partition(|row| CustomerKey::of(row.customer).0 % FOLDS == fold);
        if let Some(model) = fit(&others) {
            judged.extend(risks(&model, held_out.iter()));
        }
    }
    Quality::of(&judged)
}

/// The lines that give the training rows the grades that they are to have.
fn scale(model: &Model, rows: &[LabelledRow<'_>]) -> Vec<(f64, f64)> {
    let mut means: Vec<f64> = rows.iter().map(|row| model.mean_of_components(row.row)).collect();
    means.sort_by(f64::total_cmp);
    let last = means.len() - 1;
    let mut points: Vec<(f64, f64)> = SCALE.iter().map(|(share, health)| (means[(share * last as f64) as usize], *health)).collect();
    // Rows that are all alike have fewer points; two differ, as the model has weights.
    points.dedup_by(|next, before| next.0 - before.0 < MIN_DISTANCE);
    points
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    use super::*;
    use crate::observe::FeatureRow;

    #[test]
    fn a_customer_is_learned_from_or_judged() {
        let row = FeatureRow::new(Time(0), []);
        let customers: Vec<String> = (0..50).map(|number| format!("c-{number}")).collect();
        let of = |customer| LabelledRow { customer, row: &row, churned_at: None, is_complete: true };
        let rows: Vec<LabelledRow<'_>> = customers.iter().flat_map(|customer| [of(customer.as_str()); 3]).collect();
        let learned_from = RefCell::new(Vec::new());
        cross_validate(&rows, |rows| {
            learned_from.borrow_mut().push(rows.iter().map(|row| row.customer.to_owned()).collect::<Vec<_>>());
            None
        });
        let folds = learned_from.into_inner();
        assert_eq!(folds.len() as u128, FOLDS);
        let mut judged = Vec::new();
        for fold in &folds {
            let known: BTreeSet<&String> = fold.iter().collect();
            assert_eq!(fold.len(), 3 * known.len(), "all rows of a customer are on one side");
            judged.extend(customers.iter().filter(|customer| !known.contains(customer)));
        }
        judged.sort();
        let mut all: Vec<&String> = customers.iter().collect();
        all.sort();
        assert_eq!(judged, all, "each is judged once");
    }
}
