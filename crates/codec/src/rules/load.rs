//! Reads the sections of a rule file one after the other, and hands over the file or all that is wrong with it.

use bellwether_engine::feature::symbols;
use bellwether_engine::settings::Settings;
use bellwether_engine::time::Time;
use xxhash_rust::xxh3::xxh3_128;

use super::rule_tests::{Known, RuleTest};
use super::signals::Signals;
use super::{RuleFile, RuleFileErrors, health, holidays, kpis, life, own_features, rule_tests, settings, signals, suppressions, time_zone};
use crate::timestamp::parse_date_or_time;
use crate::yaml::{Node, Reader, Value, parse, render, tags};

const SECTIONS: [&str; 13] = [
    "settings",
    "features",
    "holidays",
    "kpis",
    "targets",
    "health",
    "stages",
    "suppressions",
    "signals",
    "tests",
    "silences",
    "quiet_until",
    time_zone::SECTION,
];

pub(super) fn load(name: &str, text: &str) -> Result<RuleFile, RuleFileErrors> {
    let hash = xxh3_128(text.as_bytes());
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let root = parse(text, "rule file").map_err(|mistake| render(name, text, vec![mistake]))?;
    let mut reader = Reader::new(text);
    tags(text, "rule files", &root, &mut reader.mistakes);
    reader.symbols = symbols();
    let (settings, signals, tests, time_zone) = sections(&mut reader, &root);
    if !reader.mistakes.is_empty() {
        return Err(render(name, text, reader.mistakes));
    }
    let Signals { rules, definitions, lines: rule_lines, .. } = signals;
    let symbols = reader.symbols;
    Ok(RuleFile { name: name.to_owned(), rules, definitions, symbols, rule_lines, settings, tests, time_zone, hash })
}

fn sections(reader: &mut Reader<'_>, root: &Node) -> (Settings, Signals, Vec<RuleTest>, Option<String>) {
    let mut all = Settings::default();
    if matches!(root.value, Value::Nothing) {
        reader.error_with_help(&(0..0), "the file is empty", "a rule file has at least `signals`");
        return (all, Signals::default(), Vec::new(), None);
    }
    let fields = reader.fields(root, "a rule file", &SECTIONS);
    if let Some(node) = fields.get("holidays") {
        all.holidays = holidays::holidays(reader, node);
    }
    if let Some(node) = fields.get(time_zone::SECTION) {
        all.business_hours.zone = time_zone::read(reader, node);
    }
    let has_table = fields.get(time_zone::SECTION).is_some();
    let time_zone = fields.get("settings").and_then(|node| settings::settings(reader, node, &mut all, has_table));
    if let Some(node) = fields.get("features") {
        all.own = own_features::own_features(reader, node);
    }
    if let Some(node) = fields.get("stages") {
        suppressions::name_stages(reader, node);
    }
    if let Some(node) = fields.get("kpis") {
        kpis::kpis(reader, node, &mut all.kpis);
    }
    if let Some(node) = fields.get("targets") {
        kpis::targets(reader, node, &mut all.kpis);
    }
    if let Some(node) = fields.get("quiet_until") {
        all.quiet_until = quiet_until(reader, node);
    }
    if let Some(node) = fields.get("health") {
        all.health = health::health(reader, node);
        all.stages_first = health::reads_stage(&all.health);
    }
    if let Some(node) = fields.get("stages") {
        all.stages = suppressions::stages(reader, node, all.stages_first);
    }
    let suppressions = suppressions::suppressions(reader, fields.get("suppressions"));
    let signals = fields.get("signals").map(|node| signals::signals(reader, node, &suppressions));
    let signals = signals.unwrap_or_default();
    if let Some(node) = fields.get("silences") {
        all.life.silences = life::silences(reader, node, &signals.names);
    }
    let known = Known { rules: &signals.names, suppressions: &suppressions.names };
    let tests = fields.get("tests").map(|node| rule_tests::tests(reader, node, &known)).unwrap_or_default();
    all.suppressions = suppressions.compiled;
    (all, signals, tests, time_zone)
}

/// An instant, or the first one of a day.
fn quiet_until(reader: &mut Reader<'_>, node: &Node) -> Time {
    let Some(text) = reader.text(node, "a time") else { return Time::MIN };
    parse_date_or_time(text).unwrap_or_else(|error| {
        reader.error_with_help(&node.place, format!("quiet_until: {error}"), "write 2026-03-01 or 2026-03-01T08:15:00Z");
        Time::MIN
    })
}
