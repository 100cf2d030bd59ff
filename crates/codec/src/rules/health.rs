//! The section `health` of a rule file.

use bellwether_engine::customer::kept_name;
use bellwether_engine::feature::{Feature, FeatureSet};
use bellwether_engine::health_profile::{Axis, Component, HealthProfile, HealthProfiles, MAX_HEALTH_PROFILES, Veto};

use super::scopes::Place;
use crate::yaml::{Fields, Node, Reader};

/// Scores of experience and of outcomes from this on are good, where nothing else is said.
const GOOD_FROM: f64 = 50.0;

const FIELDS: [&str; 6] = ["version", "grades", "good_from", "components", "scale", "vetoes"];

/// Reads the profile of most customers, and the profiles of some.
pub(super) fn health(reader: &mut Reader<'_>, node: &Node) -> HealthProfiles {
    let fields = reader.fields(node, "health", &[&FIELDS[..], &["profiles"]].concat());
    let base = HealthProfile { version: 1, good_from: [GOOD_FROM; 2], ..HealthProfile::default() };
    let for_others = profile(reader, &fields, base);
    let mut profiles: Vec<HealthProfile> = Vec::new();
    let Some(node) = fields.get("profiles") else { return HealthProfiles::new(profiles, for_others) };
    let items = reader.list(node, "profiles");
    if let Some(item) = items.get(MAX_HEALTH_PROFILES - 1) {
        let limit = MAX_HEALTH_PROFILES - 1;
        reader.error(&item.place, format!("health has at most {limit} profiles beside its own, and this has {}", items.len()));
    }
    for item in items.iter().take(MAX_HEALTH_PROFILES - 1) {
        let fields = reader.fields(item, "a health profile", &[&FIELDS[..], &["name", "segments", "when"]].concat());
        let name = reader.required(&fields, "a health profile", "name").and_then(|node| reader.name(node, "a health profile"));
        let segments = fields.get("segments").map(|node| reader.list(node, "market segments")).unwrap_or_default();
        let segments = segments.iter().filter_map(|item| reader.text(item, "a market segment")).map(|name| kept_name(name).into_owned());
        let segments: Vec<String> = segments.collect();
        let when = fields.get("when").and_then(|node| reader.condition(node, Place::Profile));
        if fields.get("segments").is_none() && fields.get("when").is_none() {
            reader.error(&item.place, "a health profile has `segments`, `when` or both: whom it is for");
        }
        // What a profile does not say is as in that of most customers.
        let base = HealthProfile { name: name.unwrap_or_default().to_owned(), segments, when, version: 1, ..for_others.clone() };
        let profile = profile(reader, &fields, base);
        if profiles.iter().any(|known| known.name == profile.name) {
            reader.error(&item.place, format!("there are two health profiles `{}`", profile.name));
        }
        profiles.push(profile);
    }
    HealthProfiles::new(profiles, for_others)
}

/// Whether the stage chooses a profile.
pub(super) fn reads_stage(health: &HealthProfiles) -> bool {
    let conditions = health.all().iter().filter_map(|profile| profile.when.as_ref());
    conditions.into_iter().any(|when| FeatureSet(when.features()).contains(Feature::Stage))
}

fn profile(reader: &mut Reader<'_>, fields: &Fields<'_>, mut profile: HealthProfile) -> HealthProfile {
    let is_base = profile.name.is_empty() && profile.components.is_empty();
    if let Some(version) = fields.get("version").and_then(|node| reader.whole(node, "version", 0..=u32::MAX)) {
        profile.version = version;
    }
    let required = |reader: &mut Reader<'_>, name| if is_base { reader.required(fields, "health", name) } else { fields.get(name) };
    if let Some(node) = required(reader, "grades") {
        grades(reader, node, &mut profile);
    }
    if let Some(node) = fields.get("good_from") {
        let bounds = reader.fields(node, "the bounds of the quadrants", &["experience", "outcome"]);
        for (name, bound) in ["experience", "outcome"].iter().zip(&mut profile.good_from) {
            *bound = bounds.get(name).and_then(|node| reader.number(node, name, 0.0..=100.0)).unwrap_or(*bound);
        }
    }
    if let Some(node) = required(reader, "components") {
        let items = reader.list(node, "components");
        if items.is_empty() {
            reader.error(&node.place, "health needs at least one component");
        }
        profile.components = items.iter().filter_map(|item| component(reader, item)).collect();
        unique_names(reader, items, "components");
        // A scale is made for components.
        profile.scale = Vec::new();
    }
    if let Some(node) = fields.get("scale") {
        profile.scale = points(reader, node);
    }
    if let Some(node) = fields.get("vetoes") {
        let items = reader.list(node, "vetoes");
        profile.vetoes = items.iter().filter_map(|item| veto(reader, item)).collect();
        unique_names(reader, items, "vetoes");
    }
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
    let fields = reader.fields(node, "a component", &["name", "weight", "axis", "inputs"]);
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
    let axes = [("experience", Axis::Experience), ("outcome", Axis::Outcome)];
    let axis = fields.get("axis").and_then(|node| reader.choice(node, "axis", &axes));
    Some(Component { name: name?.to_owned(), weight: weight?, axis, inputs })
}

fn input_feature(reader: &mut Reader<'_>, key: &Node, name: &str) -> Option<u16> {
    let number = reader.symbols.iter().find(|symbol| symbol.name == name).map(|symbol| symbol.feature);
    let Some(number) = number else {
        let symbols = Place::Health.symbols(&reader.symbols);
        reader.unknown(&key.place, "feature", name, symbols.iter().map(|symbol| &*symbol.name));
        return None;
    };
    if let Some((message, help)) = Place::Health.barrier_of(number) {
        reader.error_with_help(&key.place, message, help);
    }
    Some(number)
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
