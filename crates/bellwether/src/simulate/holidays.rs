//! Days on which offices are closed: public holidays by country, the weeks of leave, and the shutdowns of some.

use super::calendar::{Day, date_of};
use super::company::Profile;
use super::stories::Story;

/// What is left of a day's work on a public holiday.
const CLOSED: f64 = 0.03;
/// Public holidays of fixed date, as month and day: those of all countries, and those of each.
const EVERYWHERE: [(i8, i8); 2] = [(1, 1), (12, 25)];
#[rustfmt::skip]
const FIXED: [(&str, &[(i8, i8)]); 7] = [
    ("DE", &[(5, 1), (10, 3), (12, 26)]),
    ("FR", &[(5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11)]),
    ("NL", &[(4, 27), (12, 26)]),
    ("ES", &[(1, 6), (5, 1), (8, 15), (10, 12), (11, 1), (12, 6), (12, 8)]),
    ("IE", &[(3, 17), (12, 26)]),
    ("US", &[(6, 19), (7, 4), (11, 11)]),
    ("CA", &[(7, 1), (12, 26)]),
];

/// What is left of a customer's work on that day.
pub fn level(profile: &Profile, story: Story, today: Day) -> f64 {
    let date = date_of(today);
    let (month, day) = (date.month(), date.day());
    if story == Story::Holidays && is_shut(profile, month, day) {
        return CLOSED;
    }
    let fixed = FIXED.iter().find(|(country, _)| *country == profile.country).map_or(&[][..], |(_, days)| days);
    if EVERYWHERE.contains(&(month, day)) || fixed.contains(&(month, day)) {
        return CLOSED;
    }
    match (month, profile.country) {
        (12, _) if day >= 24 => 0.25,
        (8, "FR" | "ES") => 0.6,
        (7 | 8, _) => 0.85,
        _ => 1.0,
    }
}

/// Whether an office that shuts down does so on that day: from shortly before Christmas on, and from a day in July or August on.
fn is_shut(profile: &Profile, month: i8, day: i8) -> bool {
    let in_winter = (month == 12 && day >= 21) || (month == 1 && i32::from(day) <= 2 + (profile.number % 6) as i32);
    let begin = 10 + (profile.number % 25) as i32;
    let end = begin + 21 + (profile.number % 8) as i32;
    let in_summer = matches!(month, 7 | 8) && (begin..end).contains(&(i32::from(day) + if month == 8 { 31 } else { 0 }));
    in_winter || in_summer
}
