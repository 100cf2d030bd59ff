//! A validator that shares nothing with what made the schemas.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::product::succeeded;
use crate::python::python;

/// The validator, from PyPI.
const JSONSCHEMA: &str = "jsonschema-rs==0.61.0";

/// What is wrong with each document, if anything is. The schema itself is held against that of schemas first.
///
/// # Panics
///
/// When the schema is none, or Python fails.
#[must_use]
pub fn complaints(schema: &Value, documents: &[Value]) -> Vec<Option<String>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("contracts/validate.py");
    let mut command = Command::new(python(&[JSONSCHEMA]));
    command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("Python starts");
    let mut input = child.stdin.take().expect("it is piped");
    let request = json!({ "schema": schema, "documents": documents }).to_string();
    // It reads everything before it writes anything.
    input.write_all(request.as_bytes()).expect("it reads");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    succeeded(&output);
    serde_json::from_slice(&output.stdout).expect("it answers in JSON")
}

/// Asserts that every document is valid.
///
/// # Panics
///
/// When one is not.
#[track_caller]
pub fn assert_valid(what: &str, schema: &Value, documents: &[Value]) {
    let complaints = complaints(schema, documents);
    let wrong = complaints.iter().zip(documents).filter_map(|(complaint, document)| Some((complaint.as_ref()?, document)));
    let told: Vec<String> = wrong.map(|(complaint, document)| format!("{complaint}\n  {document}")).take(5).collect();
    assert!(told.is_empty(), "{what}: {}", told.join("\n"));
}
