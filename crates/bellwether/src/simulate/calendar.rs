//! Days and seconds as plain numbers, and the little calendar arithmetic that billing and seasons need.

use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp, ToSpan};

/// A UTC day, counted from 1970-01-01.
pub type Day = i32;

/// A UTC second, counted from 1970-01-01T00:00:00Z.
pub type Second = i64;

/// Seconds in a minute.
pub const MINUTE: Second = 60;
/// Seconds in an hour.
pub const HOUR: Second = 60 * MINUTE;
/// Seconds in a day.
pub const DAY: Second = 24 * HOUR;

const EPOCH: Date = date(1970, 1, 1);

/// The day number of a date.
pub fn day_of(date: Date) -> Day {
    (date.duration_since(EPOCH).as_hours() / 24) as Day
}

/// The date of a day number.
pub fn date_of(day: Day) -> Date {
    EPOCH.saturating_add(SignedDuration::from_hours(i64::from(day) * 24))
}

/// The same day of the month, a number of months later; the last day of the month where there is no such day.
pub fn months_after(day: Day, months: i32) -> Day {
    day_of(date_of(day).saturating_add(months.months()))
}

/// The first second of a day.
pub fn start_of(day: Day) -> Second {
    Second::from(day) * DAY
}

/// The day that holds a second.
pub fn day_at(second: Second) -> Day {
    second.div_euclid(DAY) as Day
}

/// The instant as RFC 3339 prints it.
pub fn timestamp(second: Second) -> Timestamp {
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
}

/// Days since Monday: 0 to 6.
pub fn weekday(day: Day) -> i32 {
    (day + 3).rem_euclid(7)
}

/// Saturday or Sunday.
pub fn is_weekend(day: Day) -> bool {
    weekday(day) >= 5
}
