//! The section `settings` of a rule file.

use bellwether_engine::customer::name_hash;
use bellwether_engine::settings::{PriorityBands, Settings};
use bellwether_engine::time::HOUR_MS;

use super::{life, time_zone};
use crate::yaml::{Node, Reader};

const FIELDS: [&str; 9] = [
    "warm_up",
    "core_features",
    "gated_features",
    "first_value",
    "plan_features",
    "response_limits",
    "response_hours",
    "business_hours",
    "priority",
];

/// Reads what is given, and leaves the rest as it was. Returns the time zone that was looked up, where the file has no table of one.
pub(super) fn settings(reader: &mut Reader<'_>, node: &Node, settings: &mut Settings, has_table: bool) -> Option<String> {
    let known: Vec<&str> = FIELDS.into_iter().chain(life::FIELDS).collect();
    let fields = reader.fields(node, "the settings", &known);
    life::settings(reader, &fields, &mut settings.life);
    if let Some(warm_up) = fields.get("warm_up").and_then(|node| reader.duration(node, "warm_up")) {
        settings.warm_up_ms = warm_up;
    }
    if let Some(node) = fields.get("core_features") {
        settings.core_features = feature_hashes(reader, node);
    }
    if let Some(node) = fields.get("gated_features") {
        settings.gated_features = feature_hashes(reader, node);
    }
    if let Some(node) = fields.get("first_value") {
        settings.first_value = reader.text(node, "the name of a milestone").map(name_hash);
    }
    if let Some(node) = fields.get("plan_features") {
        let plans = reader.open_fields(node, "the features by plan");
        let plan = |(_, name, node): &(&Node, &str, &Node)| ((*name).to_owned(), feature_hashes(reader, node));
        settings.plan_features = plans.entries.iter().map(plan).collect();
    }
    if let Some(node) = fields.get("response_limits") {
        response_limits(reader, node, &mut settings.response_limit_hours);
    }
    if let Some(node) = fields.get("response_hours") {
        let kinds = [("clock", false), ("business", true)];
        settings.response_in_business_hours = reader.choice(node, "kind of hours", &kinds).unwrap_or(false);
    }
    let time_zone = fields.get("business_hours").and_then(|node| business_hours(reader, node, settings, has_table));
    if let Some(node) = fields.get("priority") {
        priority(reader, node, &mut settings.priority);
    }
    time_zone
}

fn feature_hashes(reader: &mut Reader<'_>, node: &Node) -> Vec<u32> {
    let items = reader.list(node, "names of product features");
    items.iter().filter_map(|item| reader.text(item, "the name of a product feature")).map(name_hash).collect()
}

fn response_limits(reader: &mut Reader<'_>, node: &Node, limit_hours: &mut [f64; 4]) {
    let priorities = ["low", "normal", "high", "urgent"];
    let fields = reader.fields(node, "the response limits", &priorities);
    for (name, hours) in priorities.iter().zip(limit_hours) {
        let limit_ms = fields.get(name).and_then(|node| reader.duration(node, name));
        if let Some(limit_ms) = limit_ms {
            *hours = limit_ms as f64 / HOUR_MS as f64;
        }
    }
}

fn business_hours(reader: &mut Reader<'_>, node: &Node, settings: &mut Settings, has_table: bool) -> Option<String> {
    let fields = reader.fields(node, "the business hours", &["opens", "closes", "time_zone", "holidays"]);
    let hours = &mut settings.business_hours;
    let mut hour = |name: &str, default: u8| match fields.get(name) {
        Some(node) => reader.whole(node, name, 0..=24).map(|hour| hour as u8),
        None => Some(default),
    };
    match (hour("opens", hours.opens), hour("closes", hours.closes)) {
        (Some(opens), Some(closes)) if opens < closes => (hours.opens, hours.closes) = (opens, closes),
        (Some(opens), Some(closes)) => {
            reader.error(&node.place, format!("business hours that open at {opens} cannot close at {closes}"));
        }
        _ => {}
    }
    if let Some(node) = fields.get("holidays") {
        let country = reader.text(node, "the country of a calendar");
        match country.map(|country| (country, settings.holidays.of(country))) {
            Some((_, Some(days))) => hours.closed = days.to_vec(),
            Some((country, None)) => {
                let help = "give its days under `holidays` of the file";
                reader.error_with_help(&node.place, format!("there is no calendar of {country}"), help);
            }
            None => {}
        }
    }
    let node = fields.get("time_zone").filter(|_| !has_table)?;
    let name = reader.text(node, "the name of a time zone")?;
    let Some(zone) = time_zone::look_up(name) else {
        let help = "names are those of the IANA time zone database, such as Europe/Berlin";
        reader.error_with_help(&node.place, format!("unknown time zone `{name}`"), help);
        return None;
    };
    hours.zone = zone;
    Some(name.to_owned())
}

fn priority(reader: &mut Reader<'_>, node: &Node, bands: &mut PriorityBands) {
    let fields = reader.fields(node, "the priority", &["value_mrr_minor", "urgency_days"]);
    for (name, bounds) in [("value_mrr_minor", &mut bands.value_mrr_minor), ("urgency_days", &mut bands.urgency_days)] {
        let Some(node) = fields.get(name) else { continue };
        let items = reader.list(node, "six ascending numbers");
        let count = reader.mistakes.len();
        let numbers: Vec<f64> = items.iter().filter_map(|item| reader.number(item, "a bound", f64::MIN..=f64::MAX)).collect();
        match <[f64; 6]>::try_from(numbers) {
            Ok(numbers) if numbers.is_sorted_by(|left, right| left < right) => *bounds = numbers,
            _ if reader.mistakes.len() > count => {}
            _ => reader.error(&node.place, format!("`{name}` must be six ascending numbers")),
        }
    }
}
