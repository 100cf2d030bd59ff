//! A time zone as the engine knows it: a table of offsets from UTC, which is part of the rule set, so that no time zone database moves a signal.

use crate::time::{DAY_MS, SECOND_MS, Time};

/// The most changes of the offset that a table may have: two a year for two centuries.
pub const MAX_ZONE_CHANGES: usize = 400;

/// Offsets from UTC, in seconds, east positive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ZoneOffsets {
    /// The offset before the first change.
    pub first_seconds: i32,
    /// From when on which offset holds, in the order of time.
    pub changes: Vec<(Time, i32)>,
}

impl ZoneOffsets {
    /// What the clocks on the wall show at an instant, as if they were in UTC.
    #[must_use]
    pub fn to_local(&self, time: Time) -> Time {
        time.plus_ms(self.offset_ms(time))
    }

    /// The instant at which the clocks on the wall show this; the later of two, and where they jump over it, as long after the jump.
    #[must_use]
    pub fn to_utc(&self, local: Time) -> Time {
        let [before, after] = [-DAY_MS, DAY_MS].map(|near| local.plus_ms(-self.offset_ms(local.plus_ms(near))));
        let later = before.max(after);
        if self.to_local(later) == local {
            return later;
        }
        let earlier = before.min(after);
        if self.to_local(earlier) == local { earlier } else { before }
    }

    fn offset_ms(&self, time: Time) -> i64 {
        let after = self.changes.partition_point(|(from, _)| *from <= time);
        let seconds = after.checked_sub(1).map_or(self.first_seconds, |index| self.changes[index].1);
        i64::from(seconds) * SECOND_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::HOUR_MS;

    const CHANGE: Time = Time(20_000 * DAY_MS);

    /// An hour ahead, from [`CHANGE`] on two, and a hundred days later one again.
    fn zone() -> ZoneOffsets {
        ZoneOffsets { first_seconds: 3_600, changes: vec![(CHANGE, 7_200), (CHANGE.plus_ms(100 * DAY_MS), 3_600)] }
    }

    #[test]
    fn there_and_back() {
        let zone = zone();
        for hours in (-100..3_000).filter(|hours| *hours != 99 * 24 + 23) {
            let time = CHANGE.plus_ms(hours * HOUR_MS);
            let expected = if hours == 2_399 { HOUR_MS } else { 0 };
            assert_eq!(zone.to_utc(zone.to_local(time)).since_ms(time), expected, "{hours}");
        }
    }

    #[test]
    fn what_no_clock_shows_is_after_the_jump_and_what_it_shows_twice_the_second() {
        let zone = zone();
        // Clocks go from 1:00 to 2:00.
        assert_eq!(zone.to_utc(CHANGE.plus_ms(HOUR_MS + 1)), CHANGE.plus_ms(1));
        let back = CHANGE.plus_ms(100 * DAY_MS);
        // They go from 2:00 back to 1:00.
        assert_eq!(zone.to_utc(back.plus_ms(HOUR_MS)), back);
        assert_eq!(ZoneOffsets::default().to_utc(back), back);
    }
}
