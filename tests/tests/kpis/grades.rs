//! Health grades and quadrants in the daily record against what is told of each customer by itself, since no SQL knows the scores.

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

/// A customer at the end of a day.
struct Explained {
    /// If it has a running subscription.
    score: Option<f64>,
    quadrant: Option<String>,
}

fn explained(case: &Case, customer: &str, day: &str) -> Explained {
    let (events, rules, at) = (case.at("events.jsonl"), case.rules(), format!("{day}T23:59:59.999Z"));
    let arguments = ["explain", customer, "--events", path(&events), "--rules", path(&rules), "--at", &at, "--json"];
    let output = binary().args(arguments).output().expect("the binary starts");
    succeeded(&output);
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let features = told["features"].as_array().expect("a list");
    let feature = |name: &str, part: &str| features.iter().find(|feature| feature["feature"] == name).map(|feature| feature[part].clone());
    let is_active = feature("subscriptions", "value").and_then(|value| value.as_f64()).expect("it is known") > 0.0;
    Explained {
        score: is_active.then(|| told["health"].as_f64().expect("who is active has a score")),
        quadrant: feature("quadrant", "label").and_then(|label| label.as_str().map(str::to_owned)),
    }
}

#[test]
fn grades_and_quadrants_are_those_of_each_customer() {
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
    let (mut counted, mut quadrants): (BTreeMap<&str, i64>, BTreeMap<String, i64>) = Default::default();
    for customer in customers.iter().filter(|customer| *customer != "_company") {
        let Explained { score, quadrant } = explained(&case, customer, day);
        if let Some(score) = score {
            *counted.entry(grade_of(score)).or_default() += 1;
        }
        if let Some(quadrant) = quadrant {
            *quadrants.entry(quadrant).or_default() += 1;
        }
    }
    assert!(counted.len() > 1, "all have one grade: {counted:?}");
    assert_eq!(counted, in_record(record), "{day}");
    let told =
        record["quadrants"].as_object().expect("an object").iter().map(|(name, count)| (name.clone(), count.as_i64().expect("a count")));
    assert!(quadrants.len() > 1, "all are in one quadrant: {quadrants:?}");
    assert_eq!(quadrants, told.filter(|(_, count)| *count != 0).collect(), "{day}");
}
