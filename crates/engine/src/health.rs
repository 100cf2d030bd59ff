//! Health score, its contributions and history, and the journey stage.

use crate::customer::{Customer, Packed, PackedReader, PackedWriter};
use crate::feature::{FeatureSet, QUADRANTS};
use crate::health_profile::{Axis, HealthProfile, HealthProfiles};
use crate::rule_set::RuleSet;
use crate::settings::Settings;
use crate::time::{Day, Time};
use crate::view::View;

/// Days of health remembered: today and 28 before.
const HISTORY_DAYS: usize = 29;

/// A change of health by so many points within 28 days is a direction.
pub const TREND_POINTS: f64 = 5.0;

/// No health on that day.
const ABSENT: u8 = u8::MAX;

/// Derived health of a customer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Health {
    /// The score, 0 to 100, rounded to a tenth.
    pub score: Option<f32>,
    /// Weighted mean of the components of the experience, rounded likewise.
    pub experience: Option<f32>,
    /// The same of the outcomes.
    pub outcome: Option<f32>,
    /// What the two come to, an index into `feature::QUADRANTS`.
    pub quadrant: Option<u8>,
    /// The profile they were made by, an index into the health profiles of the settings.
    pub profile: u8,
    /// The journey stage, an index into the stages of the settings.
    pub stage: u8,
    history: History,
    components: ComponentCache,
}

/// The scores of the components when they were last looked at, under a rule set. No part of the state: they follow from it.
#[derive(Clone, Debug, Default)]
pub struct ComponentCache {
    rule_set: u32,
    profile: u8,
    scores: Vec<Option<f64>>,
}

impl PartialEq for ComponentCache {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl ComponentCache {
    /// Looks again at the components that read one of these features; at all of them after a change of rules.
    fn refresh(&mut self, view: &View<'_>, (rule_set, index): (u32, u8), profile: &HealthProfile, dirty: FeatureSet) {
        let is_new = (self.rule_set, self.profile) != (rule_set, index) || self.scores.len() != profile.components.len();
        if is_new {
            (self.rule_set, self.profile) = (rule_set, index);
            self.scores = vec![None; profile.components.len()];
        }
        for (component, score) in profile.components.iter().zip(&mut self.scores) {
            if is_new || component.inputs.iter().any(|(feature, _)| dirty.has_number(*feature)) {
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
    /// Sets today's scores by a profile. Returns whether any of them is another than before.
    pub(crate) fn set(&mut self, today: Day, index: u8, profile: &HealthProfile, scores: &Scores) -> bool {
        let told = |health: &Self| (health.score, health.experience, health.outcome, health.quadrant, health.profile);
        let before = told(self);
        let tenths = |score: Option<f64>| score.map(|score| (score * 10.0).round() as f32 / 10.0);
        self.score = tenths(scores.health);
        (self.experience, self.outcome) = (tenths(scores.experience), tenths(scores.outcome));
        self.quadrant = scores.quadrant(profile.good_from);
        self.profile = index;
        self.remember(today, profile.history_key(), scores.health);
        before != told(self)
    }

    fn remember(&mut self, today: Day, version: u32, score: Option<f64>) {
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

    /// Where it is going: `rising` or `falling` by [`TREND_POINTS`] or more within 28 days, else `steady`.
    #[must_use]
    pub fn trend(&self, today: Day) -> Option<&'static str> {
        let change = self.change_28d(today)?;
        Some(if change >= TREND_POINTS {
            "rising"
        } else if change <= -TREND_POINTS {
            "falling"
        } else {
            "steady"
        })
    }

    /// Name and version of the profile that it was made by; the name is empty for customers that no other profile is for.
    #[must_use]
    pub fn profile_of(&self, profiles: &HealthProfiles) -> (Box<str>, u32) {
        let profile = profiles.get(self.profile);
        (profile.name.as_str().into(), profile.version)
    }

    /// The grade, an index into `feature::GRADES`.
    #[must_use]
    pub fn grade(&self, profiles: &HealthProfiles) -> Option<u8> {
        let profile = profiles.get(self.profile);
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

/// The component that pulls the score down most, or the veto that caps it; none where nothing does.
#[must_use]
pub fn top_driver(contributions: &[Contribution]) -> Option<&str> {
    let (components, vetoes): (Vec<_>, Vec<_>) = contributions.iter().partition(|part| part.share > 0.0);
    let mean: f64 = components.iter().map(|part| part.share * part.score).sum();
    let cap = vetoes.iter().min_by(|one, other| one.score.total_cmp(&other.score)).filter(|veto| veto.score < mean);
    let lost = |part: &Contribution| part.share * (100.0 - part.score);
    let worst = components.iter().max_by(|one, other| lost(one).total_cmp(&lost(other))).filter(|part| lost(part) > 0.0);
    cap.or(worst).map(|part| part.name.as_str())
}

/// Scores as they are computed.
pub(crate) struct Scores {
    health: Option<f64>,
    experience: Option<f64>,
    outcome: Option<f64>,
}

impl Scores {
    fn quadrant(&self, [experience_from, outcome_from]: [f64; 2]) -> Option<u8> {
        Some(u8::from(self.experience? >= experience_from) | u8::from(self.outcome? >= outcome_from) << 1)
    }
}

/// The scores of a customer under a rule set: weighted means of components that have data, that of all capped by vetoes; `None` without any
/// data. Only the components that read one of the `dirty` features are computed anew.
pub(crate) fn score(customer: &mut Customer, rules: &RuleSet, now: Time, dirty: FeatureSet) -> (u8, Scores) {
    let profiles = &rules.settings.health;
    let mut components = std::mem::take(&mut customer.health.components);
    let view = View::new(customer, &rules.settings, now);
    let index = profiles.choose(customer, &view);
    let profile = profiles.get(index);
    components.refresh(&view, (rules.number, index), profile, dirty);
    let mean = |axis: Option<Axis>| {
        let (mut sum, mut weights) = (0.0, 0.0);
        for (component, score) in profile.components.iter().zip(&components.scores) {
            if let Some(score) = score.filter(|_| axis.is_none() || component.axis == axis) {
                sum += component.weight * score;
                weights += component.weight;
            }
        }
        (weights > 0.0).then(|| sum / weights)
    };
    let cap = profile.vetoes.iter().filter(|veto| veto.when.is_true(&|feature| view.value(feature))).map(|veto| veto.cap);
    let scaled = |mean: f64| if profile.scale.is_empty() { mean } else { interpolate(&profile.scale, mean) };
    let health = mean(None).map(|mean| cap.fold(scaled(mean), f64::min));
    let scores = Scores { health, experience: mean(Some(Axis::Experience)), outcome: mean(Some(Axis::Outcome)) };
    customer.health.components = components;
    (index, scores)
}

/// How a score came about.
#[must_use]
pub fn contributions(customer: &Customer, settings: &Settings) -> Vec<Contribution> {
    let view = View::new(customer, settings, customer.clock);
    let profile = settings.health.get(customer.health.profile);
    let scored = profile.components.iter();
    let scored: Vec<_> = scored.filter_map(|component| Some((component, component_score(&view, &component.inputs)?))).collect();
    let weights: f64 = scored.iter().map(|(component, _)| component.weight).sum();
    let parts = scored.iter().map(|(component, score)| (&component.name, *score, component.weight / weights));
    let vetoes = profile.vetoes.iter().filter(|veto| veto.when.is_true(&|feature| view.value(feature)));
    parts
        .chain(vetoes.map(|veto| (&veto.name, veto.cap, 0.0)))
        .map(|(name, score, share)| Contribution { name: name.clone(), score, share })
        .collect()
}

fn component_score(view: &View<'_>, inputs: &[(u16, Vec<(f64, f64)>)]) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0.0);
    for (feature, points) in inputs {
        let value = view.value(*feature);
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
        let mut put = |score: Option<f32>| writer.put(score.map_or(0, |score| (score * 10.0).round() as u64 + 1));
        [self.score, self.experience, self.outcome].into_iter().for_each(&mut put);
        writer.bytes.push(self.profile << 4 | self.quadrant.map_or(0, |quadrant| quadrant + 1));
        writer.bytes.push(self.stage);
        writer.put_day(self.history.newest);
        writer.put(u64::from(self.history.version));
        // Health seldom moves: runs of equal days.
        let runs = || self.history.scores.chunk_by(|a, b| a == b);
        writer.put(runs().count() as u64);
        runs().for_each(|run| writer.bytes.extend_from_slice(&[run.len() as u8, run[0]]));
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        let mut take = || Some(reader.take()?.checked_sub(1).map(|tenths| tenths as f32 / 10.0));
        let (score, experience, outcome) = (take()?, take()?, take()?);
        let place = reader.take_byte()?;
        let (profile, quadrant) = (place >> 4, (place & 15).checked_sub(1));
        if quadrant.is_some_and(|quadrant| usize::from(quadrant) >= QUADRANTS.len()) {
            return None;
        }
        let stage = reader.take_byte()?;
        let (newest, version) = (reader.take_day()?, reader.take_u32()?);
        let mut scores = Vec::with_capacity(HISTORY_DAYS);
        for _ in 0..reader.take()? {
            let [length, score] = reader.take_array()?;
            scores.resize(scores.len() + usize::from(length), score);
        }
        Some(Self {
            score,
            experience,
            outcome,
            quadrant,
            profile,
            stage,
            history: History { newest, version, scores: scores.try_into().ok()? },
            components: ComponentCache::default(),
        })
    }
}
