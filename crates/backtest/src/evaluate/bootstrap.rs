//! The bootstrap over customers: how much a figure would vary had other customers come.

use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};
use rayon::prelude::*;

/// How many times customers are drawn, where there are few of them.
const MAX_REPLICATES: usize = 1_000;
/// How many times at least.
const MIN_REPLICATES: usize = 100;
/// Draws of customers over all replicates: with many customers there are fewer replicates, as each varies less.
const MAX_DRAWS: usize = 50_000_000;

/// A figure of customers that each count so many times, and `NaN` where there is none.
pub type Statistic<'s> = Box<dyn Fn(&[u16]) -> f64 + Sync + 's>;

/// The middle 95 % of a figure.
pub type Interval = Option<[f64; 2]>;

/// The interval of each statistic, from the same draws for all, so that differences of them are paired.
#[must_use]
pub fn intervals(customers: usize, seed: u64, statistics: &[Statistic<'_>]) -> Vec<Interval> {
    if customers == 0 || statistics.is_empty() {
        return vec![None; statistics.len()];
    }
    let replicates = (MAX_DRAWS / customers).clamp(MIN_REPLICATES, MAX_REPLICATES);
    let replicate = |number: usize| {
        let weights = draw(customers, seed, number as u64);
        statistics.iter().map(|statistic| statistic(&weights)).collect::<Vec<f64>>()
    };
    let rows: Vec<Vec<f64>> = (0..replicates).into_par_iter().map(replicate).collect();
    let interval = |index: usize| {
        let mut values: Vec<f64> = rows.iter().map(|row| row[index]).filter(|value| !value.is_nan()).collect();
        values.sort_unstable_by(f64::total_cmp);
        // A figure that half of the draws do not have is too uncertain for an interval.
        (values.len() * 2 > replicates).then(|| [quantile(&values, 0.025), quantile(&values, 0.975)])
    };
    (0..statistics.len()).map(interval).collect()
}

/// How often each customer is drawn, with replacement.
fn draw(customers: usize, seed: u64, replicate: u64) -> Vec<u16> {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&replicate.to_le_bytes());
    let mut random = ChaCha8Rng::from_seed(key);
    let mut weights = vec![0_u16; customers];
    for _ in 0..customers {
        let place = (u128::from(random.next_u64()) * customers as u128) >> 64;
        weights[place as usize] = weights[place as usize].saturating_add(1);
    }
    weights
}

/// A quantile of ascending values, with straight lines between them (type 7 of Hyndman and Fan). There must be at least one value.
#[must_use]
pub fn quantile(ascending: &[f64], share: f64) -> f64 {
    let place = share * (ascending.len() - 1) as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    ascending[below] + (ascending[above] - ascending[below]) * (place - place.floor())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_numpy() {
        let values = [1.0, 2.0, 4.0, 8.0];
        assert_eq!([0.0, 0.1, 0.5, 0.9, 1.0].map(|share| quantile(&values, share)), [1.0, 1.3, 3.0, 6.800_000_000_000_001, 8.0]);
        assert_eq!(quantile(&[7.0], 0.1), 7.0);
    }

    #[test]
    fn an_interval_holds_the_mean_and_is_the_same_each_time() {
        let values: Vec<f64> = (0..500).map(|number| f64::from(number % 10)).collect();
        let mean = |weights: &[u16]| {
            let sum: f64 = weights.iter().zip(&values).map(|(weight, value)| f64::from(*weight) * value).sum();
            sum / weights.iter().map(|weight| f64::from(*weight)).sum::<f64>()
        };
        let statistics: Vec<Statistic<'_>> = vec![Box::new(mean), Box::new(|_| f64::NAN)];
        let first = intervals(500, 1, &statistics);
        let [low, high] = first[0].expect("there is one");
        // The standard error of the mean is 2.87 / sqrt(500) = 0.128.
        assert!((4.5 - 1.96 * 0.128 - low).abs() < 0.05 && (4.5 + 1.96 * 0.128 - high).abs() < 0.05, "{low} to {high}");
        assert_eq!(first[1], None);
        assert_eq!(intervals(500, 1, &statistics), first);
        assert_ne!(intervals(500, 2, &statistics), first);
    }
}
