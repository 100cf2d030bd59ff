//! Health grades in the daily record against what is told of each customer by itself, since no SQL knows the scores.

use std::collections::BTreeMap;

use bellwether_tests::product::{binary, succeeded};
use serde_json::Value;

use super::flat::text;
use super::{Case, disturbed, path};

/// The bands of the default pack.
fn grade_of(score: f64) -> &'static str {
    match score {
        ..40.0 => "grade_red",
        ..70.0 => "grade_amber",
        _ => "grade_green",
    }
}

/// Customers by grade in a daily record, over all segments.
fn in_record(record: &Value) -> BTreeMap<&'static str, i64> {
    let segments = record["segments"].as_array().expect("a list");
    let sum = |grade: &str| segments.iter().map(|segment| segment[grade].as_i64().expect("a count")).sum();
    ["grade_red", "grade_amber", "grade_green"].map(|grade| (grade, sum(grade))).into_iter().filter(|(_, count)| *count != 0).collect()
}

/// Whether a customer has a running subscription, and its score, at the end of a day.
fn explained(case: &Case, customer: &str, day: &str) -> Option<f64> {
    let (events, rules, at) = (case.at("events.jsonl"), case.rules(), format!("{day}T23:59:59.999Z"));
    let arguments = ["explain", customer, "--events", path(&events), "--rules", path(&rules), "--at", &at, "--json"];
    let output = binary().args(arguments).output().expect("the binary starts");
    succeeded(&output);
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let features = told["features"].as_array().expect("a list");
    let subscriptions = features.iter().find(|feature| feature["feature"] == "subscriptions").expect("the feature is told");
    let is_active = subscriptions["value"].as_f64().expect("it is known") > 0.0;
    is_active.then(|| told["health"].as_f64().expect("who is active has a score"))
}

#[test]
fn grades_add_up_to_the_active_customers_and_are_those_of_each_customer() {
    let case = Case::new();
    case.write("events.jsonl", &disturbed(&case.company(60, 3), 5));
    let records = case.replay(&case.at("events.jsonl"), 4);
    for (day, record) in &records {
        let graded: i64 = in_record(record).values().sum();
        assert_eq!(Some(graded), record["active_customers"].as_i64(), "{day}");
    }
    let (day, record) = records.last_key_value().expect("there are records");
    assert!(record["active_customers"].as_i64() < record["customers"].as_i64(), "somebody left");
    let lines = std::fs::read_to_string(case.at("events.jsonl")).expect("there are events");
    let events = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let customers: std::collections::BTreeSet<String> = events.map(|event| text(&event, "subject").to_owned()).collect();
    let mut counted: BTreeMap<&str, i64> = BTreeMap::new();
    for customer in customers.iter().filter(|customer| *customer != "_company") {
        if let Some(score) = explained(&case, customer, day) {
            *counted.entry(grade_of(score)).or_default() += 1;
        }
    }
    assert!(counted.len() > 1, "all have one grade: {counted:?}");
    assert_eq!(counted, in_record(record), "{day}");
}
