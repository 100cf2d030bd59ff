//! A seeded stream of chances, the same on every machine: integers and + - * / only, nothing that a library may change its mind about.

use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

/// Above this mean a count is drawn in parts, so that the chance of zero stays far from the smallest float.
const LARGEST_MEAN: f64 = 16.0;

/// One stream of chances. Streams of different numbers under one seed are independent of each other.
pub struct Random(ChaCha8Rng);

impl Random {
    /// The stream of that number under that seed.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&stream.to_le_bytes());
        Self(ChaCha8Rng::from_seed(key))
    }

    /// A number from 0 up to, but without, 1.
    pub fn fraction(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True with that probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.fraction() < probability
    }

    /// A whole number from `low` to `high`, both included; `low` when the range is empty.
    pub fn between(&mut self, low: i32, high: i32) -> i32 {
        let width = (i64::from(high) - i64::from(low) + 1).max(1) as u64;
        (i64::from(low) + ((u128::from(self.0.next_u64()) * u128::from(width)) >> 64) as i64) as i32
    }

    /// A whole number of seconds from `low` to `high`, both included.
    pub fn seconds(&mut self, low: i64, high: i64) -> i64 {
        low + (self.fraction() * (high - low + 1) as f64) as i64
    }

    /// A number between `low` and `high`.
    pub fn range(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.fraction()
    }

    /// One of them, each as likely. There must be at least one.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.between(0, from.len() as i32 - 1) as usize]
    }

    /// One of them, by weight. At least one weight must be positive.
    pub fn pick_weighted<T: Copy>(&mut self, from: &[(T, u32)]) -> T {
        let total: u32 = from.iter().map(|(_, weight)| weight).sum();
        assert!(total > 0, "nothing to pick from");
        let mut left = self.between(0, total as i32 - 1) as u32;
        for (item, weight) in from {
            if left < *weight {
                return *item;
            }
            left -= weight;
        }
        unreachable!("the draw is below the sum of the weights")
    }

    /// A draw from the gamma distribution of shape 4 and mean 1, from a table of its quantiles, between which it is even: half of the draws
    /// lie between 0.63 and 1.28, all between 0.13 and 3.05.
    pub fn gamma(&mut self) -> f64 {
        const QUANTILES: [f64; 21] = [
            0.13, 0.341, 0.436, 0.51, 0.574, 0.634, 0.691, 0.747, 0.803, 0.859, 0.917, 0.979, 1.043, 1.113, 1.19, 1.277, 1.379, 1.504,
            1.671, 1.94, 3.049,
        ];
        let place = self.fraction() * 20.0;
        let index = (place as usize).min(19);
        QUANTILES[index] + (QUANTILES[index + 1] - QUANTILES[index]) * (place - index as f64)
    }

    /// How often something happens that happens `mean` times on average (a Poisson draw).
    pub fn count(&mut self, mean: f64) -> u32 {
        if mean > LARGEST_MEAN {
            return self.count(mean / 2.0) + self.count(mean / 2.0);
        }
        let mean = mean.max(0.0);
        let draw = self.fraction();
        let mut term = exponential_of_minus(mean);
        let (mut sum, mut count) = (term, 0);
        // The terms rise up to the mean and then fall; behind it, a tiny one ends the search: rounding keeps the sum from reaching 1.
        while draw >= sum && (f64::from(count) < mean || term > 1e-15) {
            count += 1;
            term *= mean / f64::from(count);
            sum += term;
        }
        count
    }
}

/// e to the power of -x for small x: four terms of the series at x/4096, squared twelve times. `exp` itself differs in the last bit
/// between machines.
fn exponential_of_minus(x: f64) -> f64 {
    let small = x / 4096.0;
    let mut power = 1.0 - small * (1.0 - small / 2.0 * (1.0 - small / 3.0));
    for _ in 0..12 {
        power *= power;
    }
    power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_the_mean_and_the_variance_of_poisson_and_no_outliers() {
        let mut random = Random::new(1, 1);
        for mean in [0.02, 0.4, 3.0, 15.0, 40.0] {
            let draws: Vec<f64> = (0..100_000).map(|_| f64::from(random.count(mean))).collect();
            let average = draws.iter().sum::<f64>() / draws.len() as f64;
            let variance = draws.iter().map(|draw| (draw - average) * (draw - average)).sum::<f64>() / draws.len() as f64;
            assert!((average / mean - 1.0).abs() < 0.08, "{average} for {mean}");
            assert!((variance / mean - 1.0).abs() < 0.08, "{variance} for {mean}");
            assert!(draws.iter().all(|draw| *draw < mean + 8.0 * mean.sqrt() + 6.0));
        }
    }

    #[test]
    fn whole_numbers_reach_both_ends_and_no_further() {
        let mut random = Random::new(1, 2);
        let draws: Vec<i32> = (0..1_000).map(|_| random.between(-2, 3)).collect();
        assert_eq!((draws.iter().min(), draws.iter().max()), (Some(&-2), Some(&3)));
        assert_eq!(random.between(5, 1), 5);
    }

    #[test]
    fn streams_differ_and_repeat() {
        let draw = |seed, stream| Random::new(seed, stream).fraction();
        assert_eq!(draw(1, 1), draw(1, 1));
        assert_ne!(draw(1, 1), draw(1, 2));
        assert_ne!(draw(1, 1), draw(2, 1));
    }
}
