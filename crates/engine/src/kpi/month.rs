//! Calendar months in UTC, by which movements of revenue are reported.

use serde::{Deserialize, Serialize};

use crate::time::{Day, Time};

/// A calendar month, counted from January of the year 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Month(pub i32);

/// Days of 400 years, after which the Gregorian calendar repeats.
const DAYS_OF_ERA: i64 = 146_097;

/// Days from 0000-03-01, with which an era begins, to 1970-01-01.
const EPOCH_DAYS: i64 = 719_468;

impl Month {
    /// The month that holds a day (H. Hinnant, "chrono-compatible low-level date algorithms": `civil_from_days`).
    #[must_use]
    pub fn of(day: Day) -> Self {
        let shifted = i64::from(day.0) + EPOCH_DAYS;
        let (era, day_of_era) = (shifted.div_euclid(DAYS_OF_ERA), shifted.rem_euclid(DAYS_OF_ERA));
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        // Counted from March, so that the leap day is the last of its year.
        let month_from_march = (5 * day_of_year + 2) / 153;
        Self((12 * (era * 400 + year_of_era) + month_from_march + 2) as i32)
    }

    /// The month of a year, counted from 1.
    #[must_use]
    pub fn new(year: i32, month: i32) -> Self {
        Self(12 * year + month - 1)
    }

    /// The month written `2024-01`, if that is what the text is.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (year, month) = text.split_once('-')?;
        let (year, month) = (year.parse().ok().filter(|year| (0..=9_999).contains(year))?, month.parse().ok()?);
        (year >= 1 && (1..=12).contains(&month)).then(|| Self::new(year, month))
    }

    /// Year and month, the latter counted from 1.
    #[must_use]
    pub fn civil(self) -> (i32, i32) {
        (self.0.div_euclid(12), self.0.rem_euclid(12) + 1)
    }

    /// The first day of the month (`days_from_civil` of the same source).
    #[must_use]
    pub fn first_day(self) -> Day {
        let from_march = i64::from(self.0) - 2;
        let (year, month) = (from_march.div_euclid(12), from_march.rem_euclid(12));
        let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let day_of_year = (153 * month + 2) / 5;
        let day_of_era = 365 * year_of_era + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Day((era * DAYS_OF_ERA + day_of_era - EPOCH_DAYS) as i32)
    }

    /// The first instant of the month.
    #[must_use]
    pub fn start(self) -> Time {
        self.first_day().start()
    }

    /// The month so many months before.
    #[must_use]
    pub fn back(self, months: i32) -> Self {
        Self(self.0.saturating_sub(months))
    }

    /// The month that follows.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_four_centuries_is_in_its_month() {
        let (mut year, mut month, mut day_of_month) = (1970, 1, 1);
        for day in 0..146_097 {
            let found = Month::of(Day(day));
            assert_eq!((found.civil(), found.first_day()), ((year, month), Day(day - day_of_month + 1)));
            let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let length = [31, if is_leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month as usize - 1];
            day_of_month += 1;
            if day_of_month > length {
                (month, day_of_month) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
    }

    #[test]
    fn months_are_read_from_text() {
        assert_eq!(Month::parse("2024-02"), Some(Month::new(2024, 2)));
        for wrong in ["2024", "2024-13", "2024-0", "x-1", "2024-02-01", "-5-1"] {
            assert_eq!(Month::parse(wrong), None, "{wrong}");
        }
    }
}
