//! The sections `suppressions` and `stages` of a rule file: lists of named conditions.

use bellwether_engine::expression::Expression;
use bellwether_engine::feature::STAGES;
use bellwether_engine::settings::Suppression;

use super::RESERVED_REASONS;
use super::scopes::Place;
use crate::yaml::{Node, Reader};

/// Suppressions, and the names of all, also of those with mistakes.
#[derive(Default)]
pub(super) struct Suppressions {
    pub compiled: Vec<Suppression>,
    pub names: Vec<String>,
}

/// Reads the suppressions.
pub(super) fn suppressions(reader: &mut Reader<'_>, node: &Node) -> Suppressions {
    let mut found = Suppressions::default();
    for item in reader.list(node, "suppressions") {
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
    found
}

/// Reads the stages.
pub(super) fn stages(reader: &mut Reader<'_>, node: &Node) -> Vec<(u8, Expression)> {
    let names: Vec<(&str, u8)> = STAGES.iter().copied().zip(0..).collect();
    let mut stages: Vec<(u8, Expression)> = Vec::new();
    let mut seen = Vec::new();
    for item in reader.list(node, "stages") {
        let fields = reader.fields(item, "a stage", &["name", "when"]);
        let name = reader.required(&fields, "a stage", "name");
        let stage = name.and_then(|node| reader.choice(node, "stage", &names));
        let when = reader.required(&fields, "a stage", "when");
        let when = when.and_then(|node| reader.condition(node, Place::Stage));
        if let (Some(node), Some(stage)) = (name, stage) {
            if seen.contains(&stage) {
                reader.error(&node.place, format!("there are two stages `{}`", STAGES[usize::from(stage)]));
            }
            seen.push(stage);
        }
        stages.extend(stage.zip(when));
    }
    stages
}
