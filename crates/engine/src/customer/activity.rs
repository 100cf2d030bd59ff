//! What a customer does in the product: logins, usage, product features.

use super::counts::Counts;
use super::login_days::LoginDays;
use super::packed::{Packed, PackedReader, PackedWriter};
use super::usage_weeks::UsageWeeks;
use super::users::Users;
use crate::settings::Settings;
use crate::time::{Day, Time};

/// Product features remembered per customer.
pub const MAX_PRODUCT_FEATURES: usize = 32;

/// Days of logins kept: two windows of 28.
pub const LOGIN_WINDOW_DAYS: usize = 56;

/// A core feature counts as dropped after so many days without use.
const CORE_DROPPED_AFTER_DAYS: i32 = 21;

/// A product feature that is not used for so long makes room for a new one when the table is full.
const FORGET_FEATURE_AFTER_DAYS: i32 = 112;

/// How long after the use of a feature that found no room features are not all known, in days.
const FEATURE_OVERFLOW_DAYS: i32 = 90;

/// Activity of a customer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Activity {
    /// Successful logins by day.
    pub logins: Counts<LOGIN_WINDOW_DAYS>,
    /// Days with a login, for the gaps between them.
    pub login_days: LoginDays,
    /// The latest successful login.
    pub last_login: Option<Time>,
    /// Usage by day.
    pub usage: Counts<28>,
    /// Usage by the customer's own weeks.
    pub usage_weeks: UsageWeeks,
    /// Uses of features that the settings call gated, by day.
    pub gated_hits: Counts<14>,
    /// The users behind it.
    pub users: Users,
    /// The product features used.
    pub features: ProductFeatures,
}

impl Activity {
    /// Days among the last 28 with a login or a use.
    #[must_use]
    pub fn active_days_28d(&self, today: Day) -> u32 {
        let active = self.logins.active_bits(today.0) | self.usage.active_bits(today.0);
        (active & ((1 << 28) - 1)).count_ones()
    }

    /// Logins of the 14 days up to that of the latest one, against the mean of the two fortnights before.
    #[must_use]
    pub fn login_stop_ratio(&self) -> Option<f64> {
        let last = self.last_login?.day().0;
        let before = self.logins.sum(last, 14, 28) as f64 / 2.0;
        (before > 0.0).then(|| self.logins.sum(last, 0, 14) as f64 / before)
    }
}

/// The product features a customer uses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProductFeatures {
    features: Vec<ProductFeature>,
    overflow_until: Day,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ProductFeature {
    /// [`NAME_BYTES`] of the hash of its name.
    name: u32,
    newest: Day,
    /// Bit `i`: used in the week `i` weeks before that of `newest`; [`KEPT_WEEKS`] of them.
    weeks: u16,
}

impl ProductFeature {
    /// Not used in the last `days` days.
    fn is_older(&self, today: Day, days: i32) -> bool {
        self.newest.0 <= today.0 - days
    }
}

/// What a use changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeatureChange {
    /// Nothing that anybody asks for.
    Counted,
    /// The features used, or the core features dropped, may have changed.
    Changed,
    /// The table was full, and the feature is not tracked.
    Full,
}

impl ProductFeatures {
    /// Records a use as of `today`. Features that the settings name stay in the table, however long they are not used.
    pub fn record(&mut self, name: u32, day: Day, today: Day, settings: &Settings) -> FeatureChange {
        let week = |day: Day| day.0.div_euclid(7);
        let name = kept(name);
        let Some(feature) = self.features.iter_mut().find(|feature| feature.name == name) else {
            if self.features.len() >= MAX_PRODUCT_FEATURES {
                self.features.retain(|feature| !feature.is_older(today, FORGET_FEATURE_AFTER_DAYS) || is_named(settings, feature.name));
            }
            if self.features.len() >= MAX_PRODUCT_FEATURES {
                self.overflow_until = self.overflow_until.max(Day(day.0.saturating_add(FEATURE_OVERFLOW_DAYS)));
                return FeatureChange::Full;
            }
            super::make_room(&mut self.features);
            self.features.push(ProductFeature { name, newest: day, weeks: 1 });
            return FeatureChange::Changed;
        };
        if day == feature.newest {
            return FeatureChange::Counted;
        }
        let was_older = feature.is_older(today, CORE_DROPPED_AFTER_DAYS);
        let ahead = week(day) - week(feature.newest);
        match ahead {
            1.. => feature.weeks = feature.weeks.checked_shl(ahead as u32).unwrap_or(0) | 1,
            _ => feature.weeks |= 1_u16.checked_shl(ahead.unsigned_abs()).unwrap_or(0),
        }
        feature.weeks &= WEEKS;
        feature.newest = feature.newest.max(day);
        // Most first uses of a day are of a feature that was used in the same week already.
        if ahead != 0 || was_older { FeatureChange::Changed } else { FeatureChange::Counted }
    }

    /// How many features the table holds.
    pub(super) fn tracked(&self) -> usize {
        self.features.len()
    }

    /// The day from which on every feature in use is tracked.
    #[must_use]
    pub fn known_from(&self) -> Day {
        self.overflow_until
    }

    /// Features used in the last 28 days.
    #[must_use]
    pub fn used_28d(&self, today: Day) -> usize {
        self.features.iter().filter(|feature| !feature.is_older(today, 28)).count()
    }

    /// Whether a feature of that name was ever used.
    #[must_use]
    pub fn has_used(&self, name: u32) -> bool {
        self.features.iter().any(|feature| feature.name == kept(name))
    }

    /// Core features unused for 21 days: the configured ones, or else the three most used that were used in all of their last 8 weeks.
    #[must_use]
    pub fn core_dropped(&self, today: Day, configured: &[u32]) -> usize {
        let dropped = |feature: &&ProductFeature| feature.is_older(today, CORE_DROPPED_AFTER_DAYS);
        if !configured.is_empty() {
            return self
                .features
                .iter()
                .filter(|feature| configured.iter().any(|name| kept(*name) == feature.name))
                .filter(dropped)
                .count();
        }
        let mut core: Vec<&ProductFeature> = self.features.iter().filter(|feature| feature.weeks & 0xff == 0xff).collect();
        core.sort_by_key(|feature| (std::cmp::Reverse(feature.weeks.count_ones()), feature.name));
        core.into_iter().take(3).filter(dropped).count()
    }
}

/// Whether the settings ask for a feature by its name.
fn is_named(settings: &Settings, feature: u32) -> bool {
    let plans = settings.plan_features.iter().flat_map(|(_, features)| features);
    settings.core_features.iter().chain(plans).any(|name| kept(*name) == feature)
}

/// The part of a name hash that is kept.
fn kept(name: u32) -> u32 {
    name & ((1 << (8 * NAME_BYTES)) - 1)
}

/// Bytes kept of a product feature's name hash: 24 bits, among at most 32 names.
const NAME_BYTES: usize = 3;

/// Weeks of use that are remembered of a product feature.
const KEPT_WEEKS: u32 = 12;

/// A bit for each of them.
const WEEKS: u16 = (1 << KEPT_WEEKS) - 1;

/// Ages from this on do not fit beside the weeks in two bytes.
const OLD: u64 = (1 << (17 - KEPT_WEEKS)) - 1;

impl Packed for ProductFeatures {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.put_day(self.overflow_until);
        let newest = self.features.iter().map(|feature| feature.newest).max().unwrap_or_default();
        writer.put_day(newest);
        writer.put(self.features.len() as u64);
        for feature in &self.features {
            writer.bytes.extend_from_slice(&feature.name.to_le_bytes()[..NAME_BYTES]);
            // The week of the newest day is set, always: its bit makes room for an age that fits the rest.
            let age = u64::from(newest.0.abs_diff(feature.newest.0));
            let ages = age.min(OLD) as u16;
            writer.bytes.extend_from_slice(&(feature.weeks >> 1 | ages << (KEPT_WEEKS - 1)).to_le_bytes());
            if age >= OLD {
                writer.put(age - OLD);
            }
        }
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        let overflow_until = reader.take_day()?;
        let newest = reader.take_day()?.0;
        let features = reader.take_list(|reader| {
            let mut name = [0; 4];
            name[..NAME_BYTES].copy_from_slice(&reader.take_array::<NAME_BYTES>()?);
            let packed = u16::from_le_bytes(reader.take_array()?);
            let weeks = packed << 1 & WEEKS | 1;
            let mut age = u64::from(packed >> (KEPT_WEEKS - 1));
            if age == OLD {
                age = reader.take()?.checked_add(OLD)?;
            }
            let newest = newest.checked_sub_unsigned(u32::try_from(age).ok()?)?;
            Some(ProductFeature { name: u32::from_le_bytes(name), newest: Day(newest), weeks })
        });
        Some(Self { features: features?, overflow_until })
    }
}

impl Packed for Activity {
    fn pack(&self, writer: &mut PackedWriter) {
        self.logins.pack(writer);
        self.login_days.pack(writer);
        writer.put_optional_time(self.last_login);
        self.usage.pack(writer);
        self.usage_weeks.pack(writer);
        self.gated_hits.pack(writer);
        self.users.pack(writer);
        self.features.pack(writer);
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        Some(Self {
            logins: Packed::unpack(reader)?,
            login_days: Packed::unpack(reader)?,
            last_login: reader.take_optional_time()?,
            usage: Packed::unpack(reader)?,
            usage_weeks: UsageWeeks::unpack(reader)?,
            gated_hits: Packed::unpack(reader)?,
            users: Packed::unpack(reader)?,
            features: Packed::unpack(reader)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_use_without_room_does_not_make_the_gap_end_earlier() {
        let (mut features, settings, today) = (ProductFeatures::default(), Settings::default(), Day(20_000));
        (0..MAX_PRODUCT_FEATURES as u32).for_each(|name| _ = features.record(name, today, today, &settings));
        assert_eq!(features.record(100, today, today, &settings), FeatureChange::Full);
        let known_from = features.known_from();
        assert_eq!(features.record(101, Day(19_950), today, &settings), FeatureChange::Full);
        assert_eq!(features.known_from(), known_from);
    }

    #[test]
    fn features_that_a_plan_names_stay_when_others_make_room() {
        let settings = Settings { plan_features: vec![("team".to_owned(), vec![3])], core_features: vec![5], ..Settings::default() };
        let (mut features, today) = (ProductFeatures::default(), Day(20_000));
        (0..MAX_PRODUCT_FEATURES as u32).for_each(|name| _ = features.record(name, today, today, &settings));
        let later = Day(today.0 + FORGET_FEATURE_AFTER_DAYS);
        assert_eq!(features.record(100, Day(later.0 - 1), Day(later.0 - 1), &settings), FeatureChange::Full);
        assert_eq!(features.record(100, later, later, &settings), FeatureChange::Changed);
        assert_eq!([3, 5, 100, 4].map(|name| features.has_used(name)), [true, true, true, false]);
    }
}
