//! The section `signals` of a rule file: the rules.

use std::sync::Arc;

use bellwether_engine::customer::name_hash;
use bellwether_engine::event_type::{EventType, EventTypes, Family};
use bellwether_engine::feature::FeatureSet;
use bellwether_engine::rule::{Kind, Mode, ObjectKind, Rule, RuleDefinition, RuleError, Severity};
use bellwether_engine::rule_set::MAX_RULES;

use super::life::positive_duration;
use super::scopes::{AT_RISK, About, Place};
use super::suppressions::Suppressions;
use crate::yaml::{Fields, Node, Reader, line_and_column};

const FIELDS: [&str; 19] = [
    "name",
    "kind",
    "object",
    "params",
    "when",
    "until",
    "for",
    "until_for",
    "cooldown",
    "expires",
    "severity",
    "needs",
    "unless",
    "inhibited_by",
    "warm_up",
    "priority",
    "mode",
    "summary",
    "playbook",
];

const DEFAULT_JOB_SIZE: u8 = 3;
const DEFAULT_PRECISION: f64 = 0.2;

/// Rules with their lines, and the names of all, also of those with mistakes.
#[derive(Default)]
pub(super) struct Signals {
    pub rules: Vec<Arc<Rule>>,
    /// What each of the rules was compiled from.
    pub definitions: Vec<RuleDefinition>,
    pub lines: Vec<usize>,
    pub names: Vec<String>,
}

/// Reads the rules.
pub(super) fn signals(reader: &mut Reader<'_>, node: &Node, suppressions: &Suppressions) -> Signals {
    let mut signals = Signals::default();
    let items = reader.list(node, "signals");
    if let Some(item) = items.get(MAX_RULES) {
        reader.error(&item.place, format!("a rule file has at most {MAX_RULES} signals, and this has {}", items.len()));
    }
    for item in items {
        let fields = reader.fields(item, "a signal", &FIELDS);
        let name_node = reader.required(&fields, "a signal", "name");
        let name = name_node.and_then(|node| reader.name(node, "a signal"));
        if let (Some(node), Some(name)) = (name_node, name) {
            unique_name(reader, node, name, &signals.names);
            signals.names.push(name.to_owned());
        }
        if let Some((rule, definition)) = rule(reader, &fields, name.unwrap_or_default(), suppressions, &signals) {
            signals.rules.push(rule);
            signals.definitions.push(definition);
            signals.lines.push(line_and_column(reader.text, item.place.start).0);
        }
    }
    signals
}

fn unique_name(reader: &mut Reader<'_>, node: &Node, name: &str, others: &[String]) {
    if others.iter().any(|other| other == name) {
        reader.error(&node.place, format!("there are two signals `{name}`"));
    } else if let Some(other) = others.iter().find(|other| name_hash(other) == name_hash(name)) {
        let message = format!("`{name}` has the same hash as `{other}`");
        reader.error_with_help(&node.place, message, "states know rules by a short hash of the name: choose another");
    }
}

/// Reads one rule. With mistakes it goes on with defaults, so that all are found.
fn rule(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    name: &str,
    suppressions: &Suppressions,
    above: &Signals,
) -> Option<(Arc<Rule>, RuleDefinition)> {
    let kinds = Kind::ALL.map(|kind| (kind.name(), kind));
    let kind = reader.required(fields, "a signal", "kind").and_then(|node| reader.choice(node, "kind", &kinds));
    let object = fields.get("object").and_then(|node| reader.choice(node, "object", &ObjectKind::ALL.map(swap)));
    let mut duration = |field| fields.get(field).and_then(|node| reader.duration(node, field));
    let (hold_ms, clear_hold_ms, cooldown_ms) = (duration("for"), duration("until_for"), duration("cooldown"));
    let warm_up_ms = duration("warm_up");
    let expires_ms = fields.get("expires").and_then(|node| positive_duration(reader, node, "expires"));
    let when = reader.required(fields, "a signal", "when");
    let summary = reader.required(fields, "a signal", "summary");
    let (job_size, precision) = priority(reader, fields);
    let modes = [("live", Mode::Live), ("shadow", Mode::Shadow)];
    let definition = RuleDefinition {
        name: name.to_owned(),
        kind: kind.unwrap_or(Kind::Attention),
        object,
        params: params(reader, fields),
        // What is missing is told already, and holds always.
        when: when.and_then(|node| reader.expression(node)).unwrap_or_else(|| "true".to_owned()),
        until: fields.get("until").and_then(|node| reader.expression(node)),
        hold_ms: hold_ms.unwrap_or(0),
        clear_hold_ms: clear_hold_ms.unwrap_or(0),
        cooldown_ms: cooldown_ms.unwrap_or(0),
        expires_ms,
        severity: severity(reader, fields),
        needs: needs(reader, fields),
        unless: unless(reader, fields, kind == Some(Kind::AtRisk), suppressions),
        inhibited_by: inhibited_by(reader, fields, name, kind, above),
        warm_up_ms,
        job_size,
        precision,
        mode: fields.get("mode").and_then(|node| reader.choice(node, "mode", &modes)).unwrap_or(Mode::Live),
        summary: summary.and_then(|node| reader.text(node, "a summary")).unwrap_or_default().to_owned(),
        playbook: fields.get("playbook").and_then(|node| reader.text(node, "the name of a playbook")).unwrap_or_default().to_owned(),
    };
    let place = Place::Rule { at_risk: kind == Some(Kind::AtRisk), about: about(fields, object) };
    let compiled = Rule::compile(&definition, &place.symbols(&reader.symbols), &suppressions.compiled);
    let rule = compiled.map_err(|errors| rule_errors(reader, fields, &definition, errors, place)).ok()?;
    Some((rule, definition))
}

/// Places the mistakes that the engine found: all are in expressions and the summary, the rest was checked before.
fn rule_errors(reader: &mut Reader<'_>, fields: &Fields<'_>, definition: &RuleDefinition, errors: Vec<RuleError>, place: Place<'_>) {
    for RuleError { field, error } in errors {
        let level = field.strip_prefix("severity.");
        let node = match level {
            Some(level) => fields.get("severity").and_then(|node| node.entry(level)),
            None => fields.get(&field),
        };
        let severity = definition.severity.iter().find(|(severity, _)| Some(severity.name()) == level);
        let source = match field.as_str() {
            "when" => &definition.when,
            "summary" => &definition.summary,
            "until" => definition.until.as_ref().unwrap_or(&definition.when),
            _ => severity.map_or(&definition.when, |(_, source)| source),
        };
        if let Some(node) = node {
            reader.expression_errors(node, source, vec![error], place);
        }
    }
}

fn about(fields: &Fields<'_>, object: Option<ObjectKind>) -> About<'static> {
    match ObjectKind::ALL.iter().find(|(known, _)| Some(*known) == object) {
        Some((_, name)) => About::Object(name),
        None if fields.get("object").is_some() => About::Unclear,
        None => About::Customer,
    }
}

fn swap((value, name): (ObjectKind, &'static str)) -> (&'static str, ObjectKind) {
    (name, value)
}

fn params(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Vec<(String, f64)> {
    let Some(node) = fields.get("params") else { return Vec::new() };
    let mut params = Vec::new();
    for (key, name, node) in reader.open_fields(node, "params").entries {
        if reader.symbols.iter().any(|symbol| symbol.name == name) {
            reader.error_with_help(&key.place, format!("the param `{name}` hides the feature"), "choose another name");
        } else if !is_word(name) {
            let help = "params are made of a-z, 0-9 and `_`, and are no word of the language";
            reader.error_with_help(&key.place, format!("`{name}` cannot be the name of a param"), help);
        }
        let value = reader.number(node, name, f64::MIN..=f64::MAX);
        // Known with any value, so that its uses are no mistakes of their own.
        params.push((name.to_owned(), value.unwrap_or(1.0)));
    }
    params
}

/// Whether expressions can hold it as a name of the user's choice.
pub(super) fn is_word(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    name.bytes().all(is_part) && !name.as_bytes()[0].is_ascii_digit() && !WORDS.contains(&name)
}

/// Words that mean something in expressions, here or where people come from.
const WORDS: [&str; 9] = ["true", "false", "max", "min", "abs", "has", "and", "or", "not"];

fn severity(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Vec<(Severity, String)> {
    let Some(node) = fields.get("severity") else { return vec![(Severity::Warning, "true".to_owned())] };
    let levels = Severity::ALL.map(Severity::name);
    let given = reader.fields(node, "severity", &levels);
    let conditions = Severity::ALL.into_iter().filter_map(|severity| {
        let node = given.get(severity.name())?;
        Some((severity, reader.expression(node)?))
    });
    conditions.collect()
}

fn needs(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Vec<String> {
    let Some(node) = fields.get("needs") else { return Vec::new() };
    let mut needs = Vec::new();
    for item in reader.list(node, "event types or families") {
        let Some(name) = reader.text(item, "an event type or family") else { continue };
        if EventTypes::named(name).is_some() {
            needs.push(name.to_owned());
        } else {
            let types = EventType::ALL.iter().map(|(_, name, _)| *name);
            let known = types.chain(Family::ALL.iter().map(|family| family.name()));
            reader.unknown(&item.place, "event type or family", name, known);
        }
    }
    needs
}

fn unless(reader: &mut Reader<'_>, fields: &Fields<'_>, at_risk: bool, suppressions: &Suppressions) -> Vec<String> {
    let Some(node) = fields.get("unless") else { return Vec::new() };
    let mut unless = Vec::new();
    for item in reader.list(node, "names of suppressions") {
        let Some(name) = reader.text(item, "the name of a suppression") else { continue };
        if !suppressions.names.iter().any(|known| known == name) {
            reader.unknown(&item.place, "suppression", name, suppressions.names.iter().map(String::as_str));
        }
        let Some(known) = suppressions.compiled.iter().find(|known| known.name == name) else { continue };
        if at_risk && FeatureSet(known.when.features()).intersects(AT_RISK) {
            let message = format!("`{name}` depends on the at-risk rules and cannot hold one back");
            reader.error(&item.place, message);
        }
        unless.push(name.to_owned());
    }
    unless
}

/// Names of rules above: rules are looked at in the order of the file, those at risk first, and what holds one back is settled before it.
fn inhibited_by(reader: &mut Reader<'_>, fields: &Fields<'_>, own_name: &str, kind: Option<Kind>, above: &Signals) -> Vec<String> {
    let Some(node) = fields.get("inhibited_by") else { return Vec::new() };
    let mut inhibited_by = Vec::new();
    for item in reader.list(node, "names of signals") {
        let Some(name) = reader.text(item, "the name of a signal") else { continue };
        if name == own_name || !above.names.iter().any(|known| known == name) {
            let message = format!("`{name}` is no signal above this one");
            reader.error_with_help(&item.place, message, "a signal is held back by those that stand before it");
        } else if kind == Some(Kind::AtRisk) && above.rules.iter().any(|rule| rule.name == name && rule.kind != Kind::AtRisk) {
            reader.error(&item.place, format!("`{name}` is not `at_risk`, and at-risk signals are looked at first"));
        }
        inhibited_by.push(name.to_owned());
    }
    inhibited_by
}

fn priority(reader: &mut Reader<'_>, fields: &Fields<'_>) -> (u8, f64) {
    let Some(node) = fields.get("priority") else { return (DEFAULT_JOB_SIZE, DEFAULT_PRECISION) };
    let fields = reader.fields(node, "the priority", &["job_size", "precision"]);
    let job_size = fields.get("job_size").and_then(|node| reader.whole(node, "job_size", 1..=21));
    let precision = fields.get("precision").and_then(|node| reader.number(node, "precision", 0.0..=1.0));
    (job_size.map_or(DEFAULT_JOB_SIZE, |size| size as u8), precision.unwrap_or(DEFAULT_PRECISION))
}
