//! From health to a probability: a logistic curve, fitted on earlier months and tested on later ones.

use std::collections::{BTreeMap, BTreeSet};

use super::health::Observation;
use super::population::MIN_CHURNS;
use crate::months::{name_of, start_of};
use crate::report::{Calibration, ReliabilityBin};

const METHOD: &str = "logistic regression on the health score, fitted by maximum likelihood on months whose churn window ends \
    before the first month that is tested";

/// Newton's method needs a dozen steps; more mean that there is no maximum.
const MAX_STEPS: usize = 60;

/// A curve, and the first month that it is tested on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Curve {
    test_from: i32,
    intercept: f64,
    slope: f64,
}

impl Curve {
    /// The Brier score on those of some observations that are tested; none where none is.
    pub fn brier<'r>(&self, rows: impl Iterator<Item = &'r Observation>) -> Option<f64> {
        let mut tested = rows.filter(|row| row.month >= self.test_from).peekable();
        tested.peek()?;
        Some(brier(tested.map(|row| (probability(self.intercept, self.slope, health(row)), row.is_positive()))))
    }
}

/// The curve, and how it came about; none with too few churns on either side of every split.
pub(super) fn calibrate(rows: &[Observation], horizon_ms: i64) -> Option<(Curve, Calibration)> {
    let (test_from, train, test) = split(rows, horizon_ms)?;
    let points: Vec<(f64, bool)> = train.iter().map(|row| (health(row), row.is_positive())).collect();
    let (intercept, slope) = fit(&points)?;
    let mut predicted: Vec<(f64, bool)> = test.iter().map(|row| (probability(intercept, slope, health(row)), row.is_positive())).collect();
    predicted.sort_by(|left, right| left.0.total_cmp(&right.0));
    let prevalence = points.iter().filter(|(_, positive)| *positive).count() as f64 / points.len() as f64;
    let calibration = Calibration {
        method: METHOD.to_owned(),
        intercept,
        slope,
        trained_on: train.len() as u64,
        test_from: name_of(test_from),
        tested_on: test.len() as u64,
        tested_positives: test.iter().filter(|row| row.is_positive()).count() as u64,
        brier_of_prevalence: brier(predicted.iter().map(|(_, positive)| (prevalence, *positive))),
        reliability: reliability(&predicted),
    };
    Some((Curve { test_from, intercept, slope }, calibration))
}

/// The first month to test, chosen so that the side with fewer churns has as many as possible, and both sides.
fn split(rows: &[Observation], horizon_ms: i64) -> Option<(i32, Vec<&Observation>, Vec<&Observation>)> {
    let mut months = BTreeSet::new();
    // Of each churn the first and the last month before which it is looked for: counted once, it cannot make a few customers look like many.
    let mut churns: BTreeMap<(u32, u8), (i32, i32)> = BTreeMap::new();
    for row in rows {
        months.insert(row.month);
        if row.is_positive() {
            let (first, last) = churns.entry((row.customer, row.churn)).or_insert((row.month, row.month));
            (*first, *last) = ((*first).min(row.month), (*last).max(row.month));
        }
    }
    let is_closed = |month: i32, test_from: i32| start_of(month).plus_ms(horizon_ms) <= start_of(test_from);
    let fewer = |test_from: i32| {
        let before = churns.values().filter(|(first, _)| is_closed(*first, test_from)).count();
        before.min(churns.values().filter(|(_, last)| *last >= test_from).count())
    };
    let test_from = *months.iter().max_by_key(|month| (fewer(**month), std::cmp::Reverse(**month)))?;
    if fewer(test_from) < MIN_CHURNS {
        return None;
    }
    let train = rows.iter().filter(|row| is_closed(row.month, test_from)).collect();
    Some((test_from, train, rows.iter().filter(|row| row.month >= test_from).collect()))
}

fn health(row: &Observation) -> f64 {
    f64::from(row.health_tenths) / 10.0
}

fn probability(intercept: f64, slope: f64, health: f64) -> f64 {
    1.0 / (1.0 + (-(intercept + slope * health)).exp())
}

/// Logistic regression on one number, by Newton's method; none when it does not converge.
fn fit(points: &[(f64, bool)]) -> Option<(f64, f64)> {
    let mean = points.iter().map(|(x, _)| x).sum::<f64>() / points.len() as f64;
    let (mut intercept, mut slope) = (0.0, 0.0);
    for _ in 0..MAX_STEPS {
        let (mut gradient, mut hessian) = ([0.0; 2], [0.0; 3]);
        for (x, positive) in points {
            let x = x - mean;
            let p = probability(intercept, slope, x);
            let (error, weight) = (f64::from(u8::from(*positive)) - p, p * (1.0 - p));
            gradient = [gradient[0] + error, gradient[1] + error * x];
            hessian = [hessian[0] + weight, hessian[1] + weight * x, hessian[2] + weight * x * x];
        }
        let determinant = hessian[0] * hessian[2] - hessian[1] * hessian[1];
        if determinant.abs() < 1e-12 {
            return None;
        }
        let step = [
            (hessian[2] * gradient[0] - hessian[1] * gradient[1]) / determinant,
            (hessian[0] * gradient[1] - hessian[1] * gradient[0]) / determinant,
        ];
        (intercept, slope) = (intercept + step[0], slope + step[1]);
        if step.iter().all(|step| step.abs() < 1e-10) {
            return Some((intercept - slope * mean, slope));
        }
    }
    None
}

fn brier(predicted: impl Iterator<Item = (f64, bool)>) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for (probability, positive) in predicted {
        let error = probability - f64::from(u8::from(positive));
        sum += error * error;
        count += 1.0;
    }
    sum / count
}

/// Ten bins of equally many observations, by ascending probability.
fn reliability(ascending: &[(f64, bool)]) -> Vec<ReliabilityBin> {
    let bin = |rows: &[(f64, bool)]| ReliabilityBin {
        observations: rows.len() as u64,
        predicted: rows.iter().map(|(probability, _)| probability).sum::<f64>() / rows.len() as f64,
        observed: rows.iter().filter(|(_, positive)| *positive).count() as f64 / rows.len() as f64,
    };
    ascending.chunks(ascending.len().div_ceil(10).max(1)).map(bin).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_is_found_again() {
        // Observations in the very proportions of a curve have that curve as their maximum of likelihood.
        let mut points = Vec::new();
        for x in [10.0, 30.0, 50.0, 70.0, 90.0] {
            let positives = (probability(1.0, -0.05, x) * 10_000.0).round() as usize;
            points.extend((0..10_000).map(|number| (x, number < positives)));
        }
        let (intercept, slope) = fit(&points).expect("it converges");
        assert!((intercept - 1.0).abs() < 0.01 && (slope + 0.05).abs() < 0.001, "{intercept} {slope}");
    }

    #[test]
    fn what_cannot_be_fitted_is_not() {
        assert_eq!(fit(&[(1.0, true), (2.0, false)]), None);
        assert_eq!(fit(&[(1.0, true), (1.0, false)]), None);
    }
}
