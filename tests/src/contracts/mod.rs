//! What the binary really writes, held before the schemas that it prints.

pub mod mutate;
pub mod schema;
pub mod validate;

use serde_json::Value;

use mutate::mutants;
use schema::{closed, resolved, schema};
use validate::{assert_valid, complaints};

/// Documents of each kind that are spoiled: each in every way.
const SPOILED_DOCUMENTS: usize = 3;

/// Asserts that every document is valid by the schema of this name, also where that is closed: it names every field. Spoiled ones are not.
///
/// # Panics
///
/// When one is not, or a spoiled one is.
#[track_caller]
pub fn check(name: &str, documents: &[Value]) {
    assert!(!documents.is_empty(), "{name}: there is none");
    let open = schema(name);
    let closed = closed(open.clone());
    assert_valid(name, &open, documents);
    assert_valid(name, &closed, documents);
    let step = documents.len().div_ceil(SPOILED_DOCUMENTS);
    let mutants: Vec<_> = documents.iter().step_by(step).flat_map(|document| mutants(document, &open)).collect();
    assert!(mutants.len() >= 5, "{name}: {} mutants", mutants.len());
    let spoiled: Vec<Value> = mutants.iter().map(|mutant| mutant.document.clone()).collect();
    let (by_open, by_closed) = (complaints(&open, &spoiled), complaints(&closed, &spoiled));
    for ((mutant, by_open), by_closed) in mutants.iter().zip(by_open).zip(by_closed) {
        assert!(by_closed.is_some(), "{name}: nobody notices that {}", mutant.what);
        assert_eq!(by_open.is_none(), mutant.is_extended, "{name}: {}: {by_open:?}", mutant.what);
    }
}

/// Asserts that every field at the top was seen at least once, so that its schema was put to the test.
///
/// # Panics
///
/// When one was not.
#[track_caller]
pub fn assert_seen(schema: &Value, documents: &[Value]) {
    let fields = resolved(schema, schema)["properties"].as_object().expect("it has fields");
    let unseen: Vec<&String> = fields.keys().filter(|name| !documents.iter().any(|document| !document[name.as_str()].is_null())).collect();
    assert_eq!(unseen, Vec::<&String>::new(), "never seen");
}
