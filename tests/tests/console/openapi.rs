//! The OpenAPI document is valid, has every path, and is what the answers are like.

use std::process::Command;

use bellwether_tests::contracts::schema::kept;
use bellwether_tests::product::succeeded;
use bellwether_tests::python::python;
use serde_json::{Value, json};

use crate::support::{ADMIN, Run, WRITE, event, get};

#[test]
fn the_document_is_valid_and_answers_are_as_it_says() {
    let run = Run::empty("");
    run.wait_for("an open queue", || (run.send(&[event("c-1", 1, "login", 1, json!({ "user": "u1" }))]).status == 200).then_some(()));
    check(&run, "c-1");
    let company = Run::of_company("");
    company.wait_for_files();
    let signal = company.wait_for("a signal", || company.read("/v1/signals").json()["signals"].get(0).cloned());
    check(&company, signal["customer"].as_str().expect("an id"));
}

fn check(run: &Run, customer: &str) {
    let document = get(&format!("http://{}/v1/openapi.json", run.console), &[]);
    assert_eq!(document.status, 200);
    let kept = std::fs::read_to_string(kept().join("openapi.json")).expect("there is one");
    assert_eq!(document.json(), serde_json::from_str::<Value>(&kept).expect("JSON"), "what is served is what is kept in deploy/contracts");
    let mut answers = Vec::new();
    let mut add = |method: &str, path: &str, answer: crate::support::Answer| {
        answers.push(json!({ "method": method, "path": path, "status": answer.status, "media": answer.headers["content-type"].to_str().expect("text"),
            "body": answer.json() }));
    };
    add("get", "/v1/customers", run.read("/v1/customers?limit=100"));
    add("get", "/v1/customers", run.read("/v1/customers?limit=x"));
    add("get", "/v1/customers/{id}", run.read(&format!("/v1/customers/{customer}")));
    add("get", "/v1/customers/{id}", run.read("/v1/customers/nobody"));
    add("get", "/v1/customers/{id}/timeline", run.read(&format!("/v1/customers/{customer}/timeline")));
    add("get", "/v1/signals", run.read("/v1/signals?limit=100"));
    add("get", "/v1/kpis", run.read("/v1/kpis"));
    add("get", "/v1/partitions", run.read("/v1/partitions"));
    add("post", "/v1/events", run.send(&[event("c-1", 1, "login", 1, json!({}))]));
    add("post", "/v1/events", run.send(&[json!({})]));
    for path in ["/v1/admin/pause", "/v1/admin/resume"] {
        add("post", path, run.post(path, Some(ADMIN), "application/json", b""));
        add("post", path, run.post(path, Some(WRITE), "application/json", b""));
    }
    add("post", "/v1/admin/log-level", run.post("/v1/admin/log-level", Some(ADMIN), "application/json", b"{\"directives\":\"warn\"}"));
    std::fs::write(run.path("openapi.json"), &document.body).expect("it can be written");
    std::fs::write(run.path("answers.json"), Value::from(answers).to_string()).expect("it can be written");
    let python = python(&["openapi-spec-validator==0.9.0", "jsonschema==4.26.0"]);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/console/openapi.py");
    succeeded(
        &Command::new(python).arg(script).arg(run.path("openapi.json")).arg(run.path("answers.json")).output().expect("Python starts"),
    );
}
