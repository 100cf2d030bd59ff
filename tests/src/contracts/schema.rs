//! The schemas as the binary prints them, and walking about in them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::product::{binary, succeeded};

/// Where the schemas of this version are kept.
///
/// # Panics
///
/// Never: these tests lie in the workspace.
#[must_use]
pub fn kept() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace").join("deploy/contracts")
}

/// The documents that `bellwether schema --all` writes, by file name.
///
/// # Panics
///
/// When the binary fails.
#[must_use]
pub fn printed() -> BTreeMap<String, String> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let output = binary().args(["schema", "--all"]).arg(directory.path()).output().expect("the binary runs");
    succeeded(&output);
    read(directory.path())
}

/// The documents of a directory, by file name.
///
/// # Panics
///
/// When it cannot be read.
#[must_use]
pub fn read(directory: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let files = entries.map(|entry| entry.expect("it can be listed").path()).filter(|path| path.is_file());
    let name = |path: &Path| path.file_name().and_then(|name| name.to_str()).expect("UTF-8").to_owned();
    files.map(|path| (name(&path), fs::read_to_string(&path).expect("it is text"))).collect()
}

/// One schema.
///
/// # Panics
///
/// When the binary knows none of this name.
#[must_use]
pub fn schema(name: &str) -> Value {
    let output = binary().args(["schema", name]).output().expect("the binary runs");
    succeeded(&output);
    serde_json::from_slice(&output.stdout).expect("it is JSON")
}

/// Follows a reference within a document.
///
/// # Panics
///
/// When it leads nowhere.
#[must_use]
pub fn resolved<'s>(schema: &'s Value, root: &'s Value) -> &'s Value {
    match schema["$ref"].as_str() {
        Some(reference) => {
            let found = root.pointer(reference.trim_start_matches('#'));
            resolved(found.unwrap_or_else(|| panic!("{reference} leads nowhere")), root)
        }
        None => schema,
    }
}

/// The schema without room for fields that it does not name: what subscribers must not do, but tests of completeness must.
#[must_use]
pub fn closed(mut schema: Value) -> Value {
    close(&mut schema);
    schema
}

fn close(schema: &mut Value) {
    match schema {
        Value::Object(keywords) => {
            if keywords.get("properties").is_some_and(Value::is_object) && keywords.contains_key("required") {
                keywords.entry("additionalProperties").or_insert(json!(false));
            }
            keywords.values_mut().for_each(close);
        }
        Value::Array(schemas) => schemas.iter_mut().for_each(close),
        _ => {}
    }
}
