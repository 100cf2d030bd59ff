//! Two versions of a schema: what a subscriber, or a producer, of the older one would run into with the newer one.

use std::collections::BTreeSet;

use bellwether_tests::contracts::schema::resolved;
use serde_json::{Value, json};

/// Who relies on a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reliance {
    /// Subscribers read what is written: what is new must be right by the old schema.
    Reads,
    /// Producers write what is read: what was right must be right by the new schema.
    Writes,
}

/// What breaks those who rely on the older schema; nothing, if the newer one only adds to it.
pub fn breaks(older: &Value, newer: &Value, reliance: Reliance) -> Vec<String> {
    breaks_within((older, newer), (older, newer), reliance)
}

/// The same of a schema within a document, through which its references lead.
pub fn breaks_within<'s>(documents: (&'s Value, &'s Value), (older, newer): (&'s Value, &'s Value), reliance: Reliance) -> Vec<String> {
    let mut comparison = Comparison { older: documents.0, newer: documents.1, reliance, found: Vec::new() };
    comparison.compare("", older, newer);
    comparison.found
}

struct Comparison<'s> {
    older: &'s Value,
    newer: &'s Value,
    reliance: Reliance,
    found: Vec<String>,
}

/// Keywords that narrow what is valid, and are compared as they are.
const NARROWING: [&str; 12] = [
    "contains",
    "contentEncoding",
    "dependentRequired",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "multipleOf",
    "not",
    "pattern",
    "propertyNames",
    "unevaluatedProperties",
    "uniqueItems",
];

/// Keywords that limit from below, and from above.
const LEAST: [&str; 4] = ["minimum", "minItems", "minLength", "minProperties"];
const MOST: [&str; 4] = ["maximum", "maxItems", "maxLength", "maxProperties"];

impl<'s> Comparison<'s> {
    fn compare(&mut self, path: &str, older: &'s Value, newer: &'s Value) {
        let (older, newer) = (resolved(older, self.older), resolved(newer, self.newer));
        self.types(path, older, newer);
        self.choices(path, older, newer);
        self.limits(path, older, newer);
        self.fields(path, older, newer);
        self.required(path, older, newer);
        self.others(path, older, newer);
        self.places(path, older, newer);
        for keyword in ["anyOf", "oneOf"] {
            self.alternatives(path, &older[keyword], &newer[keyword]);
        }
        self.conditions(path, older, newer);
    }

    /// What must be within what, so that nobody is surprised: the narrower and the wider schema.
    fn ordered<T>(&self, older: T, newer: T) -> (T, T) {
        match self.reliance {
            Reliance::Reads => (newer, older),
            Reliance::Writes => (older, newer),
        }
    }

    fn types(&mut self, path: &str, older: &Value, newer: &Value) {
        let (narrower, wider) = self.ordered(types(older), types(newer));
        let Some(wider) = wider else { return };
        let is_within = |kind: &String| wider.contains(kind) || kind == "integer" && wider.contains("number");
        if !narrower.is_some_and(|narrower| narrower.iter().all(is_within)) {
            self.found.push(format!("{path}: its type was {}, and is {}", older["type"], newer["type"]));
        }
    }

    fn choices(&mut self, path: &str, older: &Value, newer: &Value) {
        let (narrower, wider) = self.ordered(choices(older), choices(newer));
        let Some(wider) = wider else { return };
        match narrower {
            None => self.found.push(format!("{path}: its choices are others: {older} and {newer}")),
            Some(narrower) => {
                let surprises = narrower.iter().filter(|choice| !wider.contains(choice));
                let verb = if self.reliance == Reliance::Reads { "is new, and nobody expects it" } else { "is not taken any more" };
                self.found.extend(surprises.map(|choice| format!("{path}: {choice} {verb}")));
            }
        }
    }

    fn limits(&mut self, path: &str, older: &Value, newer: &Value) {
        let (narrower, wider) = self.ordered(older, newer);
        for keyword in NARROWING {
            if !wider[keyword].is_null() && narrower[keyword] != wider[keyword] {
                self.found.push(format!("{path}: {keyword} was {}, and is {}", older[keyword], newer[keyword]));
            }
        }
        for (keyword, sign) in LEAST.map(|keyword| (keyword, 1.0)).into_iter().chain(MOST.map(|keyword| (keyword, -1.0))) {
            let Some(limit) = wider[keyword].as_f64() else { continue };
            if !narrower[keyword].as_f64().is_some_and(|narrower| sign * narrower >= sign * limit) {
                self.found.push(format!("{path}: {keyword} was {}, and is {}", older[keyword], newer[keyword]));
            }
        }
    }

    fn fields(&mut self, path: &str, older: &'s Value, newer: &'s Value) {
        for keyword in ["properties", "patternProperties"] {
            for (name, schema) in older[keyword].as_object().into_iter().flatten() {
                match newer[keyword].get(name) {
                    Some(newer) => self.compare(&format!("{path}/{name}"), schema, newer),
                    None => self.found.push(format!("{path}/{name}: it was removed or renamed")),
                }
            }
        }
    }

    /// What stands in lists, and under names that are not told. Who writes may use any name where nothing is said of the others.
    fn others(&mut self, path: &str, older: &'s Value, newer: &'s Value) {
        for keyword in ["items", "additionalProperties"] {
            let (old, new) = (&older[keyword], &newer[keyword]);
            let is_new = |limit: &Value| limit == false && old != false || limit.is_object() && !old.is_object() && old != false;
            if self.reliance == Reliance::Writes && is_new(new) {
                self.found.push(format!("{path}/*: {keyword} was {old}, and is {new}"));
            } else if old.is_object() {
                self.compare(&format!("{path}/*"), old, new);
            }
        }
    }

    fn required(&mut self, path: &str, older: &Value, newer: &Value) {
        let (narrower, wider) = self.ordered(required(older), required(newer));
        let what = if self.reliance == Reliance::Reads {
            "it was always there, and may be absent"
        } else {
            "it must be there, and could be absent"
        };
        self.found.extend(wider.difference(&narrower).map(|name| format!("{path}/{name}: {what}")));
    }

    /// Of lists of a fixed length: each place.
    fn places(&mut self, path: &str, older: &'s Value, newer: &'s Value) {
        let [old, new] = [older, newer].map(|schema| schema["prefixItems"].as_array().map(Vec::as_slice).unwrap_or_default());
        if old.len() != new.len() {
            self.found.push(format!("{path}: it had {} places, and has {}", old.len(), new.len()));
        }
        for (place, (older, newer)) in old.iter().zip(new).enumerate() {
            self.compare(&format!("{path}/{place}"), older, newer);
        }
    }

    /// Each alternative of the narrower schema must be one of the wider.
    fn alternatives(&mut self, path: &str, older: &'s Value, newer: &'s Value) {
        let (narrower, wider) = self.ordered(older, newer);
        let Some(wider) = wider.as_array() else { return };
        let Some(narrower) = narrower.as_array() else {
            return self.found.push(format!("{path}: its alternatives were {older}, and are {newer}"));
        };
        for narrower in narrower {
            let is_fit = |wider: &Value| {
                let (older, newer) = self.ordered(narrower, wider);
                let mut inner = Comparison { older: self.older, newer: self.newer, reliance: self.reliance, found: Vec::new() };
                inner.compare(path, older, newer);
                inner.found.is_empty()
            };
            if !wider.iter().any(is_fit) {
                self.found.push(format!("{path}: {narrower} is not among {wider:?}"));
            }
        }
    }

    /// Of events: what each type wants, wherever it is said.
    fn conditions(&mut self, path: &str, older: &'s Value, newer: &'s Value) {
        let types = older.pointer("/properties/type/enum").and_then(Value::as_array);
        for kind in types.into_iter().flatten() {
            let (old, new) = (thens(older, kind), thens(newer, kind));
            for (older, newer) in old.iter().zip(&new) {
                self.compare(&format!("{path}[{kind}]"), older, newer);
            }
            let (narrower, wider) = self.ordered(old.len(), new.len());
            if wider > narrower {
                self.found.push(format!("{path}[{kind}]: it had {} conditions, and has {}", old.len(), new.len()));
            }
        }
        let (narrower, wider) = self.ordered(unconditional(older), unconditional(newer));
        self.found.extend(wider.iter().filter(|one| !narrower.contains(one)).map(|one| format!("{path}: only one of both has {one}")));
    }
}

/// The conditions of a type.
fn thens<'s>(schema: &'s Value, kind: &Value) -> Vec<&'s Value> {
    let all = schema["allOf"].as_array().into_iter().flatten();
    all.filter(|one| types_of(one).is_some_and(|types| types.contains(kind))).map(|one| &one["then"]).collect()
}

/// What holds whatever the type is.
fn unconditional(schema: &Value) -> Vec<&Value> {
    schema["allOf"].as_array().into_iter().flatten().filter(|one| types_of(one).is_none()).collect()
}

/// The types of which something is said.
fn types_of(condition: &Value) -> Option<&Vec<Value>> {
    condition.pointer("/if/properties/type/enum").and_then(Value::as_array)
}

fn types(schema: &Value) -> Option<BTreeSet<String>> {
    match &schema["type"] {
        Value::String(one) => Some([one.clone()].into()),
        Value::Array(several) => Some(several.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
        _ => None,
    }
}

fn choices(schema: &Value) -> Option<Vec<Value>> {
    let constant = schema.get("const").map(|value| json!([value]));
    constant.as_ref().or(schema.get("enum")).and_then(Value::as_array).cloned()
}

fn required(schema: &Value) -> BTreeSet<String> {
    schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
