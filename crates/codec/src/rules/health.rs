//! The section `health` of a rule file.

use bellwether_engine::feature::{Feature, FeatureSet};
use bellwether_engine::settings::{Component, HealthProfile, Veto};

use super::scopes::Place;
use crate::yaml::{Node, Reader};

/// Reads the health profile.
pub(super) fn health(reader: &mut Reader<'_>, node: &Node) -> HealthProfile {
    let mut profile = HealthProfile { version: 1, ..HealthProfile::default() };
    let fields = reader.fields(node, "health", &["version", "grades", "components", "vetoes"]);
    if let Some(version) = fields.get("version").and_then(|node| reader.whole(node, "version", 0..=u32::MAX)) {
        profile.version = version;
    }
    if let Some(node) = reader.required(&fields, "health", "grades") {
        grades(reader, node, &mut profile);
    }
    if let Some(node) = reader.required(&fields, "health", "components") {
        let items = reader.list(node, "components");
        if items.is_empty() {
            reader.error(&node.place, "health needs at least one component");
        }
        profile.components = items.iter().filter_map(|item| component(reader, item)).collect();
        unique_names(reader, items, "components");
    }
    if let Some(node) = fields.get("vetoes") {
        let items = reader.list(node, "vetoes");
        profile.vetoes = items.iter().filter_map(|item| veto(reader, item)).collect();
        unique_names(reader, items, "vetoes");
    }
    let inputs = profile.components.iter().flat_map(|component| &component.inputs);
    let inputs: Vec<Feature> = inputs.map(|(feature, _)| *feature).collect();
    profile.features = FeatureSet::of(&inputs);
    profile.vetoes.iter().for_each(|veto| profile.features.add(FeatureSet(veto.when.features())));
    profile
}

fn grades(reader: &mut Reader<'_>, node: &Node, profile: &mut HealthProfile) {
    let fields = reader.fields(node, "the grades", &["amber", "green"]);
    let mut from = |name| {
        let node = reader.required(&fields, "the grades", name)?;
        reader.number(node, name, 0.0..=100.0)
    };
    if let (Some(amber), Some(green)) = (from("amber"), from("green")) {
        if amber >= green {
            reader.error(&node.place, format!("green from {green} must be over amber from {amber}"));
        }
        (profile.amber_from, profile.green_from) = (amber, green);
    }
}

fn component(reader: &mut Reader<'_>, node: &Node) -> Option<Component> {
    let fields = reader.fields(node, "a component", &["name", "weight", "inputs"]);
    let name = reader.required(&fields, "a component", "name");
    let name = name.and_then(|node| reader.text(node, "the name of a component"));
    let weight = reader.required(&fields, "a component", "weight").and_then(|node| {
        let weight = reader.number(node, "weight", f64::MIN..=f64::MAX)?;
        if weight <= 0.0 {
            reader.error(&node.place, format!("weight is {weight}, and must be over 0"));
        }
        Some(weight)
    });
    let inputs_node = reader.required(&fields, "a component", "inputs")?;
    let inputs = reader.open_fields(inputs_node, "the points by feature");
    if inputs.entries.is_empty() {
        reader.error(&inputs_node.place, "a component needs at least one feature");
    }
    let inputs = inputs.entries.iter().filter_map(|(key, name, node)| {
        let points = points(reader, node);
        Some((input_feature(reader, key, name)?, points))
    });
    let inputs = inputs.collect();
    Some(Component { name: name?.to_owned(), weight: weight?, inputs })
}

fn input_feature(reader: &mut Reader<'_>, key: &Node, name: &str) -> Option<Feature> {
    let row = Feature::ALL.iter().find(|row| row.name == name);
    let Some(row) = row else {
        let symbols = Place::Health.symbols();
        reader.unknown(&key.place, "feature", name, symbols.iter().map(|symbol| &*symbol.name));
        return None;
    };
    if let Some((message, help)) = Place::Health.barrier(row) {
        reader.error_with_help(&key.place, message, help);
    }
    Some(row.feature)
}

/// Points of a piecewise-linear map: x ascending, y from 0 to 100.
fn points(reader: &mut Reader<'_>, node: &Node) -> Vec<(f64, f64)> {
    let items = reader.list(node, "points [x, y]");
    let mut points: Vec<(f64, f64)> = Vec::with_capacity(items.len());
    if items.len() == 1 {
        reader.error(&node.place, "a line needs at least two points [x, y]");
    }
    for item in items {
        let [x, y] = reader.list(item, "two numbers [x, y]") else {
            reader.error(&item.place, "a point is two numbers [x, y]");
            continue;
        };
        let point = (reader.number(x, "x", f64::MIN..=f64::MAX), reader.number(y, "y", 0.0..=100.0));
        let (Some(at), Some(value)) = point else { continue };
        if let Some((before, _)) = points.last().filter(|(before, _)| at <= *before) {
            reader.error(&x.place, format!("points go by ascending x, and {at} is not over {before}"));
        }
        points.push((at, value));
    }
    points
}

fn veto(reader: &mut Reader<'_>, node: &Node) -> Option<Veto> {
    let fields = reader.fields(node, "a veto", &["name", "when", "cap"]);
    let name = reader.required(&fields, "a veto", "name");
    let name = name.and_then(|node| reader.text(node, "the name of a veto"));
    let when = reader.required(&fields, "a veto", "when");
    let when = when.and_then(|node| reader.condition(node, Place::Health));
    let cap = reader.required(&fields, "a veto", "cap").and_then(|node| reader.number(node, "cap", 0.0..=100.0));
    Some(Veto { name: name?.to_owned(), when: when?, cap: cap? })
}

/// Contributions are told by name, so each name stands once. What is no name is told elsewhere.
fn unique_names(reader: &mut Reader<'_>, items: &[Node], what: &str) {
    let mut seen: Vec<&str> = Vec::new();
    for item in items {
        let crate::yaml::Value::Mapping(entries) = &item.value else { continue };
        for (key, value) in entries {
            let (Some("name"), Some(name)) = (key.as_text(), value.as_text()) else { continue };
            if seen.contains(&name) {
                reader.error(&value.place, format!("there are two {what} `{name}`"));
            }
            seen.push(name);
        }
    }
}
