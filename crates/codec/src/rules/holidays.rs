//! The section `holidays` of a rule file: calendars by country, as days and stretches of days.

use bellwether_engine::holidays::{Holidays, MAX_CALENDAR_DAYS, MAX_CALENDARS};
use bellwether_engine::time::Day;

use crate::timestamp::parse_date;
use crate::yaml::{Node, Reader};

/// Reads the calendars.
pub(super) fn holidays(reader: &mut Reader<'_>, node: &Node) -> Holidays {
    let countries = reader.open_fields(node, "the holidays by country");
    if let Some((key, ..)) = countries.entries.get(MAX_CALENDARS) {
        reader.error(&key.place, format!("a rule file has at most {MAX_CALENDARS} calendars, and this has {}", countries.entries.len()));
    }
    let mut seen: Vec<String> = Vec::new();
    let mut calendar = |(key, country, node): &(&Node, &str, &Node)| {
        let code = country.to_ascii_uppercase();
        if seen.contains(&code) {
            reader.error(&key.place, format!("there are two calendars of {code}"));
        }
        seen.push(code);
        let days: Vec<Day> = reader.list(node, "days").iter().flat_map(|item| days(reader, item)).collect();
        if days.len() > MAX_CALENDAR_DAYS {
            reader.error(&node.place, format!("a calendar has at most {MAX_CALENDAR_DAYS} days, and this has {}", days.len()));
        }
        ((*country).to_owned(), days)
    };
    let calendars: Vec<(String, Vec<Day>)> = countries.entries.iter().map(&mut calendar).collect();
    Holidays::new(calendars)
}

/// A day, or all days of a stretch.
fn days(reader: &mut Reader<'_>, node: &Node) -> Vec<Day> {
    let Some(text) = reader.text(node, "a day") else { return Vec::new() };
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let stretch = parse_date(first.trim()).zip(parse_date(last.trim())).filter(|(first, last)| first <= last);
    let stretch = stretch.filter(|(first, last)| (last.0 - first.0) as usize <= MAX_CALENDAR_DAYS);
    let Some((first, last)) = stretch else {
        reader.error_with_help(&node.place, format!("`{text}` is no day"), "write 2026-12-25, or 2026-12-24..2026-12-31");
        return Vec::new();
    };
    (first.0..=last.0).map(Day).collect()
}
