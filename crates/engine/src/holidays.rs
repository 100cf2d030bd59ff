//! Holiday calendars: days by country, as a rule set carries them.

use crate::time::Day;

/// The most calendars that a rule set may have.
pub const MAX_CALENDARS: usize = 300;

/// The most days of one calendar.
pub const MAX_CALENDAR_DAYS: usize = 4_000;

/// Holidays by country code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holidays(Vec<(Box<str>, Vec<Day>)>);

impl Holidays {
    /// Calendars by country code, such as `DE`; case does not matter.
    #[must_use]
    pub fn new(calendars: impl IntoIterator<Item = (String, Vec<Day>)>) -> Self {
        let sorted = |(country, mut days): (String, Vec<Day>)| {
            days.sort_unstable();
            days.dedup();
            (country.to_ascii_uppercase().into(), days)
        };
        Self(calendars.into_iter().map(sorted).collect())
    }

    /// The days of a country, ascending; `None` where it has no calendar.
    #[must_use]
    pub fn of(&self, country: &str) -> Option<&[Day]> {
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(country)).map(|(_, days)| days.as_slice())
    }

    /// Whether a day is a holiday in a country; `None` where it has no calendar.
    #[must_use]
    pub fn is_holiday(&self, country: &str, day: Day) -> Option<bool> {
        self.of(country).map(|days| days.binary_search(&day).is_ok())
    }
}
