//! How signals live, in a rule file: outcomes, expiry, hold-out and the owner's cap among the settings, and the section `silences`.

use bellwether_engine::life_settings::{Churn, HoldOut, LifeSettings, MAX_SILENCES, Silence};
use bellwether_engine::time::Time;

use crate::timestamp::parse_date_or_time;
use crate::yaml::{Fields, Node, Reader, Value};

/// Fields of the section `settings` that are read here.
pub(super) const FIELDS: [&str; 8] = ["churn", "horizon", "min_lead", "expires", "snooze", "inhibition", "hold_out", "owner_cap"];

/// The longest horizon and the highest age at which episodes expire: ten years.
const MAX_DURATION_MS: i64 = 3_650 * bellwether_engine::time::DAY_MS;

/// Reads what is given, and leaves the rest as it was.
pub(super) fn settings(reader: &mut Reader<'_>, fields: &Fields<'_>, life: &mut LifeSettings) {
    if let Some(churn) = fields.get("churn").and_then(|node| reader.choice(node, "churn", &Churn::ALL)) {
        life.churn = churn;
    }
    let places = [
        ("horizon", &mut life.horizon_ms),
        ("min_lead", &mut life.min_lead_ms),
        ("expires", &mut life.expires_ms),
        ("snooze", &mut life.snooze_ms),
        ("inhibition", &mut life.inhibition_ms),
    ];
    for (name, setting) in places {
        let duration = fields.get(name).and_then(|node| positive_duration(reader, node, name));
        *setting = duration.unwrap_or(*setting);
    }
    if life.min_lead_ms > life.horizon_ms {
        let node = fields.get("min_lead").or_else(|| fields.get("horizon"));
        node.iter().for_each(|node| reader.error(&node.place, "`min_lead` is longer than `horizon`: no signal could be in time"));
    }
    if let Some(node) = fields.get("hold_out") {
        life.hold_out = hold_out(reader, node);
    }
    if let Some(node) = fields.get("owner_cap") {
        let fields = reader.fields(node, "the owner's cap", &["per_customer_week"]);
        let cap = reader.required(&fields, "the owner's cap", "per_customer_week");
        life.owner_cap = cap.and_then(|node| reader.whole(node, "per_customer_week", 1..=1_000));
    }
}

/// A duration over zero, and short enough to be meant.
pub(super) fn positive_duration(reader: &mut Reader<'_>, node: &Node, name: &str) -> Option<i64> {
    let duration = reader.duration(node, name)?;
    if (1..=MAX_DURATION_MS).contains(&duration) {
        return Some(duration);
    }
    reader.error(&node.place, format!("`{name}` is over zero and at most ten years"));
    None
}

fn hold_out(reader: &mut Reader<'_>, node: &Node) -> HoldOut {
    let fields = reader.fields(node, "the hold-out", &["share", "salt"]);
    let share = reader.required(&fields, "the hold-out", "share").and_then(|node| reader.number(node, "share", 0.0..=1.0));
    let salt = fields.get("salt").and_then(|node| reader.text(node, "a salt")).unwrap_or_default().to_owned();
    HoldOut { share: share.unwrap_or(0.0), salt }
}

/// Reads the silences. The section may be empty: those that were in it have ended.
pub(super) fn silences(reader: &mut Reader<'_>, node: &Node, rules: &[String]) -> Vec<Silence> {
    if matches!(node.value, Value::Nothing) {
        return Vec::new();
    }
    let items = reader.list(node, "silences");
    if let Some(item) = items.get(MAX_SILENCES) {
        reader.error(&item.place, format!("a rule file has at most {MAX_SILENCES} silences, and this has {}", items.len()));
    }
    let mut silences: Vec<Silence> = Vec::new();
    for item in items {
        let Some(silence) = silence(reader, item, rules) else { continue };
        if silences.iter().any(|known| known.name == silence.name) {
            reader.error(&item.place, format!("there are two silences `{}`", silence.name));
        }
        silences.push(silence);
    }
    silences
}

fn silence(reader: &mut Reader<'_>, node: &Node, rules: &[String]) -> Option<Silence> {
    let fields = reader.fields(node, "a silence", &["name", "rule", "customer", "owner", "segment", "from", "until", "reason"]);
    let name = reader.required(&fields, "a silence", "name").and_then(|node| reader.name(node, "a silence"));
    let rule = fields.get("rule").and_then(|node| {
        let rule = reader.text(node, "the name of a rule")?;
        if !rules.iter().any(|known| known == rule) {
            reader.unknown(&node.place, "rule", rule, rules.iter().map(String::as_str));
        }
        Some(rule.to_owned())
    });
    let mut text = |field: &str| fields.get(field).and_then(|node| reader.text(node, field)).map(str::to_owned);
    let (customer, owner, segment, reason) = (text("customer"), text("owner"), text("segment"), text("reason"));
    let from = fields.get("from").map_or(Some(Time::MIN), |node| time(reader, node));
    let until = reader.required(&fields, "a silence", "until").and_then(|node| time(reader, node));
    if from.zip(until).is_some_and(|(from, until)| until <= from) {
        reader.error(&node.place, "a silence ends after it begins");
    }
    if [&rule, &customer, &owner, &segment].iter().all(|one| one.is_none()) {
        reader.error(&node.place, "a silence names a rule, a customer, an owner or a segment");
    }
    Some(Silence { name: name?.to_owned(), rule, customer, owner, segment, from: from?, until: until?, reason: reason.unwrap_or_default() })
}

fn time(reader: &mut Reader<'_>, node: &Node) -> Option<Time> {
    let text = reader.text(node, "a time")?;
    let parsed = parse_date_or_time(text);
    parsed.map_err(|error| reader.error_with_help(&node.place, error.to_string(), "write 2026-03-01 or 2026-03-01T08:15:00Z")).ok()
}
