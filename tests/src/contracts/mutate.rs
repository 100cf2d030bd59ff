//! Wrong documents made of right ones: without a field that must be there, with one that nobody knows, with another type.

use serde_json::{Value, json};

use super::schema::resolved;

/// A wrong document.
#[derive(Debug)]
pub struct Mutant {
    /// What was done to it.
    pub what: String,
    /// The result.
    pub document: Value,
    /// Whether only a closed schema refuses it: it has a field too many.
    pub is_extended: bool,
}

/// Every way to spoil a document by one step that its schema must notice.
#[must_use]
pub fn mutants(document: &Value, schema: &Value) -> Vec<Mutant> {
    let mut found = Vec::new();
    walk(document, "", document, schema, schema, &mut found);
    found
}

fn walk(whole: &Value, path: &str, part: &Value, schema: &Value, root: &Value, found: &mut Vec<Mutant>) {
    let schema = present(resolved(schema, root), part, root);
    let mut spoil = |what: String, is_extended: bool, change: &dyn Fn(&mut Value)| {
        let mut document = whole.clone();
        change(document.pointer_mut(path).expect("the path is of this document"));
        found.push(Mutant { what: format!("{path} {what}"), document, is_extended });
    };
    if schema.get("type").is_some() {
        let other = if part.is_object() { json!(["wrong"]) } else { json!({ "wrong": true }) };
        spoil("has another type".to_owned(), false, &|value| *value = other.clone());
    }
    if schema.get("enum").is_some() || schema.get("const").is_some() || schema.get("pattern").is_some() {
        spoil("is another text".to_owned(), false, &|value| *value = json!("no such thing!"));
    }
    if schema["format"] == "date-time" && part.is_string() {
        spoil("is no time".to_owned(), false, &|value| *value = json!("yesterday"));
    }
    match part {
        Value::Object(fields) => {
            for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                spoil(format!("lacks `{name}`"), false, &|value| _ = value.as_object_mut().expect("an object").remove(name));
            }
            if schema.get("properties").is_some() && schema.get("required").is_some() {
                spoil("has a field more".to_owned(), true, &|value| value["nobody_knows_it"] = json!(1));
            }
            for (name, value) in fields {
                let inner = schema.pointer(&format!("/properties/{name}")).or_else(|| schema.get("additionalProperties"));
                if let Some(inner) = inner {
                    walk(whole, &format!("{path}/{name}"), value, inner, root, found);
                }
            }
        }
        Value::Array(values) => {
            if let (Some(first), Some(items)) = (values.first(), schema.get("items")) {
                walk(whole, &format!("{path}/0"), first, items, root, found);
            }
        }
        _ => {}
    }
}

/// Of a schema that allows null besides: the other alternative, where the document is not null.
fn present<'s>(schema: &'s Value, part: &Value, root: &'s Value) -> &'s Value {
    let alternatives = schema["anyOf"].as_array().filter(|_| !part.is_null());
    let other = alternatives.and_then(|alternatives| alternatives.iter().find(|one| one["type"] != "null"));
    other.map_or(schema, |other| resolved(other, root))
}
