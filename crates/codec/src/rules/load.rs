//! Reads the sections of a rule file one after the other, and hands over the file or all that is wrong with it.

use bellwether_engine::settings::Settings;
use bellwether_engine::time::Time;
use xxhash_rust::xxh3::xxh3_128;

use super::rule_tests::{Known, RuleTest};
use super::signals::Signals;
use super::{RuleFile, RuleFileErrors, health, life, rule_tests, settings, signals, suppressions};
use crate::timestamp::parse_date_or_time;
use crate::yaml::{Node, Reader, Value, parse, render, tags};

const SECTIONS: [&str; 8] = ["settings", "health", "stages", "suppressions", "signals", "tests", "silences", "quiet_until"];

pub(super) fn load(name: &str, text: &str) -> Result<RuleFile, RuleFileErrors> {
    let hash = xxh3_128(text.as_bytes());
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let root = parse(text, "rule file").map_err(|mistake| render(name, text, vec![mistake]))?;
    let mut reader = Reader::new(text);
    tags(text, "rule files", &root, &mut reader.mistakes);
    let (settings, signals, tests) = sections(&mut reader, &root);
    if !reader.mistakes.is_empty() {
        return Err(render(name, text, reader.mistakes));
    }
    let Signals { rules, lines: rule_lines, .. } = signals;
    Ok(RuleFile { name: name.to_owned(), rules, rule_lines, settings, tests, hash })
}

fn sections(reader: &mut Reader<'_>, root: &Node) -> (Settings, Signals, Vec<RuleTest>) {
    let mut all = Settings::default();
    if matches!(root.value, Value::Nothing) {
        reader.error_with_help(&(0..0), "the file is empty", "a rule file has at least `signals`");
        return (all, Signals::default(), Vec::new());
    }
    let fields = reader.fields(root, "a rule file", &SECTIONS);
    if let Some(node) = fields.get("settings") {
        settings::settings(reader, node, &mut all);
    }
    if let Some(node) = fields.get("quiet_until") {
        all.quiet_until = quiet_until(reader, node);
    }
    if let Some(node) = fields.get("health") {
        all.health = health::health(reader, node);
    }
    if let Some(node) = fields.get("stages") {
        all.stages = suppressions::stages(reader, node);
    }
    let suppressions = fields.get("suppressions").map(|node| suppressions::suppressions(reader, node));
    let suppressions = suppressions.unwrap_or_default();
    let signals = fields.get("signals").map(|node| signals::signals(reader, node, &suppressions));
    let signals = signals.unwrap_or_default();
    if let Some(node) = fields.get("silences") {
        all.life.silences = life::silences(reader, node, &signals.names);
    }
    let known = Known { rules: &signals.names, suppressions: &suppressions.names };
    let tests = fields.get("tests").map(|node| rule_tests::tests(reader, node, &known)).unwrap_or_default();
    all.suppressions = suppressions.compiled;
    (all, signals, tests)
}

/// An instant, or the first one of a day.
fn quiet_until(reader: &mut Reader<'_>, node: &Node) -> Time {
    let Some(text) = reader.text(node, "a time") else { return Time::MIN };
    parse_date_or_time(text).unwrap_or_else(|error| {
        reader.error_with_help(&node.place, format!("quiet_until: {error}"), "write 2026-03-01 or 2026-03-01T08:15:00Z");
        Time::MIN
    })
}
