//! Health score, its contributions and history, and the journey stage.

use crate::customer::{Customer, Packed, PackedReader, PackedWriter};
use crate::feature::FeatureSet;
use crate::rule_set::RuleSet;
use crate::settings::{HealthProfile, Settings};
use crate::time::{Day, Time};
use crate::view::View;

/// Days of health remembered: today and 28 before.
const HISTORY_DAYS: usize = 29;

/// No health on that day.
const ABSENT: u8 = u8::MAX;

/// Derived health of a customer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Health {
    /// The score, 0 to 100, rounded to a tenth.
    pub score: Option<f32>,
    /// The journey stage, an index into `feature::STAGES`.
    pub stage: u8,
    history: History,
    components: ComponentCache,
}

/// The scores of the components when they were last looked at, under a rule set. No part of the state: they follow from it.
#[derive(Clone, Debug, Default)]
pub struct ComponentCache {
    rule_set: u32,
    scores: Vec<Option<f64>>,
}

impl PartialEq for ComponentCache {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl ComponentCache {
    /// Looks again at the components that read one of these features; at all of them after a change of rules.
    fn refresh(&mut self, view: &View<'_>, rule_set: u32, profile: &HealthProfile, dirty: FeatureSet) {
        let is_new = self.rule_set != rule_set || self.scores.len() != profile.components.len();
        if is_new {
            self.rule_set = rule_set;
            self.scores = vec![None; profile.components.len()];
        }
        for (component, score) in profile.components.iter().zip(&mut self.scores) {
            if is_new || component.inputs.iter().any(|(feature, _)| dirty.contains(*feature)) {
                *score = component_score(view, &component.inputs);
            }
        }
    }
}

/// Whole-number health at the end of each of the last days.
#[derive(Clone, Debug, PartialEq)]
struct History {
    newest: Day,
    version: u32,
    scores: [u8; HISTORY_DAYS],
}

impl Default for History {
    fn default() -> Self {
        Self { newest: Day(0), version: 0, scores: [ABSENT; HISTORY_DAYS] }
    }
}

impl Health {
    /// Sets today's score under a version of the profile.
    pub fn set(&mut self, today: Day, version: u32, score: Option<f64>) {
        self.score = score.map(|score| (score * 10.0).round() as f32 / 10.0);
        if self.history.version != version {
            self.history = History { version, ..History::default() };
        }
        let ahead = usize::try_from(i64::from(today.0) - i64::from(self.history.newest.0)).unwrap_or(0).min(HISTORY_DAYS);
        if ahead > 0 {
            // Health between two evaluations is that of the first: the days jumped over get the score known then.
            let known = self.history.scores[0];
            self.history.scores.copy_within(..HISTORY_DAYS - ahead, ahead);
            self.history.scores[..ahead].fill(if self.history.newest == Day(0) { ABSENT } else { known });
            self.history.newest = today;
        }
        self.history.scores[0] = score.map_or(ABSENT, |score| score.round() as u8);
    }

    /// Health now minus health 28 days ago.
    #[must_use]
    pub fn change_28d(&self, today: Day) -> Option<f64> {
        let index = usize::try_from(28 - (i64::from(today.0) - i64::from(self.history.newest.0))).ok()?;
        let then = *self.history.scores.get(index).filter(|score| **score != ABSENT)?;
        Some(f64::from(self.score?) - f64::from(then))
    }

    /// The grade, an index into `feature::GRADES`.
    #[must_use]
    pub fn grade(&self, profile: &HealthProfile) -> Option<u8> {
        let score = f64::from(self.score?);
        Some(if score < profile.amber_from { 0 } else { u8::from(score >= profile.green_from) + 1 })
    }

    /// Whether midnight can change nothing here.
    #[must_use]
    pub fn is_quiet(&self, today: Day) -> bool {
        today.0 - self.history.newest.0 > HISTORY_DAYS as i32
            || self.history.scores[1..].iter().all(|score| *score == self.history.scores[0])
    }
}

/// A component's part in a health score.
#[derive(Clone, Debug, PartialEq)]
pub struct Contribution {
    /// The component, or a veto.
    pub name: String,
    /// Its own score, 0 to 100; for a veto the cap.
    pub score: f64,
    /// Its share of the weight, 0 to 1; 0 for a veto.
    pub share: f64,
}

/// The score of a customer under a rule set: the weighted mean of components that have data, capped by vetoes; `None` without any data.
/// Only the components that read one of the `dirty` features are computed anew.
pub(crate) fn score(customer: &mut Customer, rules: &RuleSet, now: Time, dirty: FeatureSet) -> Option<f64> {
    let profile = &rules.settings.health;
    let mut components = std::mem::take(&mut customer.health.components);
    let view = View::new(customer, &rules.settings, now);
    components.refresh(&view, rules.number, profile, dirty);
    let (mut sum, mut weights) = (0.0, 0.0);
    for (component, score) in profile.components.iter().zip(&components.scores) {
        if let Some(score) = score {
            sum += component.weight * score;
            weights += component.weight;
        }
    }
    let cap = profile.vetoes.iter().filter(|veto| veto.when.is_true(&|feature| view.value(feature))).map(|veto| veto.cap);
    let score = (weights > 0.0).then(|| cap.fold(sum / weights, f64::min));
    customer.health.components = components;
    score
}

/// How a score came about.
#[must_use]
pub fn contributions(customer: &Customer, settings: &Settings) -> Vec<Contribution> {
    let view = View::new(customer, settings, customer.clock);
    let scored = settings.health.components.iter();
    let scored: Vec<_> = scored.filter_map(|component| Some((component, component_score(&view, &component.inputs)?))).collect();
    let weights: f64 = scored.iter().map(|(component, _)| component.weight).sum();
    let parts = scored.iter().map(|(component, score)| (&component.name, *score, component.weight / weights));
    let vetoes = settings.health.vetoes.iter().filter(|veto| veto.when.is_true(&|feature| view.value(feature)));
    parts
        .chain(vetoes.map(|veto| (&veto.name, veto.cap, 0.0)))
        .map(|(name, score, share)| Contribution { name: name.clone(), score, share })
        .collect()
}

fn component_score(view: &View<'_>, inputs: &[(crate::feature::Feature, Vec<(f64, f64)>)]) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0.0);
    for (feature, points) in inputs {
        let value = view.value(*feature as u16);
        if !value.is_nan() {
            sum += interpolate(points, value);
            count += 1.0;
        }
    }
    (count > 0.0).then(|| sum / count)
}

/// The value of a piecewise-linear map given by ascending points; constant beyond its ends.
fn interpolate(points: &[(f64, f64)], x: f64) -> f64 {
    let above = points.partition_point(|(known, _)| *known <= x);
    match (above.checked_sub(1).and_then(|index| points.get(index)), points.get(above)) {
        (Some((x0, y0)), Some((x1, y1))) => y0 + (y1 - y0) * (x - x0) / (x1 - x0),
        (Some((_, y)), None) | (None, Some((_, y))) => *y,
        (None, None) => 0.0,
    }
}

impl Packed for Health {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.put(self.score.map_or(0, |score| (score * 10.0).round() as u64 + 1));
        writer.bytes.push(self.stage);
        writer.put_day(self.history.newest);
        writer.put(u64::from(self.history.version));
        // Health seldom moves: runs of equal days.
        let runs = || self.history.scores.chunk_by(|a, b| a == b);
        writer.put(runs().count() as u64);
        runs().for_each(|run| writer.bytes.extend_from_slice(&[run.len() as u8, run[0]]));
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        let score = reader.take()?.checked_sub(1).map(|tenths| tenths as f32 / 10.0);
        let stage = reader.take_byte()?;
        let (newest, version) = (reader.take_day()?, reader.take_u32()?);
        let mut scores = Vec::with_capacity(HISTORY_DAYS);
        for _ in 0..reader.take()? {
            let [length, score] = reader.take_array()?;
            scores.resize(scores.len() + usize::from(length), score);
        }
        Some(Self {
            score,
            stage,
            history: History { newest, version, scores: scores.try_into().ok()? },
            components: ComponentCache::default(),
        })
    }
}
