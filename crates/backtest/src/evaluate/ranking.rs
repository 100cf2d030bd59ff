//! How well a score ranks: areas under curves, lift and gains, from counts by the tenths of points that scores have.

use crate::report::{Gain, Ranking};

/// Scores are 0 to 1000 tenths.
const SCORES: usize = 1_001;

/// Observations by health, those that churned apart.
#[derive(Clone, Debug)]
pub(super) struct Ranked {
    positives: Vec<f64>,
    negatives: Vec<f64>,
}

impl Default for Ranked {
    fn default() -> Self {
        Self { positives: vec![0.0; SCORES], negatives: vec![0.0; SCORES] }
    }
}

impl Ranked {
    /// Adds an observation that counts so many times.
    pub fn add(&mut self, health_tenths: u16, is_positive: bool, weight: f64) {
        let counts = if is_positive { &mut self.positives } else { &mut self.negatives };
        counts[usize::from(health_tenths).min(SCORES - 1)] += weight;
    }

    pub fn totals(&self) -> (f64, f64) {
        (self.positives.iter().sum(), self.negatives.iter().sum())
    }

    /// The chance that one who churns has lower health than one who does not; ties count half.
    pub fn auc(&self) -> Option<f64> {
        let (positives, negatives) = self.totals();
        let (mut healthier, mut wins) = (negatives, 0.0);
        for (positive, negative) in self.positives.iter().zip(&self.negatives) {
            healthier -= negative;
            wins += positive * (healthier + negative / 2.0);
        }
        (positives > 0.0 && negatives > 0.0).then(|| wins / (positives * negatives))
    }

    /// Average precision: the sum over thresholds of precision times the recall gained.
    pub fn average_precision(&self) -> Option<f64> {
        let (positives, negatives) = self.totals();
        let (mut found, mut looked_at, mut sum) = (0.0, 0.0, 0.0);
        for (positive, negative) in self.positives.iter().zip(&self.negatives) {
            found += positive;
            looked_at += positive + negative;
            if *positive > 0.0 {
                sum += positive * found / looked_at;
            }
        }
        (positives > 0.0 && negatives > 0.0).then(|| sum / positives)
    }

    /// Ten tenths of the observations by ascending health; of equal ones, each tenth has its share.
    pub fn gains(&self) -> Vec<Gain> {
        let (positives, negatives) = self.totals();
        let all = positives + negatives;
        if positives <= 0.0 {
            return Vec::new();
        }
        let mut before = 0.0;
        let gain = |decile: u8| {
            let found = self.positives_among(all * f64::from(decile) / 10.0);
            let lift = (found - before) / positives * 10.0;
            before = found;
            Gain { decile, lift, cumulative_recall: found / positives }
        };
        (1..=10).map(gain).collect()
    }

    /// Churns among so many observations with the lowest health.
    fn positives_among(&self, count: f64) -> f64 {
        let (mut left, mut found) = (count, 0.0);
        for (positive, negative) in self.positives.iter().zip(&self.negatives) {
            let here = positive + negative;
            if here > left {
                return found + positive * left / here;
            }
            left -= here;
            found += positive;
        }
        found
    }

    /// Precision and recall of looking at all under a health, in tenths.
    pub fn under(&self, health_tenths: usize) -> Option<Ranking> {
        let end = health_tenths.min(SCORES);
        let found: f64 = self.positives[..end].iter().sum();
        let looked_at = found + self.negatives[..end].iter().sum::<f64>();
        let (positives, _) = self.totals();
        let health = health_tenths as f64 / 10.0;
        (looked_at > 0.0 && positives > 0.0).then(|| Ranking { health, precision: found / looked_at, recall: found / positives })
    }

    /// The precision-recall curve at whole points of health.
    pub fn curve(&self) -> Vec<Ranking> {
        (0..=100).filter_map(|point| self.under(point * 10 + 1)).map(|one| Ranking { health: one.health - 0.1, ..one }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranked(observations: &[(u16, bool)]) -> Ranked {
        let mut ranked = Ranked::default();
        observations.iter().for_each(|(health, positive)| ranked.add(*health, *positive, 1.0));
        ranked
    }

    #[test]
    fn a_perfect_score_ranks_perfectly_and_a_constant_one_like_chance() {
        let perfect = ranked(&[(100, true), (200, true), (300, false), (400, false)]);
        assert_eq!((perfect.auc(), perfect.average_precision()), (Some(1.0), Some(1.0)));
        let constant = ranked(&[(500, true), (500, false), (500, false), (500, false)]);
        assert_eq!((constant.auc(), constant.average_precision()), (Some(0.5), Some(0.25)));
        assert!(constant.gains().iter().all(|gain| (gain.lift - 1.0).abs() < 1e-12));
    }

    #[test]
    fn areas_are_those_of_the_textbook() {
        // The example of scikit-learn: labels 0 0 1 1, scores 0.1 0.4 0.35 0.8.
        let textbook = ranked(&[(900, false), (600, false), (650, true), (200, true)]);
        assert_eq!(textbook.auc(), Some(0.75));
        assert!((textbook.average_precision().expect("there are both") - 0.833_333).abs() < 1e-6);
        assert_eq!(ranked(&[(1, true)]).auc(), None);
    }
}
