//! Calendar months in UTC: the dates at which health is looked at, and the slices of a report.

use bellwether_engine::time::{DAY_MS, Time};
use jiff::civil::Date;

/// The mean length of a month in milliseconds: 30.4375 days.
pub const MEAN_MONTH_MS: f64 = 30.4375 * DAY_MS as f64;

const EPOCH: Date = Date::constant(1970, 1, 1);

/// The month that holds an instant, counted from January of the year 0.
#[must_use]
pub fn month_of(time: Time) -> i32 {
    let date = date_of(time);
    i32::from(date.year()) * 12 + i32::from(date.month()) - 1
}

/// The first instant of a month.
#[must_use]
pub fn start_of(month: i32) -> Time {
    let (year, month) = (month.div_euclid(12), month.rem_euclid(12) + 1);
    let year = i16::try_from(year).unwrap_or(i16::MAX).clamp(-9999, 9999);
    let date = Date::new(year, month as i8, 1).unwrap_or(EPOCH);
    Time(date.duration_since(EPOCH).as_millis() as i64)
}

/// The name of a month: `2026-03`.
#[must_use]
pub fn name_of(month: i32) -> String {
    format!("{:04}-{:02}", month.div_euclid(12), month.rem_euclid(12) + 1)
}

/// The UTC date of an instant: `2026-03-01`.
#[must_use]
pub fn date_text(time: Time) -> String {
    date_of(time).to_string()
}

fn date_of(time: Time) -> Date {
    EPOCH.checked_add(jiff::SignedDuration::from_hours(24 * i64::from(time.day().0))).unwrap_or(EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_begin_at_their_first_midnight() {
        let time = Time(1_767_225_600_000);
        assert_eq!((month_of(time), name_of(month_of(time))), (2026 * 12, "2026-01".to_owned()));
        assert_eq!(start_of(month_of(time)), time);
        assert_eq!(name_of(month_of(time.plus_ms(-1))), "2025-12");
        assert_eq!(date_text(time.plus_ms(-1)), "2025-12-31");
        for month in 1970 * 12..2200 * 12 {
            assert_eq!(month_of(start_of(month)), month);
            assert_eq!(month_of(start_of(month).plus_ms(-1).max(Time(0))), (month - 1).max(1970 * 12));
        }
    }
}
