//! Journal time: milliseconds since 1970-01-01T00:00:00Z, and the UTC days that windows are made of.

use serde::{Deserialize, Serialize};

/// Milliseconds in a second, minute, hour and day.
pub const SECOND_MS: i64 = 1_000;
/// Milliseconds in a minute.
pub const MINUTE_MS: i64 = 60 * SECOND_MS;
/// Milliseconds in an hour.
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
/// Milliseconds in a UTC day.
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// An instant, in milliseconds since the Unix epoch, UTC. The engine never reads a clock: every instant comes from a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Time(pub i64);

impl Time {
    /// Before every event.
    pub const MIN: Time = Time(i64::MIN);
    /// After every event: a review that is never due.
    pub const NEVER: Time = Time(i64::MAX);

    /// The UTC day that holds this instant.
    #[must_use]
    pub fn day(self) -> Day {
        Day(self.0.div_euclid(DAY_MS).clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32)
    }

    /// This instant moved by a number of milliseconds; stays within the range of `i64`.
    #[must_use]
    pub fn plus_ms(self, milliseconds: i64) -> Time {
        Time(self.0.saturating_add(milliseconds))
    }

    /// Milliseconds from `earlier` to `self`; negative when `earlier` is later.
    #[must_use]
    pub fn since_ms(self, earlier: Time) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// A UTC day, counted from 1970-01-01.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Day(pub i32);

impl Day {
    /// The first instant of the day.
    #[must_use]
    pub fn start(self) -> Time {
        Time(i64::from(self.0) * DAY_MS)
    }

    /// The day before.
    #[must_use]
    pub fn before(self) -> Day {
        Day(self.0.saturating_sub(1))
    }

    /// The day that follows.
    #[must_use]
    pub fn next(self) -> Day {
        Day(self.0.saturating_add(1))
    }
}
