//! Sets of features, built-in and own, one bit each.

use crate::feature::{Change, Feature};
use crate::own_feature::FIRST_OWN_FEATURE;

/// A set of features, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeatureSet(pub u128);

impl FeatureSet {
    /// No feature.
    pub const EMPTY: FeatureSet = FeatureSet(0);
    /// Every feature.
    pub const ALL: FeatureSet = FeatureSet(u128::MAX);

    /// The set of these features.
    #[must_use]
    pub const fn of(features: &[Feature]) -> FeatureSet {
        let mut bits = 0;
        let mut index = 0;
        while index < features.len() {
            bits |= 1_u128 << features[index] as u8;
            index += 1;
        }
        FeatureSet(bits)
    }

    /// Features that change in one of these ways.
    #[must_use]
    pub const fn changing(change: Change) -> FeatureSet {
        let mut bits = 0;
        let mut index = 0;
        while index < Feature::ALL.len() {
            if Feature::ALL[index].change as u8 == change as u8 {
                bits |= 1_u128 << index;
            }
            index += 1;
        }
        // Own features have windows of days.
        if matches!(change, Change::Day) {
            bits |= u128::MAX << FIRST_OWN_FEATURE;
        }
        FeatureSet(bits)
    }

    /// The own features at these places, one bit each.
    #[must_use]
    pub(crate) const fn own(places: u16) -> FeatureSet {
        FeatureSet((places as u128) << FIRST_OWN_FEATURE)
    }

    /// Whether the feature of a number is in the set.
    #[must_use]
    pub const fn has_number(self, feature: u16) -> bool {
        self.0 & (1_u128 << feature) != 0
    }

    /// Adds the features of `other`.
    pub fn add(&mut self, other: FeatureSet) {
        self.0 |= other.0;
    }

    /// Both sets together.
    #[must_use]
    pub const fn union(self, other: FeatureSet) -> FeatureSet {
        FeatureSet(self.0 | other.0)
    }

    /// The features that are not in `other`.
    #[must_use]
    pub const fn without(self, other: FeatureSet) -> FeatureSet {
        FeatureSet(self.0 & !other.0)
    }

    /// Whether the sets share a feature.
    #[must_use]
    pub const fn intersects(self, other: FeatureSet) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether the feature is in the set.
    #[must_use]
    pub const fn contains(self, feature: Feature) -> bool {
        self.0 & (1_u128 << feature as u8) != 0
    }
}
