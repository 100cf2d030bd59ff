//! The description of the topics, read by AsyncAPI's own parser.

use std::fs;
use std::path::Path;
use std::process::Command;

use bellwether_tests::node::npm;
use bellwether_tests::product::{binary, succeeded};
use serde_json::{Value, json};

/// The parser, from npm.
const PARSER: &str = "@asyncapi/parser@3.6.6";

/// Several sources, one of them mapped, and a pattern.
const CONFIGURATION: &str = "
kafka:
  brokers: a:9092, b:9092
  topics: { signals: crm.signals }
  sources:
    - { name: web, topics: [web-events, '^app\\..*'] }
    - name: billing-system
      topics: [invoices]
      format: mapped
      mapping:
        type: { constant: invoice.paid }
        source: { constant: /billing }
        subject: /account
        time: /at
        data: { invoice: /number }
";

/// What the parser says of a document.
fn parsed(document: &Value) -> Value {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("asyncapi.json");
    fs::write(&file, document.to_string()).expect("it can be written");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("contracts/asyncapi.mjs");
    let output = Command::new("node").arg(script).arg(npm(&[PARSER])).arg(&file).output();
    let output = output.unwrap_or_else(|error| panic!("node cannot be run ({error}): `make setup` installs it"));
    succeeded(&output);
    serde_json::from_slice(&output.stdout).expect("it answers in JSON")
}

fn document(arguments: &[&str]) -> Value {
    let output = binary().args(["schema", "asyncapi"]).args(arguments).output().expect("the binary runs");
    succeeded(&output);
    serde_json::from_slice(&output.stdout).expect("it is JSON")
}

#[test]
fn the_parser_reads_every_topic_and_has_nothing_to_say() {
    let expected = json!({
        "events": ["binaryEvent", "event"],
        "bellwether.signals": ["signal"],
        "bellwether.health": ["customerErased", "health"],
        "bellwether.decisions": ["decision"],
        "bellwether.kpis": ["kpis"],
        "bellwether.dead-letters": ["deadLetter"],
    });
    assert_eq!(parsed(&document(&[])), json!({ "diagnostics": [], "channels": expected }));
}

#[test]
fn the_topics_are_those_of_the_configuration() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("bellwether.yaml");
    fs::write(&file, CONFIGURATION).expect("it can be written");
    let said = parsed(&document(&["--config", file.to_str().expect("UTF-8")]));
    assert_eq!(said["diagnostics"], json!([]));
    let channels = &said["channels"];
    assert_eq!(channels["crm.signals"], json!(["signal"]));
    assert_eq!(channels["web-events"], json!(["binaryEvent", "event"]));
    assert_eq!(channels["^app\\..*"], json!(["binaryEvent", "event"]));
    assert_eq!(channels["invoices"], json!(["foreignRecord"]));
}

#[test]
fn a_wrong_document_is_told() {
    let wrong: [&dyn Fn(&mut Value); 4] = [
        &|document| document["operations"]["send_signals"]["channel"]["$ref"] = json!("#/channels/nowhere"),
        &|document| document["channels"]["signals"]["adress"] = json!("a"),
        &|document| document["components"]["schemas"]["SignalData"]["properties"]["rule"]["type"] = json!("text"),
        &|document| _ = document.as_object_mut().expect("an object").remove("info"),
    ];
    for (number, spoil) in wrong.iter().enumerate() {
        let mut document = document(&[]);
        spoil(&mut document);
        assert_ne!(parsed(&document)["diagnostics"], json!([]), "mutation {number}");
    }
}
