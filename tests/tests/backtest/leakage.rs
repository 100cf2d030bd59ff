//! No figure is good because it knows the answer: with the outcomes of other customers everything falls to chance, and features know neither what
//! comes later nor who leaves.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use bellwether_tests::product::{binary, succeeded};
use serde_json::{Value, json};

use crate::support::Company;

/// From here on models are judged.
const UNTIL: &str = "2025-04-01";

/// Columns of exported features that say what came of a customer.
const OUTCOMES: [&str; 2] = ["churned", "complete"];

#[test]
fn with_the_outcomes_of_others_everything_falls_to_chance() {
    let company = Company::new(1_500, 24, 7);
    let truth = fs::read_to_string(company.path("truth.csv")).expect("it is there");
    let events = company.path("events.jsonl.zst");
    let (own, health) = (auc_of_fit(&company, "truth.csv", &[&events]), auc_of_health(&company, "truth.csv"));
    assert!(own > 0.7 && health > 0.6, "with the true outcomes: {own}, {health}");
    for shift in [137, 611] {
        let churns = shifted(&truth, shift);
        write_outcomes(&company.path("others.csv"), &churns);
        let (others, health) = (auc_of_fit(&company, "others.csv", &[&events]), auc_of_health(&company, "others.csv"));
        println!("shifted by {shift}: model {others}, health {health}");
        assert!((others - 0.5).abs() < 0.08 && (health - 0.5).abs() < 0.05, "shifted by {shift}: {others}, {health}");

        // Events that know who is going to leave are found out at once.
        write_leak(&company.path("leak.jsonl"), &churns);
        let leaked = auc_of_fit(&company, "others.csv", &[&events, &company.path("leak.jsonl")]);
        assert!(leaked > 0.7, "shifted by {shift}, with a leak: {leaked}");
    }
}

#[test]
fn features_know_nothing_of_what_comes_later() {
    let company = Company::new(300, 18, 8);
    let whole = features(&company, "events.jsonl.zst", &[]);
    let text = events(&company);
    let lines: Vec<&str> = text.lines().collect();
    let mut compared = 0;
    for share in [30, 55, 90] {
        let kept = &lines[..lines.len() * share / 100];
        fs::write(company.path("cut.jsonl"), kept.join("\n") + "\n").expect("it can be written");
        let cut = features(&company, "cut.jsonl", &[]);
        let last = cut.rows.iter().map(|row| row[cut.time].as_str()).max().expect("there are rows").to_owned();
        let known: BTreeSet<&Vec<String>> = whole.rows.iter().filter(|row| row[whole.time] <= last).collect();
        // The outcome of a row is what a longer log tells more about, and all that it does.
        assert!(known == cut.rows.iter().collect(), "the first {share} % of the log give other features than all of it");
        compared += known.len();
    }
    assert!(compared > 1_000, "{compared} rows");

    // A cut that changes the past is found out: without the last logins before it the rows differ.
    let altered: Vec<&str> = lines[..lines.len() / 2].iter().copied().filter(|line| !line.contains("\"usage\"")).collect();
    fs::write(company.path("cut.jsonl"), altered.join("\n") + "\n").expect("it can be written");
    let cut = features(&company, "cut.jsonl", &[]);
    assert!(cut.rows.iter().any(|row| !whole.rows.contains(row)));
}

#[test]
fn features_and_fits_of_tables_are_those_of_lines() {
    let company = Company::new(500, 20, 5);
    let mut export = binary();
    export.args(["journal", "export", "--events"]).arg(company.path("events.jsonl.zst")).arg("--to").arg(company.path("events.parquet"));
    succeeded(&export.output().expect("the binary starts"));
    let made = ["events.jsonl.zst", "events.parquet"].map(|events| {
        let mut fit = binary();
        fit.args(["fit", "--until", "2025-03-10", "--events"]).arg(company.path(events)).arg("--out").arg(company.path("fitted.yaml"));
        succeeded(&fit.arg("--json").arg(company.path("fitted.json")).output().expect("the binary starts"));
        let model = ["fitted.yaml", "fitted.json"].map(|name| fs::read_to_string(company.path(name)).expect("it is written"));
        (features(&company, events, &[]), model)
    });
    assert!(made[0].0.rows.len() > 1_000);
    assert!(made[0].0 == made[1].0, "the features differ");
    assert_eq!(made[0].1, made[1].1);
}

#[test]
fn features_know_neither_outcomes_nor_ids_of_events() {
    let company = Company::new(300, 18, 9);
    let own = features(&company, "events.jsonl.zst", &[]);
    let truth = fs::read_to_string(company.path("truth.csv")).expect("it is there");
    write_outcomes(&company.path("others.csv"), &shifted(&truth, 41));
    let others = company.path("others.csv");
    let relabelled = features(&company, "events.jsonl.zst", &["--outcomes", others.to_str().expect("UTF-8")]);
    // Who has left by an outcome has no rows after it, so that only common ones can be compared.
    let places: BTreeSet<[&str; 2]> = relabelled.rows.iter().map(|row| [row[0].as_str(), row[relabelled.time].as_str()]).collect();
    let common: BTreeSet<&Vec<String>> =
        own.rows.iter().filter(|row| places.contains(&[row[0].as_str(), row[own.time].as_str()])).collect();
    assert!(common.len() > 1_000, "{} rows", common.len());
    assert!(common.is_subset(&relabelled.rows.iter().collect()), "features change with the outcomes");
    assert_ne!(own.outcomes, relabelled.outcomes, "the labels do not");

    // Ids are for finding duplicates, and say nothing: counted up, they would say how late it is.
    let mut renamed = String::new();
    for line in events(&company).lines() {
        let mut event: Value = serde_json::from_str(line).expect("it is JSON");
        let id = event["id"].as_str().expect("it has an id").bytes().rev().map(char::from).collect::<String>();
        event["id"] = format!("{id}-other").into();
        renamed += &format!("{event}\n");
    }
    fs::write(company.path("renamed.jsonl"), renamed).expect("it can be written");
    assert!(own == features(&company, "renamed.jsonl", &[]), "features change with the ids of events");
    for name in &own.names {
        assert!(!["id", "source", "story", "decision", "notice", "end"].contains(&name.as_str()), "{name}");
    }
    let mut command = binary();
    command.args(["fit", "--until", UNTIL, "--events"]).arg(company.path("truth.csv")).arg("--out").arg(company.path("fitted.yaml"));
    let refused = command.output().expect("the binary starts");
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
}

/// Exported features, the outcomes apart.
#[derive(PartialEq)]
struct Features {
    names: Vec<String>,
    rows: Vec<Vec<String>>,
    outcomes: Vec<Vec<String>>,
    /// The column of the date.
    time: usize,
}

fn features(company: &Company, events: &str, others: &[&str]) -> Features {
    let out = company.path("features.csv");
    let mut command = binary();
    command.arg("features").arg("--events").arg(company.path(events)).args(others).arg("--out").arg(&out);
    succeeded(&command.output().expect("the binary starts"));
    let text = fs::read_to_string(out).expect("it is written");
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<String>>());
    let header = lines.next().expect("there is a header");
    let is_outcome: Vec<bool> = header.iter().map(|name| OUTCOMES.contains(&name.as_str())).collect();
    assert_eq!(is_outcome.iter().filter(|is| **is).count(), OUTCOMES.len(), "{header:?}");
    let pick = |row: &[String], wanted: bool| -> Vec<String> {
        row.iter().zip(&is_outcome).filter(|(_, is)| **is == wanted).map(|(value, _)| value.clone()).collect()
    };
    let all: Vec<Vec<String>> = lines.collect();
    let names = pick(&header, false);
    let time = names.iter().position(|name| name == "time").expect("rows have a time");
    assert_eq!(names.first().map(String::as_str), Some("customer"));
    let [rows, outcomes] = [false, true].map(|wanted| all.iter().map(|row| pick(row, wanted)).collect());
    Features { names, rows, outcomes, time }
}

/// How well a model ranks that was learned from these outcomes.
fn auc_of_fit(company: &Company, outcomes: &str, events: &[&Path]) -> f64 {
    let mut command = binary();
    command.arg("fit").arg("--events").args(events).arg("--outcomes").arg(company.path(outcomes)).args(["--until", UNTIL]);
    command.arg("--out").arg(company.path("fitted.yaml")).arg("--json").arg(company.path("fitted.json"));
    succeeded(&command.output().expect("the binary starts"));
    figure(&company.path("fitted.json"), "/test/auc")
}

/// How well the health of the default pack ranks, by these outcomes.
fn auc_of_health(company: &Company, outcomes: &str) -> f64 {
    let mut command = binary();
    command.arg("backtest").arg("--events").arg(company.path("events.jsonl.zst")).arg("--outcomes").arg(company.path(outcomes));
    succeeded(&command.arg("--json").arg(company.path("report.json")).output().expect("the binary starts"));
    figure(&company.path("report.json"), "/health/auc")
}

fn figure(path: &Path, place: &str) -> f64 {
    let report: Value = serde_json::from_slice(&fs::read(path).expect("it is written")).expect("it is JSON");
    report.pointer(place).and_then(Value::as_f64).expect("there is a figure")
}

/// Customers with notice and end, each of them with those of a customer further on in the list.
fn shifted(truth: &str, shift: usize) -> Vec<[String; 3]> {
    let mut rows = truth.lines().map(|line| line.split(',').collect::<Vec<&str>>());
    let header = rows.next().expect("there is a header");
    let column = |name: &str| header.iter().position(|known| *known == name).expect("the column is there");
    let (customer, notice, end) = (column("customer"), column("notice"), column("end"));
    let rows: Vec<Vec<&str>> = rows.collect();
    let further = |number: usize| &rows[(number + shift) % rows.len()];
    let churns =
        rows.iter().enumerate().map(|(number, row)| [row[customer], further(number)[notice], further(number)[end]].map(str::to_owned));
    churns.filter(|[_, notice, end]| !notice.is_empty() || !end.is_empty()).collect()
}

fn write_outcomes(path: &Path, churns: &[[String; 3]]) {
    let rows: String = churns.iter().map(|row| row.join(",") + "\n").collect();
    fs::write(path, format!("customer,notice,end\n{rows}")).expect("it can be written");
}

/// A bad answer of everybody who is going to leave within two months, in the order of time.
fn write_leak(path: &Path, churns: &[[String; 3]]) {
    let mut answers: Vec<(String, &str)> = Vec::new();
    for [customer, notice, end] in churns {
        let churn: jiff::civil::Date = if notice.is_empty() { end } else { notice }.parse().expect("it is a date");
        let before = churn.checked_sub(jiff::Span::new().days(60)).expect("it is a date");
        answers.push((before.to_string(), customer));
    }
    answers.sort();
    let line = |(number, (date, customer)): (usize, &(String, &str))| {
        let data = json!({ "kind": "nps", "score": 0, "user": "leak" });
        let event = json!({
            "specversion": "1.0", "id": format!("leak-{number}"), "source": "/leak", "type": "survey.answered", "subject": customer,
            "time": format!("{date}T00:00:00Z"), "data": data
        });
        format!("{event}\n")
    };
    fs::write(path, answers.iter().enumerate().map(line).collect::<String>()).expect("it can be written");
}

fn events(company: &Company) -> String {
    let bytes = zstd::decode_all(&fs::read(company.path("events.jsonl.zst")).expect("it is there")[..]).expect("it is whole");
    String::from_utf8(bytes).expect("it is text")
}
