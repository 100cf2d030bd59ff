//! Time zones of rule files: looked up once, when a file is published, and from then on a table of offsets within the file itself.
//!
//! A time zone database changes with the machine and the year. What a journal decided must not, so its rule sets hold the table.

use std::fmt::Write;

use bellwether_engine::time::Time;
use bellwether_engine::zone::{MAX_ZONE_CHANGES, ZoneOffsets};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::timestamp::{format_time, parse_date_or_time, to_jiff};
use crate::yaml::{Node, Reader};

/// The first instant of the table, 2000-01-01, and the one after its end, 2060-01-01; outside the nearest offset holds.
const TABLE_FROM: Time = Time(946_684_800_000);
const TABLE_END: Time = Time(2_840_140_800_000);

/// The name of the section that holds the table.
pub(super) const SECTION: &str = "time_zone_table";

/// Looks a zone up in the time zone database of this machine.
pub(super) fn look_up(name: &str) -> Option<ZoneOffsets> {
    let zone = TimeZone::get(name).ok()?;
    let from = to_jiff(TABLE_FROM);
    let seconds = |timestamp: Timestamp| zone.to_offset(timestamp).seconds();
    let mut table = ZoneOffsets { first_seconds: seconds(from), changes: Vec::new() };
    let mut known = table.first_seconds;
    for change in zone.following(from).take(MAX_ZONE_CHANGES) {
        let at = Time(change.timestamp().as_millisecond());
        if at >= TABLE_END {
            break;
        }
        if change.offset().seconds() != known {
            known = change.offset().seconds();
            table.changes.push((at, known));
        }
    }
    Some(table)
}

/// The table as a section of a rule file.
pub(super) fn section(name: &str, table: &ZoneOffsets) -> String {
    let mut text = format!("# Offsets of {name} from UTC in seconds, as they were known when this was published.\n{SECTION}:\n");
    let _ = writeln!(text, "  first: {}\n  changes:", table.first_seconds);
    for (from, seconds) in &table.changes {
        let _ = writeln!(text, "    - [\"{}\", {seconds}]", format_time(*from));
    }
    if table.changes.is_empty() {
        text = text.replace("  changes:\n", "  changes: []\n");
    }
    text
}

/// Reads such a section.
pub(super) fn read(reader: &mut Reader<'_>, node: &Node) -> ZoneOffsets {
    let fields = reader.fields(node, "the time zone table", &["first", "changes"]);
    let mut table = ZoneOffsets::default();
    let first = reader.required(&fields, "the time zone table", "first");
    table.first_seconds = first.and_then(|node| seconds(reader, node)).unwrap_or(0);
    let changes = reader.required(&fields, "the time zone table", "changes");
    for item in changes.map(|node| reader.list(node, "changes")).unwrap_or_default().iter().take(MAX_ZONE_CHANGES) {
        let [from, offset] = reader.list(item, "two values [time, seconds]") else {
            reader.error(&item.place, "a change is [time, seconds]");
            continue;
        };
        let time = reader.text(from, "a time").and_then(|text| parse_date_or_time(text).ok());
        match (time, seconds(reader, offset)) {
            (Some(time), Some(offset)) if table.changes.last().is_none_or(|(before, _)| *before < time) => {
                table.changes.push((time, offset))
            }
            _ => reader.error(&from.place, "changes go by ascending time"),
        }
    }
    table
}

fn seconds(reader: &mut Reader<'_>, node: &Node) -> Option<i32> {
    let limit = f64::from(26 * 3_600);
    reader.number(node, "an offset in seconds", -limit..=limit).map(|seconds| seconds as i32)
}
