//! Logistic regression with a ridge, by Newton's method: no randomness, and rows in a given order give the same weights.

/// Newton steps after which a fit is given up; a handful is usual.
const MAX_STEPS: usize = 100;

/// A fit is done when no weight moves by more.
const TOLERANCE: f64 = 1e-9;

/// Halvings of a step that makes things worse.
const MAX_HALVINGS: usize = 40;

/// Rows of as many numbers each, one after the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    /// Numbers of a row, at least one.
    pub columns: usize,
    /// The rows.
    pub values: Vec<f64>,
}

/// Weights that were found.
#[derive(Clone, Debug, PartialEq)]
pub struct Logistic {
    /// Log-odds where every input is zero.
    pub intercept: f64,
    /// Log-odds for one unit of each input.
    pub weights: Vec<f64>,
}

impl Matrix {
    /// The rows.
    pub fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.columns)
    }
}

/// The weights that minimise the log-loss plus half of `ridge` times the sum of the squared weights, that of the intercept left out: what
/// scikit-learn's `LogisticRegression` finds with an L2 penalty and `C = 1 / ridge`. `None` when it does not converge.
///
/// The method is iteratively reweighted least squares: Hastie, Tibshirani and Friedman, *The Elements of Statistical Learning*, 4.4.1.
#[must_use]
pub fn fit(inputs: &Matrix, churned: &[bool], ridge: f64) -> Option<Logistic> {
    let size = inputs.columns + 1;
    let churns = churned.iter().filter(|churned| **churned).count() as f64;
    let stays = churned.len() as f64 - churns;
    if churns <= 0.0 || stays <= 0.0 || ridge <= 0.0 {
        return None;
    }
    // The last weight is the intercept: with the others at zero it is the log-odds of a churn.
    let mut weights = vec![0.0; size];
    weights[size - 1] = (churns / stays).ln();
    let mut loss = loss_of(inputs, churned, ridge, &weights);
    for _ in 0..MAX_STEPS {
        let (gradient, mut hessian) = derivatives(inputs, churned, ridge, &weights);
        let step = solve(&mut hessian, gradient)?;
        let mut scale = 1.0;
        let (next, next_loss) = (0..MAX_HALVINGS).find_map(|_| {
            let next: Vec<f64> = weights.iter().zip(&step).map(|(weight, step)| weight - scale * step).collect();
            scale /= 2.0;
            let next_loss = loss_of(inputs, churned, ridge, &next);
            // Near the minimum rounding alone decides.
            (next_loss <= loss + loss.abs() * 1e-12).then_some((next, next_loss))
        })?;
        let moved = weights.iter().zip(&next).map(|(before, after)| (after - before).abs()).fold(0.0, f64::max);
        (weights, loss) = (next, next_loss);
        if moved <= TOLERANCE {
            let intercept = weights.pop()?;
            return Some(Logistic { intercept, weights });
        }
    }
    None
}

/// The probability that log-odds stand for.
#[must_use]
pub fn probability(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

fn log_odds(row: &[f64], weights: &[f64]) -> f64 {
    // The row is one shorter than the weights, of which the last is the intercept.
    row.iter().zip(weights).map(|(value, weight)| value * weight).sum::<f64>() + weights[row.len()]
}

fn loss_of(inputs: &Matrix, churned: &[bool], ridge: f64, weights: &[f64]) -> f64 {
    let of_row = |(row, churned): (&[f64], &bool)| {
        let log_odds = log_odds(row, weights);
        // ln(1 + e^x), which does not overflow.
        let softplus = log_odds.max(0.0) + (-log_odds.abs()).exp().ln_1p();
        softplus - if *churned { log_odds } else { 0.0 }
    };
    let penalty: f64 = weights[..inputs.columns].iter().map(|weight| weight * weight).sum();
    inputs.rows().zip(churned).map(of_row).sum::<f64>() + ridge * penalty / 2.0
}

/// The gradient, and the lower half of the Hessian, row by row.
fn derivatives(inputs: &Matrix, churned: &[bool], ridge: f64, weights: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let size = weights.len();
    let (mut gradient, mut hessian) = (vec![0.0; size], vec![0.0; size * size]);
    let mut row_and_one = vec![1.0; size];
    for (row, churned) in inputs.rows().zip(churned) {
        let probability = probability(log_odds(row, weights));
        let (error, curvature) = (probability - f64::from(u8::from(*churned)), probability * (1.0 - probability));
        row_and_one[..row.len()].copy_from_slice(row);
        for (i, value) in row_and_one.iter().enumerate() {
            gradient[i] += error * value;
            let scaled = curvature * value;
            hessian[i * size..=i * size + i].iter_mut().zip(&row_and_one).for_each(|(sum, other)| *sum += scaled * other);
        }
    }
    for i in 0..size - 1 {
        gradient[i] += ridge * weights[i];
        hessian[i * size + i] += ridge;
    }
    (gradient, hessian)
}

/// Solves for a positive definite matrix by Cholesky's decomposition, in place; `None` when it is not positive definite.
fn solve(matrix: &mut [f64], mut right: Vec<f64>) -> Option<Vec<f64>> {
    let size = right.len();
    for i in 0..size {
        for j in 0..=i {
            let dot: f64 = (0..j).map(|k| matrix[i * size + k] * matrix[j * size + k]).sum();
            let rest = matrix[i * size + j] - dot;
            matrix[i * size + j] = if i == j { Some(rest.sqrt()).filter(|root| *root > 0.0)? } else { rest / matrix[j * size + j] };
        }
        let dot: f64 = (0..i).map(|k| matrix[i * size + k] * right[k]).sum();
        right[i] = (right[i] - dot) / matrix[i * size + i];
    }
    for i in (0..size).rev() {
        let dot: f64 = (i + 1..size).map(|k| matrix[k * size + i] * right[k]).sum();
        right[i] = (right[i] - dot) / matrix[i * size + i];
    }
    Some(right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gradient_is_zero_at_the_weights_found() {
        let values = vec![0.5, 1.0, -1.0, 0.3, 2.0, -0.7, 0.1, 0.9, -1.5, -0.2, 1.2, 0.4];
        let churned = [true, false, true, false, false, true];
        let inputs = Matrix { columns: 2, values };
        let found = fit(&inputs, &churned, 0.5).expect("it converges");
        let weights = [&found.weights[..], &[found.intercept]].concat();
        let (gradient, _) = derivatives(&inputs, &churned, 0.5, &weights);
        assert!(gradient.iter().all(|slope| slope.abs() < 1e-9), "{gradient:?}");
        assert_eq!(fit(&inputs, &churned, 0.5), Some(found));
    }

    #[test]
    fn a_ridge_holds_where_the_data_would_not() {
        // Separable, and the second column is the first: without a ridge there is no minimum.
        let inputs = Matrix { columns: 2, values: vec![1.0, 1.0, 2.0, 2.0, -1.0, -1.0, -2.0, -2.0] };
        let found = fit(&inputs, &[true, true, false, false], 1.0).expect("it converges");
        assert!((found.weights[0] - found.weights[1]).abs() < 1e-9 && found.weights[0] > 0.1, "{found:?}");
        assert_eq!(fit(&inputs, &[true; 4], 1.0), None, "nobody stays");
        assert_eq!(fit(&inputs, &[true, false, true, false], 0.0), None, "no ridge");
    }
}
