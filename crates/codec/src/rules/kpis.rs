//! The sections `kpis` and `targets` of a rule file.

use std::ops::RangeInclusive;

use bellwether_engine::kpi::{KpiSettings, Labels, MAX_LABELS, MONEY_AMOUNTS, OTHER, amount_target, plain_targets};
use iso_currency::Currency;

use crate::yaml::{Node, Reader};

const FIELDS: [&str; 8] =
    ["segments", "plans", "industries", "channels", "campaigns", "gross_margin", "lifetime_cap_months", "campaign_horizon"];

/// What a target may be.
const TARGETS: RangeInclusive<f64> = -1e12..=1e12;

/// The longest life of a customer that may be assumed, months.
const MAX_LIFETIME_MONTHS: f64 = 600.0;

/// Reads what is given, and leaves the rest as it was.
pub(super) fn kpis(reader: &mut Reader<'_>, node: &Node, settings: &mut KpiSettings) {
    let fields = reader.fields(node, "the KPIs", &FIELDS);
    let labels = [
        ("segments", &mut settings.segments),
        ("plans", &mut settings.plans),
        ("industries", &mut settings.industries),
        ("channels", &mut settings.channels),
        ("campaigns", &mut settings.campaigns),
    ];
    for (name, labels) in labels {
        if let Some(node) = fields.get(name) {
            *labels = read_labels(reader, node, name);
        }
    }
    if let Some(margin) = fields.get("gross_margin").and_then(|node| reader.number(node, "gross_margin", 0.0..=1.0)) {
        settings.gross_margin = margin;
    }
    let cap = fields.get("lifetime_cap_months");
    if let Some(months) = cap.and_then(|node| reader.number(node, "lifetime_cap_months", 1.0..=MAX_LIFETIME_MONTHS)) {
        settings.lifetime_cap_months = months;
    }
    if let Some(horizon_ms) = fields.get("campaign_horizon").and_then(|node| reader.duration(node, "campaign_horizon")) {
        settings.campaign_horizon_ms = horizon_ms;
    }
}

/// Reads the targets by the name of their KPI.
pub(super) fn targets(reader: &mut Reader<'_>, node: &Node, settings: &mut KpiSettings) {
    let fields = reader.open_fields(node, "the targets by the name of a KPI");
    for (key, name, node) in &fields.entries {
        if MONEY_AMOUNTS.iter().any(|kpi| kpi.name == *name) {
            amounts(reader, name, node, settings);
        } else if !plain_targets().any(|kpi| kpi.name == *name) {
            reader.unknown(&key.place, "KPI", name, plain_targets().chain(&MONEY_AMOUNTS).map(|kpi| kpi.name));
        } else if let Some(target) = reader.number(node, name, TARGETS) {
            settings.targets.insert((*name).to_owned(), target);
        }
    }
}

/// Reads the targets of an amount by currency: amounts of two currencies have nothing in common.
fn amounts(reader: &mut Reader<'_>, name: &str, node: &Node, settings: &mut KpiSettings) {
    let fields = reader.open_fields(node, &format!("{name} by currency, in minor units"));
    for (key, code, node) in &fields.entries {
        if Currency::from_code(code).is_none() {
            reader.error_with_help(&key.place, format!("`{code}` is no currency of ISO 4217"), "write it like EUR".to_owned());
        } else if let Some(target) = reader.number(node, &format!("{name} of {code}"), TARGETS) {
            settings.targets.insert(amount_target(name, code), target);
        }
    }
}

fn read_labels(reader: &mut Reader<'_>, node: &Node, what: &str) -> Labels {
    let items = reader.list(node, what);
    if items.len() > MAX_LABELS {
        let help = format!("what is not named counts as `{OTHER}`");
        reader.error_with_help(&node.place, format!("{} {what} are too many to tell apart: at most {MAX_LABELS}", items.len()), help);
    }
    let mut labels: Vec<Box<str>> = Vec::new();
    for item in items {
        let Some(label) = reader.text(item, "a name") else { continue };
        if labels.iter().any(|known| **known == *label) || label == OTHER {
            reader.error(&item.place, format!("`{label}` is named already"));
        }
        labels.push(label.into());
    }
    Labels(labels)
}
