//! The topics as Python reads them: signals, health, decisions and KPIs, before their schemas and what the product itself says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use bellwether_codec::journal::CONTROL_HEADER;
use bellwether_engine::event::{Body, CancellationStep, Event};
use bellwether_kafka::Received;
use bellwether_tests::broker::Broker;
use bellwether_tests::company::company;
use bellwether_tests::contracts::schema::{closed, schema};
use bellwether_tests::contracts::validate::assert_valid;
use bellwether_tests::product::{Product, Running, succeeded};
use serde_json::{Value, json};

/// Partitions of each topic.
pub const PARTITIONS: u16 = 2;

/// Customers that are erased at the end.
const ERASED: usize = 3;

/// How long anything may take on a slow and busy machine.
pub const LONG: Duration = Duration::from_secs(240);

/// A product that has turned the events of a company into signals, and is at rest; and the customers.
pub fn filled(broker: &Broker, name: &str) -> (Product, Vec<String>) {
    let product = Product::new(broker.bootstrap(), name, PARTITIONS);
    product.create();
    let events = company(12, 120, 120);
    take_in(&product, &events, events.len());
    let count = product.replayed().len();
    process(&product, || product.published().len() >= count);
    let customers: BTreeSet<String> = events.iter().map(|event| event.customer.to_string()).collect();
    (product, customers.into_iter().collect())
}

/// Produces events, and brings them into the journal, which holds so many then.
fn take_in(product: &Product, events: &[Event<'_>], count: usize) {
    product.produce(events);
    let mut ingest = product.start("ingest", "ingest", 1);
    let is_event = |record: &Received<'_>| record.header(CONTROL_HEADER).is_none();
    let journaled = || product.read("journal", PARTITIONS, is_event).into_iter().filter(|is_event| *is_event).count();
    wait_until(product, "ingest", &mut ingest, || journaled() >= count);
    assert_eq!(ingest.stop(), Some(0));
}

/// Processes the journal until it has come so far.
fn process(product: &Product, done: impl FnMut() -> bool) {
    let mut process = product.start("process", "process", 1);
    wait_until(product, "process", &mut process, done);
    assert_eq!(process.stop(), Some(0));
}

#[track_caller]
pub fn wait_until(product: &Product, name: &str, running: &mut Running, mut done: impl FnMut() -> bool) {
    let started = Instant::now();
    while !done() {
        let log = || fs::read_to_string(product.log(name)).unwrap_or_default();
        assert!(running.ended().is_none(), "{name} ended\n{}", log());
        assert!(started.elapsed() < LONG, "{name} never comes so far\n{}", log());
        sleep(Duration::from_millis(300));
    }
}

/// The records of a topic, as Python reads them, with what their values are as JSON.
fn by_python(product: &Product, topic: &str) -> Vec<Value> {
    let mut records = product.read_by_python(topic, PARTITIONS);
    for record in &mut records {
        if let Some(value) = record["value"].as_str() {
            record["value"] = serde_json::from_str(value).expect("JSON");
        }
    }
    records
}

#[test]
fn python_reads_what_the_product_says_and_the_contracts_describe() {
    let (product, customers) = filled(Broker::shared(), "by-python");
    let journaled = give_notice(&product, &customers);
    let journal = format!("kafka://{}/{}", product.connection().bootstrap_servers, product.topic("journal"));
    let replayed = |name: &str| product.directory.path().join(name);
    let arguments = ["replay", "--journal", &journal, "--signals"];
    let mut command = Command::new(product.binary());
    command.args(arguments).arg(replayed("signals")).arg("--kpis").arg(replayed("kpis"));
    succeeded(&command.output().expect("the binary runs"));
    let lines = |path: &Path| -> Vec<Value> {
        let text = fs::read_to_string(path).expect("it is written");
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    };

    let [signals, decisions, health, kpis] = ["signals", "decisions", "health", "kpis"].map(|topic| by_python(&product, topic));
    for (contract, message, records) in [
        ("signal-data", "signal", &signals),
        ("decision-data", "decision", &decisions),
        ("health", "health", &health),
        ("kpis", "kpis", &kpis),
    ] {
        assert_described(contract, message, records);
    }
    assert_same(&signals, lines(&replayed("signals")));
    assert_same(&decisions, lines(&replayed("signals.decisions")));
    assert_healthy(&product, &journal, &health, &customers);
    assert_adds_up(&kpis, &lines(&replayed("kpis")));
    assert_erased(&product, &customers, journaled);
}

/// The company's customers give notice at its last instant, so that there is something open at the end. Returns how many events there are now.
fn give_notice(product: &Product, customers: &[String]) -> usize {
    let events = company(12, 120, 120);
    let last = events.last().expect("there are events").time;
    let notice = |customer: &String| {
        let id = format!("notice-{customer}").into();
        let body = Body::Cancellation { step: CancellationStep::Requested, user: None, reason: None, effective: None };
        Event { time: last, source: "/crm".into(), id, customer: customer.clone().into(), traceparent: None, body }
    };
    let count = events.len() + customers.len();
    take_in(product, &customers.iter().map(notice).collect::<Vec<_>>(), count);
    let signals = product.replayed().len();
    process(product, || product.published().len() >= signals);
    count
}

/// Values are as the schema says, without a field more, and every header that is promised is there.
#[track_caller]
fn assert_described(contract: &str, message: &str, records: &[Value]) {
    let present: Vec<&Value> = records.iter().filter(|record| !record["value"].is_null()).collect();
    assert!(present.len() > 50, "{contract}: {} records", present.len());
    let values: Vec<Value> = present.iter().map(|record| record["value"].clone()).collect();
    assert_valid(contract, &closed(schema(contract)), &values);
    let asyncapi = schema("asyncapi");
    let described = &asyncapi["components"]["messages"][message];
    let payload = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "allOf": [described["payload"]],
        "components": { "schemas": asyncapi["components"]["schemas"] },
    });
    assert_valid(&format!("payload of {message}"), &closed(payload), &values);
    let headers: Vec<Value> = present.iter().map(|record| record["headers"].clone()).collect();
    assert_valid(&format!("headers of {contract}"), &closed(described["headers"].clone()), &headers);
}

/// Records in binary mode are the lines of the replay.
#[track_caller]
fn assert_same(records: &[Value], expected: Vec<Value>) {
    let line = |record: &Value| {
        let header = |name: &str| record["headers"][name].clone();
        let [specversion, id, source, kind, subject, time] =
            ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time"].map(header);
        assert_eq!(record["key"], subject);
        json!({
            "specversion": specversion, "id": id, "source": source, "type": kind, "subject": subject, "time": time,
            "datacontenttype": header("content-type"), "data": record["value"],
        })
    };
    let sorted = |mut lines: Vec<Value>| {
        lines.sort_by_key(|line| line["id"].to_string());
        lines
    };
    let found = sorted(records.iter().map(line).collect());
    assert_eq!(found.len(), expected.len());
    assert!(found == sorted(expected), "the same number, but others");
}

/// The last record of each customer is what `explain` says of it at the end.
#[track_caller]
fn assert_healthy(product: &Product, journal: &str, health: &[Value], customers: &[String]) {
    let latest = latest(health);
    assert!(health.len() > 2 * latest.len(), "there is something to compact");
    let (mut seen, mut open) = (0, 0);
    for customer in customers.iter().filter(|customer| latest.contains_key(customer.as_str())).step_by(5) {
        let output = product.bellwether(&["explain", customer, "--json", "--journal", journal], &[]);
        succeeded(&output);
        let explained: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let told = &latest[&**customer]["value"];
        for field in ["customer", "health", "grade", "stage", "mrr_minor"] {
            assert_eq!(told[field], explained[field], "{field} of {customer}");
        }
        let rules = |rules: &Value, is_it: &dyn Fn(&Value) -> bool| -> BTreeSet<String> {
            let rules = rules.as_array().expect("a list").iter().filter(|rule| is_it(rule));
            rules.map(|rule| rule["rule"].as_str().expect("a name").to_owned()).collect()
        };
        let told = rules(&told["open_episodes"], &|_| true);
        assert_eq!(told, rules(&explained["rules"], &|rule| rule["is_open"] == true), "{customer}");
        (seen, open) = (seen + 1, open + told.len());
    }
    assert!(seen > 10 && open > 5, "{seen} customers with {open} open episodes");
}

fn latest(health: &[Value]) -> BTreeMap<&str, &Value> {
    health.iter().map(|record| (record["key"].as_str().expect("a text"), record)).collect()
}

/// The last record of a customer that is erased has no value and no headers, those of others stay.
#[track_caller]
fn assert_erased(product: &Product, customers: &[String], journaled: usize) {
    let last = company(12, 120, 120).last().expect("there are events").time;
    let erased = &customers[..ERASED];
    let erasure = |customer: &String| {
        let id = format!("erase-{customer}").into();
        Event { time: last, source: "/privacy".into(), id, customer: customer.clone().into(), traceparent: None, body: Body::Erased }
    };
    take_in(product, &erased.iter().map(erasure).collect::<Vec<_>>(), journaled + ERASED);
    process(product, || product.latest_health().values().filter(|record| record.is_none()).count() >= ERASED);
    let health = by_python(product, "health");
    for (customer, record) in latest(&health) {
        let is_erased = erased.iter().any(|erased| erased == customer);
        assert_eq!(record["value"].is_null(), is_erased, "{customer}");
        assert_eq!(record["headers"] == json!({}), is_erased, "{customer}");
    }
}

/// The records of the partitions add up to those of the whole, day by day.
#[track_caller]
fn assert_adds_up(records: &[Value], expected: &[Value]) {
    let mut days: BTreeMap<&str, BTreeMap<String, i64>> = BTreeMap::new();
    for record in records {
        let value = &record["value"];
        let day = value["day"].as_str().expect("a day");
        assert_eq!(record["key"], json!(format!("{day}/{}", value["partition"])));
        add(days.entry(day).or_default(), "", value);
    }
    assert!(expected.len() > 100, "{} days", expected.len());
    for whole in expected {
        let day = whole["day"].as_str().expect("a day");
        let mut of_whole = BTreeMap::new();
        add(&mut of_whole, "", whole);
        let of_partitions = days.get_mut(day).unwrap_or_else(|| panic!("{day} is not told"));
        of_partitions.retain(|_, sum| *sum != 0);
        of_whole.retain(|_, sum| *sum != 0);
        assert_eq!(*of_partitions, of_whole, "{day}");
    }
}

/// What a record has that adds up, and what does not.
const LABELS: [&str; 5] = ["segment", "plan", "month", "campaign", "industry"];
const DIVIDED: [&str; 6] = ["kpis", "currencies", "targets", "rule_set", "partition", "day"];

/// Adds the sums of a record, each under its path and labels.
fn add(sums: &mut BTreeMap<String, i64>, path: &str, value: &Value) {
    match value {
        Value::Number(number) => *sums.entry(path.to_owned()).or_default() += number.as_i64().expect("sums are whole"),
        Value::Array(values) => values.iter().for_each(|value| add(sums, path, value)),
        Value::Object(fields) => {
            let labels: Vec<&str> = LABELS.iter().filter_map(|label| fields.get(*label)?.as_str()).collect();
            let path = format!("{path}[{}]", labels.join(","));
            for (name, value) in fields.iter().filter(|(name, _)| !DIVIDED.contains(&name.as_str())) {
                add(sums, &format!("{path}/{name}"), value);
            }
        }
        _ => {}
    }
}
