//! Business hours: the opening hours of a week, in the local time of a zone, without holidays.

use crate::time::{DAY_MS, Day, HOUR_MS, Time};
use crate::zone::ZoneOffsets;

/// Opening hours from Monday to Friday, in whole local hours; `opens < closes <= 24`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusinessHours {
    /// First hour of the business day.
    pub opens: u8,
    /// Hour at which it ends.
    pub closes: u8,
    /// Whose local time it is; UTC where it has no offsets.
    pub zone: ZoneOffsets,
    /// Local days on which nobody works, ascending.
    pub closed: Vec<Day>,
}

/// Business hours of more weeks are not waited for.
const MAX_WEEKS: i64 = 10_000;

impl Default for BusinessHours {
    fn default() -> Self {
        Self { opens: 9, closes: 17, zone: ZoneOffsets::default(), closed: Vec::new() }
    }
}

impl BusinessHours {
    /// Business hours between two instants. Where clocks are changed within business hours, the hours on the wall count.
    #[must_use]
    pub fn between(&self, from: Time, to: Time) -> f64 {
        let (from, to) = (self.zone.to_local(from), self.zone.to_local(to));
        if to <= from {
            return 0.0;
        }
        // Whole weeks first, so that the walk over single days stays short.
        let weeks = to.since_ms(from) / (7 * DAY_MS);
        let mut cursor = from.plus_ms(weeks * 7 * DAY_MS);
        let mut total_ms = weeks * 5 * self.day_ms() - self.closed_ms(from, cursor);
        while cursor < to {
            let (opens, closes) = self.of_day(cursor);
            total_ms += closes.min(to).since_ms(opens.max(cursor)).max(0);
            cursor = cursor.day().next().start();
        }
        total_ms as f64 / HOUR_MS as f64
    }

    /// The first instant at which so many business hours have passed since `from`.
    #[must_use]
    pub fn after(&self, from: Time, hours: f64) -> Time {
        self.after_ms(from, (hours * HOUR_MS as f64).ceil() as i64)
    }

    /// The same of milliseconds.
    #[must_use]
    pub fn after_ms(&self, from: Time, passed_ms: i64) -> Time {
        if passed_ms <= 0 {
            return from;
        }
        let from = self.zone.to_local(from);
        let week_ms = 5 * self.day_ms();
        if passed_ms > MAX_WEEKS * week_ms {
            return Time::NEVER;
        }
        // So that the rest is a millisecond at least: the last of a whole number of weeks need not pass on the same weekday.
        let weeks = (passed_ms - 1) / week_ms;
        let mut cursor = from.plus_ms(weeks * 7 * DAY_MS);
        let mut rest_ms = passed_ms - weeks * week_ms + self.closed_ms(from, cursor);
        loop {
            let (opens, closes) = self.of_day(cursor);
            let open_ms = closes.since_ms(opens.max(cursor)).max(0);
            if rest_ms <= open_ms {
                return self.zone.to_utc(opens.max(cursor).plus_ms(rest_ms));
            }
            rest_ms -= open_ms;
            cursor = cursor.day().next().start();
        }
    }

    fn day_ms(&self) -> i64 {
        i64::from(self.closes - self.opens) * HOUR_MS
    }

    /// What closed days take of the weekly hours between two local instants.
    fn closed_ms(&self, from: Time, to: Time) -> i64 {
        let first = self.closed.partition_point(|day| *day < from.day());
        let days = self.closed[first..].iter().take_while(|day| day.start() < to);
        let lost = days.map(|day| {
            let (opens, closes) = self.of_weekday(*day);
            closes.min(to).since_ms(opens.max(from)).max(0)
        });
        lost.sum()
    }

    /// Opening and closing of the local day that holds a local instant; the same instant twice on a weekend or a closed day.
    fn of_day(&self, local: Time) -> (Time, Time) {
        let day = local.day();
        if self.closed.binary_search(&day).is_ok() {
            return (day.start(), day.start());
        }
        self.of_weekday(day)
    }

    fn of_weekday(&self, day: Day) -> (Time, Time) {
        let start = day.start();
        // 1970-01-01 was a Thursday: day 2 is a Saturday.
        if (day.0 - 2).rem_euclid(7) < 2 {
            return (start, start);
        }
        (start.plus_ms(i64::from(self.opens) * HOUR_MS), start.plus_ms(i64::from(self.closes) * HOUR_MS))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Monday, 2026-03-02.
    const MONDAY: Day = Day(20_514);

    /// Berlin in 2026, closed on a Friday and the Monday after.
    fn berlin() -> BusinessHours {
        let spring = Day(20_541).start().plus_ms(HOUR_MS);
        let zone = ZoneOffsets { first_seconds: 3_600, changes: vec![(spring, 7_200)] };
        BusinessHours { opens: 9, closes: 17, zone, closed: vec![Day(20_546), Day(20_549)] }
    }

    fn at(day: i32, hour: i64) -> Time {
        Day(MONDAY.0 + day).start().plus_ms(hour * HOUR_MS)
    }

    #[test]
    fn hours_are_local_also_across_the_change_of_clocks() {
        let hours = berlin();
        assert_eq!(hours.between(at(0, 0), at(0, 8)), 0.0);
        assert_eq!(hours.between(at(0, 0), at(0, 9)), 1.0);
        // After the last Sunday of March the day opens an hour earlier in UTC.
        assert_eq!(hours.between(at(28, 0), at(28, 8)), 1.0);
        // Friday 16:00 to Monday 10:00 on the wall.
        assert_eq!((hours.between(at(25, 15), at(28, 8)), hours.after(at(25, 15), 2.0)), (2.0, at(28, 8)));
    }

    #[test]
    fn closed_days_do_not_count() {
        let hours = berlin();
        // Thursday before Easter to the Tuesday after it.
        assert_eq!(hours.between(at(31, 0), at(36, 22)), 16.0);
        assert_eq!(hours.after(at(31, 13), 4.0), at(36, 9));
        assert_eq!(hours.between(at(28, 0), at(42, 0)), 8.0 * 8.0);
    }

    proptest! {
        #[test]
        fn so_many_hours_later_so_many_have_passed(start in 0_i64..200_000, hours in 0.0..400.0_f64) {
            let business = berlin();
            let from = MONDAY.start().plus_ms(start * 20_000);
            let after = business.after(from, hours);
            let passed = business.between(from, after);
            prop_assert!((passed - hours).abs() < 1e-6, "{passed} of {hours}");
        }

        #[test]
        fn whole_weeks_are_counted_as_days_are(start in 0_i64..200_000, length in 0_i64..500_000) {
            let business = berlin();
            let (from, to) = (MONDAY.start().plus_ms(start * 20_000), MONDAY.start().plus_ms((start + length) * 20_000));
            let mut cursor = from;
            let mut sum = 0.0;
            while cursor < to {
                let next = cursor.plus_ms(5 * HOUR_MS).min(to);
                sum += business.between(cursor, next);
                cursor = next;
            }
            prop_assert!((sum - business.between(from, to)).abs() < 1e-6);
        }
    }
}
