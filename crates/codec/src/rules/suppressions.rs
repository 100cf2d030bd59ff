//! The sections `suppressions` and `stages` of a rule file: lists of named conditions.

use std::sync::Arc;

use bellwether_engine::expression::{Expected, Scope, compile};
use bellwether_engine::feature::{Feature, FeatureSet};
use bellwether_engine::journey::{MAX_STAGES, stage_hash};
use bellwether_engine::settings::{Stage, Suppression};

use super::RESERVED_REASONS;
use super::scopes::{HEALTH, Place};
use crate::yaml::{Node, Reader, Value};

/// Suppressions, and the names of all, also of those with mistakes.
#[derive(Default)]
pub(super) struct Suppressions {
    pub compiled: Vec<Suppression>,
    pub names: Vec<String>,
}

/// The suppression that every rule file has, unless it defines another of that name: the calendar of the customer's country.
const HOLIDAY: &str = "holiday";

/// Reads the suppressions, and adds the built-in one.
pub(super) fn suppressions(reader: &mut Reader<'_>, node: Option<&Node>) -> Suppressions {
    let mut found = Suppressions::default();
    for item in node.map(|node| reader.list(node, "suppressions")).unwrap_or_default() {
        let fields = reader.fields(item, "a suppression", &["name", "when"]);
        let name = reader.required(&fields, "a suppression", "name");
        let name = name.and_then(|node| Some((node, reader.name(node, "a suppression")?)));
        let when = reader.required(&fields, "a suppression", "when");
        let when = when.and_then(|node| reader.condition(node, Place::Suppression));
        let Some((node, name)) = name else { continue };
        if RESERVED_REASONS.contains(&name) {
            reader.error(&node.place, format!("`{name}` is a reason of its own and cannot be the name of a suppression"));
        }
        if found.names.iter().any(|known| known == name) {
            reader.error(&node.place, format!("there are two suppressions `{name}`"));
        }
        found.names.push(name.to_owned());
        found.compiled.extend(when.map(|when| Suppression { name: name.to_owned(), when }));
    }
    if !found.names.iter().any(|name| name == HOLIDAY) {
        let scope = Scope { symbols: &reader.symbols, params: &[] };
        let when = compile("holiday", Expected::Boolean, &scope).expect("`holiday` is a feature");
        found.names.push(HOLIDAY.to_owned());
        found.compiled.push(Suppression { name: HOLIDAY.to_owned(), when });
    }
    found
}

/// Lets expressions know the names of the stages, wherever they stand.
pub(super) fn name_stages(reader: &mut Reader<'_>, node: &Node) {
    let Value::List(items) = &node.value else { return };
    let names: Vec<Arc<str>> = items.iter().filter_map(|item| item.entry("name")?.as_text()).map(Arc::from).collect();
    if names.is_empty() {
        return;
    }
    let labels: Arc<[Arc<str>]> = names.into();
    let stage = reader.symbols.iter_mut().find(|symbol| symbol.feature == Feature::Stage as u16);
    stage.expect("the stage is a feature").labels = Some(labels);
}

/// Reads the stages. Where they are found before health, their conditions cannot read that.
pub(super) fn stages(reader: &mut Reader<'_>, node: &Node, before_health: bool) -> Vec<Stage> {
    let mut stages: Vec<Stage> = Vec::new();
    let items = reader.list(node, "stages");
    if let Some(item) = items.get(MAX_STAGES) {
        reader.error(&item.place, format!("a journey has at most {MAX_STAGES} stages, and this has {}", items.len()));
    }
    for item in items.iter().take(MAX_STAGES) {
        let fields = reader.fields(item, "a stage", &["name", "when"]);
        let name = reader.required(&fields, "a stage", "name");
        let name = name.and_then(|node| Some((node, reader.name(node, "a stage")?)));
        let when_node = reader.required(&fields, "a stage", "when");
        let when = when_node.and_then(|node| reader.condition(node, Place::Stage));
        if let (Some(node), Some(when)) = (when_node, &when)
            && before_health
            && FeatureSet(when.features()).intersects(HEALTH)
        {
            let help = "a health profile is chosen by the stage, so the stage comes first";
            reader.error_with_help(&node.place, "this reads health, which follows from the stage here", help);
        }
        let Some((node, name)) = name else { continue };
        if stages.iter().any(|known| &*known.name == name) {
            reader.error(&node.place, format!("there are two stages `{name}`"));
        } else if let Some(known) = stages.iter().find(|known| known.hash == stage_hash(name)) {
            let message = format!("`{name}` has the same hash as `{}`", known.name);
            reader.error_with_help(&node.place, message, "states know stages by a short hash of the name: choose another");
        }
        stages.extend(when.map(|when| Stage::new(name, when)));
    }
    stages
}
