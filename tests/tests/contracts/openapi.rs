//! Two versions of the OpenAPI document: what a client of the older one would run into with the newer one.

use bellwether_tests::contracts::schema::{resolved, schema};
use serde_json::{Map, Value, json};

use super::compare::{Reliance, breaks_within};

/// The keys of a path that are operations.
const METHODS: [&str; 5] = ["get", "put", "post", "patch", "delete"];

/// What breaks clients of the older document; nothing, if the newer one only adds to it.
pub fn http_breaks(older: &Value, newer: &Value) -> Vec<String> {
    let (older, newer) = (flattened(older, older), flattened(newer, newer));
    let mut found = Vec::new();
    for (path, item) in fields(&older["paths"]) {
        for method in METHODS.into_iter().filter(|method| item.get(method).is_some()) {
            let (old, new) = (&item[method], &newer["paths"][path][method]);
            let mut problems = Vec::new();
            if new.is_object() {
                let comparison = Comparison { documents: (&older, &newer), found: &mut problems };
                comparison.operation(old, new);
            } else {
                problems.push("it was removed".to_owned());
            }
            found.extend(problems.into_iter().map(|problem| format!("{method} {path}: {problem}")));
        }
    }
    found
}

/// An operation of two documents.
struct Comparison<'s> {
    documents: (&'s Value, &'s Value),
    found: &'s mut Vec<String>,
}

impl<'s> Comparison<'s> {
    fn operation(mut self, older: &'s Value, newer: &'s Value) {
        for keyword in ["operationId", "security"] {
            if older[keyword] != newer[keyword] {
                self.found.push(format!("{keyword} was {}, and is {}", older[keyword], newer[keyword]));
            }
        }
        self.parameters(&older["parameters"], &newer["parameters"]);
        let (body, new_body) = (&older["requestBody"], &newer["requestBody"]);
        if new_body["required"] == true && body["required"] != true {
            self.found.push("a body must be there, and could be absent".to_owned());
        }
        self.contents("body", body, new_body, Reliance::Writes);
        for (status, answer) in fields(&older["responses"]) {
            match newer["responses"].get(status) {
                None => self.found.push(format!("status {status}: it was removed")),
                Some(new) => self.contents(&format!("status {status}"), answer, new, Reliance::Reads),
            }
        }
    }

    fn parameters(&mut self, older: &'s Value, newer: &'s Value) {
        let find = |all: &'s Value, one: &Value| list(all).iter().find(|other| other["name"] == one["name"] && other["in"] == one["in"]);
        for old in list(older) {
            match find(newer, old) {
                None => self.found.push(format!("parameter {}: it was removed or renamed", old["name"])),
                Some(new) => {
                    let broken = breaks_within(self.documents, (&old["schema"], &new["schema"]), Reliance::Writes);
                    self.found.extend(broken.into_iter().map(|what| format!("parameter {}{what}", old["name"])));
                }
            }
        }
        for new in list(newer).iter().filter(|new| new["required"] == true) {
            if find(older, new).is_none_or(|old| old["required"] != true) {
                self.found.push(format!("parameter {}: it must be there, and could be absent", new["name"]));
            }
        }
    }

    /// What is sent or answered, by media type.
    fn contents(&mut self, place: &str, older: &'s Value, newer: &'s Value, reliance: Reliance) {
        for (media, content) in fields(&older["content"]) {
            match newer["content"].get(media) {
                None => self.found.push(format!("{place}: {media} was removed")),
                Some(new) => {
                    let broken = breaks_within(self.documents, (&content["schema"], &new["schema"]), reliance);
                    self.found.extend(broken.into_iter().map(|what| format!("{place}{what}")));
                }
            }
        }
    }
}

fn fields(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The document with each schema that is several at once (`allOf`) as one, which has the fields of them all.
fn flattened(part: &Value, document: &Value) -> Value {
    match part {
        Value::Array(values) => values.iter().map(|value| flattened(value, document)).collect(),
        Value::Object(keywords) => {
            let others = keywords.iter().filter(|(name, value)| *name != "allOf" || !value.is_array());
            let mut whole: Map<String, Value> = others.map(|(name, value)| (name.clone(), flattened(value, document))).collect();
            for one in list(&part["allOf"]) {
                if let Value::Object(one) = flattened(resolved(one, document), document) {
                    one.into_iter().for_each(|(keyword, value)| add(&mut whole, keyword, value));
                }
            }
            Value::Object(whole)
        }
        other => other.clone(),
    }
}

fn add(whole: &mut Map<String, Value>, keyword: String, value: Value) {
    match (whole.get_mut(&keyword), value) {
        (None, value) => _ = whole.insert(keyword, value),
        (Some(Value::Object(known)), Value::Object(more)) => known.extend(more),
        (Some(Value::Array(known)), Value::Array(more)) => known.extend(more),
        (Some(_), _) => {}
    }
}

#[test]
fn what_is_only_added_to_http_is_taken() {
    let older = schema("openapi");
    assert_eq!(http_breaks(&older, &older), Vec::<String>::new());
    let mut newer = older.clone();
    newer["paths"]["/v1/owners"] = json!({ "get": { "responses": {} } });
    let parameters = newer["paths"]["/v1/customers"]["get"]["parameters"].as_array_mut().expect("a list");
    parameters.push(json!({ "name": "owner", "in": "query", "required": false, "schema": { "type": "string" } }));
    let detail = &mut newer["components"]["schemas"]["CustomerSummary"];
    detail["properties"]["segment"] = json!({ "type": "string" });
    detail["required"].as_array_mut().expect("a list").push(json!("segment"));
    newer["paths"]["/v1/kpis"]["get"]["responses"]["207"] = json!({ "description": "Some of them" });
    assert_ne!(older, newer);
    assert_eq!(http_breaks(&older, &newer), Vec::<String>::new());
}

/// A place in the document, what is changed there, and what is to be told of it.
type Mutation = (&'static str, fn(&mut Value), &'static str);

#[test]
fn what_breaks_clients_is_refused() {
    let mutations: [Mutation; 11] = [
        ("/paths", |paths| remove(paths, "/v1/kpis"), "get /v1/kpis: it was removed"),
        ("/paths/~1v1~1events", |item| remove(item, "post"), "post /v1/events: it was removed"),
        (
            "/components/schemas/CustomerSummary/properties",
            |fields| remove(fields, "grade"),
            "/customers/*/grade: it was removed or renamed",
        ),
        // What an answer takes over from another one by `allOf` is its own, too.
        (
            "/components/schemas/CustomerSummary/properties",
            |fields| remove(fields, "grade"),
            "get /v1/customers/{id}: status 200/grade: it was removed",
        ),
        ("/components/schemas/CustomerSummary/required", |required| forget(required, "stage"), "/customers/*/stage: it was always there"),
        ("/components/schemas/AsOf/properties/offset/type", |kind| *kind = json!("string"), "/as_of/offset: its type was"),
        ("/components/schemas/Problem/properties", |fields| remove(fields, "detail"), "status 4XX/detail: it was removed or renamed"),
        ("/paths/~1v1~1signals/get/parameters", |all| _ = all.as_array_mut().expect("a list").remove(0), "get /v1/signals: parameter"),
        ("/paths/~1v1~1signals/get/parameters/0/required", |required| *required = json!(true), "it must be there, and could be absent"),
        ("/paths/~1v1~1signals/get/operationId", |id| *id = json!("signals"), "get /v1/signals: operationId was"),
        ("/paths/~1v1~1partitions/get/responses", |answers| remove(answers, "200"), "get /v1/partitions: status 200: it was removed"),
    ];
    let older = schema("openapi");
    for (pointer, change, expected) in mutations {
        let mut newer = older.clone();
        change(newer.pointer_mut(pointer).unwrap_or_else(|| panic!("there is no {pointer}")));
        let found = http_breaks(&older, &newer);
        assert!(found.iter().any(|what| what.contains(expected)), "{pointer}: `{expected}` is not told: {found:?}");
    }
}

#[test]
fn a_request_that_needs_more_than_before_is_refused() {
    let older = schema("openapi");
    let refused = |change: fn(&mut Value), expected: &str| {
        let mut newer = older.clone();
        change(&mut newer["paths"]);
        let found = http_breaks(&older, &newer);
        assert!(found.iter().any(|what| what.contains(expected)), "`{expected}` is not told: {found:?}");
    };
    refused(
        |paths| {
            let parameter = json!({ "name": "tenant", "in": "query", "required": true, "schema": { "type": "string" } });
            paths["/v1/kpis"]["get"]["parameters"] = json!([parameter]);
        },
        "get /v1/kpis: parameter \"tenant\": it must be there",
    );
    refused(|paths| paths["/v1/kpis"]["get"]["requestBody"] = json!({ "required": true }), "get /v1/kpis: a body must be there");
    refused(|paths| remove(&mut paths["/v1/events"]["post"]["requestBody"]["content"], "application/cloudevents+json"), "was removed");
    refused(
        |paths| {
            let body = &mut paths["/v1/admin/log-level"]["post"]["requestBody"]["content"]["application/json"]["schema"];
            *body = json!({ "type": "object", "required": ["directives", "reason"], "properties": { "directives": { "type": "string" } } });
        },
        "post /v1/admin/log-level: body/reason: it must be there",
    );
}

fn remove(value: &mut Value, name: &str) {
    let removed = value.as_object_mut().expect("an object").remove(name);
    assert!(removed.is_some(), "there is no {name}");
}

fn forget(names: &mut Value, name: &str) {
    names.as_array_mut().expect("a list").retain(|one| one != name);
}
