//! The summary of a run: as JSON for machines, and in a few lines for people.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bellwether_codec::summary::Summary;

use crate::failure::Failure;
use crate::sizes::{count, memory, money};

/// Writes the summary as JSON.
pub fn write(summary: &Summary, path: &Path) -> Result<(), Failure> {
    let mut text = serde_json::to_string_pretty(summary).map_err(|error| Failure::Run(format!("the summary is not JSON: {error}")))?;
    text.push('\n');
    fs::write(path, text).map_err(|error| Failure::writing(path, &error))
}

/// The summary in words.
pub fn in_words(summary: &Summary) -> String {
    let rows = [("events", events(summary)), ("customers", customers(summary)), ("signals", signals(summary)), ("took", took(summary))];
    let rows: Vec<String> = rows.iter().map(|(name, words)| format!("{name:<10} {words}")).collect();
    rows.join("\n")
}

fn events(summary: &Summary) -> String {
    let mut words = format!("{} read, {} journaled", count(summary.events), count(summary.journaled));
    let others = [
        (summary.duplicates, "duplicates dropped"),
        (summary.too_late, "too late for their windows"),
        (summary.limited, "met a full table"),
        (summary.poisoned, "left out because folding them panicked"),
    ];
    for (number, meaning) in others.iter().filter(|(number, _)| *number > 0) {
        words.push_str(&format!(", {} {meaning}", count(*number)));
    }
    if summary.rejected_total() > 0 {
        let reasons: Vec<String> = summary.rejected.iter().map(|(reason, number)| format!("{reason} {}", count(*number))).collect();
        words.push_str(&format!(", {} refused ({})", count(summary.rejected_total()), reasons.join(", ")));
    }
    words
}

fn customers(summary: &Summary) -> String {
    let mut words = format!("{} seen, {} active", count(summary.customers), count(summary.active_customers));
    if !summary.mrr_minor.is_empty() {
        let sums: Vec<String> = summary.mrr_minor.iter().map(|(currency, minor)| money(*minor, currency)).collect();
        words.push_str(&format!(", MRR {}", sums.join(" + ")));
    }
    words
}

fn signals(summary: &Summary) -> String {
    let mut by_transition: BTreeMap<&str, u64> = BTreeMap::new();
    for (transition, number) in summary.signals.values().flatten() {
        *by_transition.entry(transition).or_default() += number;
    }
    let names = [
        ("raised", "raised"),
        ("escalated", "escalated"),
        ("eased", "eased"),
        ("cleared", "cleared"),
        ("resolved", "resolved"),
        ("expired", "expired"),
        ("decided", "decided not to be sent"),
    ];
    let told = names.iter().filter_map(|(name, words)| Some(format!("{} {words}", count(*by_transition.get(name)?))));
    let told: Vec<String> = told.collect();
    if told.is_empty() { "none".to_owned() } else { told.join(", ") }
}

fn took(summary: &Summary) -> String {
    let mut words = format!("{:.1} s", summary.wall_seconds);
    if summary.peak_memory_bytes > 0 {
        words.push_str(&format!(", at most {} of memory", memory(summary.peak_memory_bytes)));
    }
    words
}
