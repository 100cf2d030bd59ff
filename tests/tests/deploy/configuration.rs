//! The schema of configurations, by which editors check them: it takes every configuration that is shipped, and no spoiled one.

use std::fs;

use bellwether_tests::contracts::validate::{assert_valid, complaints};
use bellwether_tests::product::{binary, succeeded};
use serde_json::{Value, json};

use crate::blocks::{DOCUMENTS, blocks, with_whole_hashes};
use crate::chart::{everything, rendered};
use crate::support::{output, tool, top};

const FILES: [&str; 3] = ["deploy/examples/bellwether.yaml", "deploy/compose/bellwether.yaml", "deploy/compose/forward.yaml"];

/// Sections whose keys anybody may choose.
const OPEN: [&str; 5] = ["client", "client_files", "data", "headers", "map"];

fn schema() -> Value {
    let output = binary().args(["config", "schema"]).output().expect("the binary runs");
    succeeded(&output);
    serde_json::from_slice(&output.stdout).expect("it is JSON")
}

/// Texts of YAML, as another reader than ours understands them.
fn parsed(texts: &[String]) -> Vec<Value> {
    let mut command = tool("python");
    command.args(["-c", "import json, sys, yaml; print(json.dumps([yaml.safe_load(text) for text in json.loads(sys.argv[1])]))"]);
    let output = output(command.arg(json!(texts).to_string()));
    succeeded(&output);
    serde_json::from_slice(&output.stdout).expect("it is JSON")
}

fn files() -> Vec<Value> {
    parsed(&FILES.map(|file| fs::read_to_string(top(file)).expect("it is there")))
}

#[test]
fn every_configuration_that_is_shipped_is_right_by_the_schema() {
    assert_valid("files", &schema(), &files());

    let console = json!({ "console": { "enabled": true, "tokensSecret": "tokens", "tlsSecret": "tls" } });
    let routes = json!([{ "name": "daily", "url": "${SLACK_URL}", "digest": { "at": "08:00" } }]);
    let forward = json!({ "forward": { "enabled": true, "settings": { "time_zone": "Europe/Berlin", "routes": routes } } });
    let charts = [json!({}), everything(), console, forward].into_iter().flat_map(|values| {
        let maps = rendered(&values).into_iter().filter(|object| object["kind"] == "ConfigMap");
        maps.map(|map| map["data"]["bellwether.yaml"].as_str().expect("it is there").to_owned()).collect::<Vec<_>>()
    });
    let charts = parsed(&charts.collect::<Vec<_>>());
    assert_eq!(charts.len(), 5, "one each, and one for the forwarding");
    assert_valid("the chart", &schema(), &charts);

    let documents = DOCUMENTS.map(|document| blocks(&fs::read_to_string(top(document)).expect("it is there"))).concat();
    let pieces = documents.iter().filter(|(kind, _)| kind.is_empty()).map(|(_, text)| with_whole_hashes(text));
    let pieces = parsed(&pieces.collect::<Vec<_>>());
    assert!(pieces.len() >= 4, "{}", pieces.len());
    // A piece is not a whole: what else must be there is elsewhere.
    let complaints = complaints(&schema(), &pieces);
    let wrong: Vec<&String> = complaints.iter().flatten().filter(|complaint| !complaint.contains("is a required property")).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// A configuration with one place spoiled, and what was done.
struct Spoiled {
    what: String,
    document: Value,
}

/// Every key misspelt, and every value of another type, but for those that may be anything.
fn spoiled(whole: &Value) -> Vec<Spoiled> {
    let mut found = Vec::new();
    walk(whole, "", whole, &mut found);
    found
}

fn walk(whole: &Value, path: &str, part: &Value, found: &mut Vec<Spoiled>) {
    let mut spoil = |what: String, change: &dyn Fn(&mut Value)| {
        let mut document = whole.clone();
        change(document.pointer_mut(path).expect("the path is of this document"));
        found.push(Spoiled { what: format!("{path} {what}"), document });
    };
    let other = if part.is_array() || part.is_string() { json!({ "wrong": true }) } else { json!(["wrong"]) };
    spoil(format!("is {other}"), &|value| *value = other.clone());
    match part {
        Value::Object(fields) => {
            let is_open = path.rsplit('/').next().is_some_and(|name| OPEN.contains(&name));
            for name in fields.keys().filter(|_| !is_open) {
                spoil(format!("has `{name}` misspelt"), &|section| {
                    let fields = section.as_object_mut().expect("a section");
                    let value = fields.remove(name).expect("it is there");
                    fields.insert(format!("{name}x"), value);
                });
            }
            for (name, value) in fields {
                let name = name.replace('~', "~0").replace('/', "~1");
                walk(whole, &format!("{path}/{name}"), value, found);
            }
        }
        Value::Array(values) => {
            for (place, value) in values.iter().enumerate() {
                walk(whole, &format!("{path}/{place}"), value, found);
            }
        }
        _ => {}
    }
}

#[test]
fn a_misspelt_key_or_another_type_is_refused_by_the_schema() {
    let schema = schema();
    for (name, file) in FILES.iter().zip(files()) {
        let spoiled = spoiled(&file);
        let misspelt = spoiled.iter().filter(|one| one.what.ends_with("misspelt")).count();
        assert!(misspelt > 10 && spoiled.len() > 2 * misspelt, "{name}: {misspelt} of {}", spoiled.len());
        let documents: Vec<Value> = spoiled.iter().map(|one| one.document.clone()).collect();
        let complaints = complaints(&schema, &documents);
        let taken: Vec<&str> =
            spoiled.iter().zip(&complaints).filter(|(_, complaint)| complaint.is_none()).map(|(one, _)| one.what.as_str()).collect();
        assert!(taken.is_empty(), "{name}: nobody notices {taken:#?}");
    }
}
