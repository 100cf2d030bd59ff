//! Health profiles: how health is made of features, by kind of customer.

use crate::customer::{Customer, name_hash};
use crate::expression::Expression;
use crate::feature::FeatureSet;
use crate::view::View;

/// The most profiles that a rule set may have.
pub const MAX_HEALTH_PROFILES: usize = 16;

/// Which half of the quadrant a component belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// How it is to be a customer.
    Experience,
    /// What a customer gets out of it.
    Outcome,
}

/// All profiles. The first that is for a customer is its own.
#[derive(Clone, Debug)]
pub struct HealthProfiles {
    /// At least one; the last is for every customer that no other is for.
    profiles: Vec<HealthProfile>,
    /// Every feature that a score or the choice of a profile reads.
    pub features: FeatureSet,
}

impl Default for HealthProfiles {
    fn default() -> Self {
        Self::new(Vec::new(), HealthProfile::default())
    }
}

impl HealthProfiles {
    /// The profile of every customer that no other is for.
    #[must_use]
    pub fn for_others(&self) -> &HealthProfile {
        &self.profiles[self.profiles.len() - 1]
    }

    /// Profiles for some customers, at most [`MAX_HEALTH_PROFILES`] with the one for the others.
    #[must_use]
    pub fn new(mut profiles: Vec<HealthProfile>, for_others: HealthProfile) -> Self {
        profiles.push(for_others);
        let mut bits = 0;
        for profile in &profiles {
            bits |= profile.when.as_ref().map_or(0, Expression::features);
            profile.vetoes.iter().for_each(|veto| bits |= veto.when.features());
            let inputs = profile.components.iter().flat_map(|component| &component.inputs);
            inputs.for_each(|(feature, _)| bits |= 1_u128 << feature);
        }
        Self { profiles, features: FeatureSet(bits) }
    }

    /// Every profile, in the order in which they are looked at.
    #[must_use]
    pub fn all(&self) -> &[HealthProfile] {
        &self.profiles
    }

    /// A profile by its index.
    #[must_use]
    pub fn get(&self, index: u8) -> &HealthProfile {
        self.profiles.get(usize::from(index)).unwrap_or(&self.profiles[self.profiles.len() - 1])
    }

    /// The index of the profile of a customer.
    pub(crate) fn choose(&self, customer: &Customer, view: &View<'_>) -> u8 {
        let others = self.profiles.len() - 1;
        if others == 0 {
            return 0;
        }
        let segment = customer.account.segment.get().map(|segment| &**segment);
        let is_for = |profile: &HealthProfile| {
            let in_segment = profile.segments.is_empty() || profile.segments.iter().any(|known| Some(known.as_str()) == segment);
            in_segment && profile.when.as_ref().is_none_or(|when| when.is_true(&|feature| view.value(feature)))
        };
        self.profiles[..others].iter().position(is_for).unwrap_or(others) as u8
    }
}

/// How health is made of features.
#[derive(Clone, Debug, Default)]
pub struct HealthProfile {
    /// Its name; empty for the one of customers that no other is for.
    pub name: String,
    /// A number that changes when the profile does; changes of health are only told within one version.
    pub version: u32,
    /// Market segments that it is for; none: any.
    pub segments: Vec<String>,
    /// And when it is for a customer of them; none: always.
    pub when: Option<Expression>,
    /// The components; the weights need not sum to one.
    pub components: Vec<Component>,
    /// Points of straight lines through which the weighted mean of the components becomes the score; none: it is the score.
    pub scale: Vec<(f64, f64)>,
    /// Conditions that cap the score.
    pub vetoes: Vec<Veto>,
    /// Scores under this are red.
    pub amber_from: f64,
    /// Scores from this on are green.
    pub green_from: f64,
    /// Scores of experience and of outcomes from these on are good.
    pub good_from: [f64; 2],
}

impl HealthProfile {
    /// What tells histories of health apart: a change of health is told within one profile and version only.
    #[must_use]
    pub fn history_key(&self) -> u32 {
        if self.name.is_empty() { self.version } else { name_hash(&self.name) ^ self.version }
    }
}

/// A part of health with its weight.
#[derive(Clone, Debug)]
pub struct Component {
    /// Name in contributions.
    pub name: String,
    /// Weight, over zero; a component without data gives its weight to the others.
    pub weight: f64,
    /// The sub-score that it is also a part of.
    pub axis: Option<Axis>,
    /// The features it is the mean of, by number, each mapped to 0-100 by straight lines between points.
    pub inputs: Vec<(u16, Vec<(f64, f64)>)>,
}

/// A condition that caps health.
#[derive(Clone, Debug)]
pub struct Veto {
    /// Name in contributions.
    pub name: String,
    /// When it holds.
    pub when: Expression,
    /// The score is at most this.
    pub cap: f64,
}
