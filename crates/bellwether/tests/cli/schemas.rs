//! Printing the contracts.

use serde_json::Value;

use super::support::{Scratch, run};

#[test]
fn a_schema_is_printed_and_an_unknown_one_is_told_with_the_known() {
    let printed: Value = serde_json::from_str(&run(&["schema", "health"]).exits(0).output).expect("it is JSON");
    assert_eq!(printed["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert!(printed["properties"]["open_episodes"].is_object());
    run(&["schema", "helth"]).exits(2).tells(&["helth", "health", "signal-data", "asyncapi"]);
    run(&["schema"]).exits(2).tells(&["NAME"]);
}

#[test]
fn all_of_them_are_written_into_a_directory() {
    let scratch = Scratch::new();
    let directory = scratch.path("contracts");
    run(&["schema", "--all", &directory]).exits(0).tells(&["health.schema.json", "asyncapi.json"]);
    let health = String::from_utf8(scratch.read("contracts/health.schema.json")).expect("UTF-8");
    assert_eq!(health, run(&["schema", "health"]).exits(0).output);
    run(&["schema", "health", "--all", &directory]).exits(2).tells(&["--all"]);
    let file = scratch.file("file", "");
    run(&["schema", "--all", &file]).exits(3).tells(&["cannot write", &file]);
}

#[test]
fn topics_are_named_by_the_configuration() {
    let scratch = Scratch::new();
    let text = "kafka: { brokers: 'a:9092', topics: { signals: crm.signals }, sources: [{ name: a, topics: [a] }] }\n";
    let file = scratch.file("bellwether.yaml", text);
    let printed: Value = serde_json::from_str(&run(&["schema", "asyncapi", "--config", &file]).exits(0).output).expect("it is JSON");
    assert_eq!(printed["channels"]["signals"]["address"], "crm.signals");
    assert_eq!(printed["channels"]["health"]["address"], "bellwether.health");
    run(&["schema", "asyncapi", "--config", &scratch.file("other.yaml", "data: x\n")]).exits(2).tells(&["no section `kafka`"]);
}
