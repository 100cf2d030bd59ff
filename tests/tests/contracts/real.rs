//! What the binary really writes, before the schemas: of a simulated company, with refused lines, feedback and an erasure.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use bellwether_codec::event::Decoder;
use bellwether_tests::contracts::schema::schema;
use bellwether_tests::contracts::validate::{assert_valid, complaints};
use bellwether_tests::contracts::{assert_seen, check};
use bellwether_tests::product::{binary, succeeded};
use serde_json::{Value, json};
use tempfile::TempDir;

struct Company {
    directory: TempDir,
    events: Vec<String>,
}

impl Company {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let out = directory.path().join("company");
        run(&["simulate", "--customers", "150", "--months", "14", "--seed", "7", "--out", text(&out)]);
        let bytes = fs::read(out.join("events.jsonl.zst")).expect("it can be read");
        let events = String::from_utf8(zstd::decode_all(&bytes[..]).expect("it is compressed")).expect("UTF-8");
        Self { directory, events: events.lines().map(str::to_owned).collect() }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes the events and more of them, by time, and lines that are none.
    fn write(&self, more: &[Value], broken: &[&[u8]]) -> PathBuf {
        let mut lines: Vec<String> = self.events.iter().cloned().chain(more.iter().map(Value::to_string)).collect();
        lines.sort_by_cached_key(|line| time_of(&parse(line)));
        let lines = lines.iter().map(String::as_bytes).chain(broken.iter().copied());
        let bytes: Vec<u8> = lines.flat_map(|line| [line, b"\n"].concat()).collect();
        fs::write(self.at("events.jsonl"), bytes).expect("the events can be written");
        self.at("events.jsonl")
    }

    /// A directory with a run over what was written; some customers are held out, and all before a date is history.
    fn run(&self, name: &str, events: &Path, quiet: &[&str]) -> PathBuf {
        let rules = self.at("rules.yaml");
        let pack = include_str!("../../../deploy/rules/default.yaml");
        assert!(pack.contains("hold_out: { share: 0 }"), "the pack holds nobody out");
        fs::write(&rules, pack.replacen("hold_out: { share: 0 }", "hold_out: { share: 0.1 }", 1)).expect("the rules can be written");
        let directory = self.at(name);
        fs::create_dir(&directory).expect("it can be made");
        let [data, signals, kpis, summary] = ["data", "signals.jsonl", "kpis.jsonl", "summary.json"].map(|file| directory.join(file));
        let files = ["--events", text(events), "--data", text(&data), "--signals", text(&signals), "--rules", text(&rules)];
        let rest = ["run", "--once", "--metrics", "off", "--kpis", text(&kpis), "--summary", text(&summary)];
        run(&[&rest[..], &files, quiet].concat());
        directory
    }
}

fn run(arguments: &[&str]) -> Vec<u8> {
    let output = binary().args(arguments).env("BELLWETHER_LOG", "error").output().expect("the binary runs");
    succeeded(&output);
    output.stdout
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn parse(line: &str) -> Value {
    serde_json::from_str(line).expect("JSON")
}

fn time_of(event: &Value) -> String {
    event["time"].as_str().expect("a time").to_owned()
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(parse).collect()
}

/// Feedback of every kind to signals, and the erasure of a customer with something open.
fn answers(signals: &[Value], last: &str) -> Vec<Value> {
    let raised: Vec<&Value> = signals.iter().filter(|signal| signal["type"] == "bellwether.signal.raised.v1").collect();
    let event = |number: usize, kind: &str, subject: &Value, time: &Value, data: Value| json!({ "id": format!("x{number}"), "source": "/crm", "type": kind, "subject": subject, "time": time, "data": data });
    let kinds = ["signal.acknowledged", "signal.dismissed", "signal.snoozed"];
    let mut answers = Vec::new();
    for (number, signal) in raised.iter().enumerate() {
        let data = json!({ "signal": signal["id"], "by": "kim", "until": "2024-12-31" });
        answers.push(event(number, kinds[number % 3], &signal["subject"], &signal["time"], data));
    }
    for (number, signal) in raised.iter().rev().take(20).enumerate() {
        answers.push(event(100_000 + number, "customer.erased", &signal["subject"], &json!(last), json!({})));
    }
    answers
}

#[test]
fn what_is_written_is_what_the_schemas_say() {
    let company = Company::new();
    let first = company.run("first", &company.write(&[], &[]), &[]);
    let last = time_of(&parse(company.events.last().expect("there are events")));
    let answers = answers(&lines(&first.join("signals.jsonl")), &last);
    assert!(answers.len() > 100, "{} answers", answers.len());
    let events = company.write(&answers, &[b"no JSON", b"{\"id\": \xff}", br#"{"id":"1","source":"/a","type":"login"}"#]);
    let directory = company.run("second", &events, &["--quiet-until", "2024-04-01"]);
    let all = |name: &str| lines(&directory.join(name));

    let (signals, decisions) = (all("signals.jsonl"), all("signals.jsonl.decisions"));
    assert!(signals.len() > 100 && decisions.len() > 100, "{} signals, {} decisions", signals.len(), decisions.len());
    check("signal", &signals);
    check("decision", &decisions);
    let data = |outputs: &[Value]| outputs.iter().map(|output| output["data"].clone()).collect::<Vec<_>>();
    check("signal-data", &data(&signals));
    check("decision-data", &data(&decisions));
    let both: Vec<Value> = data(&signals).into_iter().chain(data(&decisions)).collect();
    assert_seen(&schema("decision-data"), &both);

    check("kpis", &all("kpis.jsonl"));
    check("dead-letter", &all("data/dead-letters.jsonl"));
    assert_seen(&schema("dead-letter"), &all("data/dead-letters.jsonl"));
    check("summary", &[serde_json::from_slice(&fs::read(directory.join("summary.json")).expect("there is one")).expect("JSON")]);

    let report = company.at("report.json");
    let one = ["backtest", "--events", text(&events), "--json", text(&report)];
    run(&[&one[..], &["--sweep", "no-login-30d.days=20..40:10"]].concat());
    let report = fs::read(&report).expect("there is one");
    check("backtest", &[serde_json::from_slice(&report).expect("JSON")]);

    let by_then = signals.iter().filter(|signal| time_of(signal).as_str() < "2024-06-15");
    let customers: BTreeSet<&str> = by_then.filter_map(|signal| signal["subject"].as_str()).take(8).collect();
    let explained =
        |customer: &&str| serde_json::from_slice(&run(&["explain", customer, "--events", text(&events), "--at", "2024-06-15", "--json"]));
    check("explain", &customers.iter().map(|customer| explained(customer).expect("JSON")).collect::<Vec<Value>>());
}

#[test]
fn events_are_what_their_schema_says() {
    let company = Company::new();
    let journaled = include_str!("../../../crates/codec/tests/golden/events.jsonl");
    let every_type: Vec<Value> = journaled.lines().map(parse).collect();
    let simulated: Vec<Value> = company.events.iter().step_by(7).map(|line| parse(line)).collect();
    let schema = schema("event");
    assert_valid("events of a company", &schema, &simulated);
    assert_valid("events of every type", &schema, &every_type);

    // Without one field each: the decoder and the schema are of one mind.
    let mut spoiled = Vec::new();
    for event in &every_type {
        let fields = |object: &Value| object.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        for (pointer, name) in
            fields(event).into_iter().map(|name| ("", name)).chain(fields(&event["data"]).into_iter().map(|name| ("/data", name)))
        {
            let mut document = event.clone();
            document.pointer_mut(pointer).and_then(Value::as_object_mut).expect("an object").remove(&name);
            spoiled.push(document);
        }
    }
    let complaints = complaints(&schema, &spoiled);
    let refused = complaints.iter().filter(|complaint| complaint.is_some()).count();
    assert!(refused > 100 && refused < spoiled.len(), "{refused} of {}", spoiled.len());
    for (document, complaint) in spoiled.iter().zip(complaints) {
        let decoded = Decoder::default().decode(document.to_string().as_bytes()).map(|_| ()).map_err(|rejection| rejection.detail);
        assert_eq!(decoded.is_err(), complaint.is_some(), "{document}: {decoded:?} and {complaint:?}");
    }
}
