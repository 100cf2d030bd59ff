//! Events over HTTP beside a real broker: written as a whole or not at all, counted once however often a request is repeated, and answered when the journal
//! has them.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::net::TcpStream;

use bellwether_tests::broker::Broker;
use bellwether_tests::product::{INPUT_PARTITIONS, Product};
use serde_json::{Value, json};

use crate::beside_kafka::{told, wait_for};
use crate::support::{Answer, event, get, post};

const PARTITIONS: u16 = 3;

/// Fewer than the ids that are remembered of a customer, so that a repeated request changes nothing.
const EVENTS_OF_A_REQUEST: usize = 20;

const BATCH: &str = "application/cloudevents-batch+json";

fn product(bootstrap: String, name: &str) -> Product {
    let mut product = Product::new(bootstrap, name, PARTITIONS);
    product.more_settings = format!("console:\n  address: 127.0.0.1:0\n  events_topic: {name}.events\n  request_timeout: 5s\n");
    product.create();
    product
}

fn console(product: &Product) -> String {
    told(product, "one", "the console is at http://", "/")
}

fn send(product: &Product, events: &[Value]) -> Answer {
    post(&format!("http://{}/v1/events", console(product)), BATCH, Value::from(events).to_string().as_bytes())
}

/// Sends events until they are taken; repeats what is refused for now.
fn send_until_taken(product: &Product, events: &[Value]) {
    wait_for("events are taken", || {
        let answer = send(product, events);
        let is_taken = matches!(answer.status, 200 | 202);
        assert!(is_taken || (answer.status == 503 && answer.headers.contains_key("retry-after")), "{answer:?}");
        is_taken
    });
}

/// How often each id of a customer's events is in the journal.
fn journaled(product: &Product, customer: &str) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    let event = |value: &[u8]| serde_json::from_slice::<Value>(value).ok().filter(|event| event["subject"] == customer);
    for event in product.read("journal", PARTITIONS, |record| event(record.value?)).into_iter().flatten() {
        *found.entry(event["id"].as_str().expect("an id").to_owned()).or_insert(0) += 1;
    }
    found
}

#[test]
fn the_answer_comes_when_the_journal_has_the_events() {
    let mut product = product(Broker::shared().bootstrap(), "answered");
    product.more_settings = product.more_settings.replace("5s", "10s");
    let one = product.start("one", "all", 1);
    wait_for("the ingest has begun", || send(&product, &request(0)).status == 200);
    for number in 1..10 {
        let answer = send(&product, &request(number));
        assert_eq!((answer.status, answer.json()["events"].as_u64()), (200, Some(3)), "{answer:?}");
        // What is repeated because its answer was lost is in the journal as often as it was sent.
        let journaled = journaled(&product, "c-half");
        assert!(journaled.len() as u32 >= 3 * (number + 1), "{number}: {journaled:?}");
    }
    assert_eq!(one.stop(), Some(0));

    // Where nobody takes in, the topic has them, and the journal will.
    fs::remove_file(product.log("one")).expect("it has told where its console was");
    let one = product.start("one", "process", 1);
    let mut answer = None;
    wait_for("an answer", || {
        let found = send(&product, &request(20));
        let is_later = found.status == 503;
        answer = Some(found);
        !is_later
    });
    let answer = answer.expect("it has come");
    assert_eq!((answer.status, answer.json()["events"].as_u64()), (202, Some(3)), "{answer:?}");
    let ids = |events: &[Value]| events.iter().map(|event| event["id"].as_str().expect("an id").to_owned()).collect::<Vec<_>>();
    let (topic, journal) = (written(&product, "c-half"), journaled(&product, "c-half"));
    assert!(ids(&request(20)).iter().all(|id| topic.contains_key(id) && !journal.contains_key(id)), "{topic:?} {journal:?}");
    assert_eq!(one.stop(), Some(0));
    let one = product.start("one", "ingest", 1);
    wait_for("they are journaled", || journaled(&product, "c-half").len() == topic.len());
    assert_eq!(one.stop(), Some(0));
}

/// A customer that was busy, and is silent since 50 days.
fn events_of(customer: &str) -> Vec<Value> {
    let subscription = json!({ "subscription": "s", "mrr_minor": 90_000, "currency": "EUR" });
    let mut events = vec![
        event(customer, 1, "account.created", 200, json!({ "owner": "ann" })),
        event(customer, 2, "subscription.started", 199, subscription),
    ];
    events.extend((3..83).map(|id| event(customer, id, "login", u64::from(50 + (id % 100)), json!({ "user": format!("u{}", id % 5) }))));
    events
}

/// How often each id is in the input topic, as readers of committed records see it.
fn written(product: &Product, customer: &str) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    let read = product.read("events", INPUT_PARTITIONS as u16, |record| {
        assert_eq!(record.key.is_some(), record.value.is_some(), "the customer is the key");
        serde_json::from_slice::<Value>(record.value.unwrap_or_default()).expect("what is posted is JSON")
    });
    for event in read.iter().filter(|event| event["subject"] == customer) {
        *found.entry(event["id"].as_str().expect("an id").to_owned()).or_insert(0) += 1;
    }
    found
}

/// Signals and decisions about a customer.
fn published(product: &Product, customer: &str) -> Vec<String> {
    let mut lines = product.published();
    lines.retain(|line| line.contains(customer));
    lines
}

#[test]
fn posted_events_become_signals_and_repeated_ones_change_nothing() {
    let product = product(Broker::shared().bootstrap(), "posted");
    let one = product.start("one", "all", 1);
    // Before the first watermark there is no journal time, and late events are judged by other times than after it.
    send_until_taken(&product, &request(0));
    wait_for("journal time", || get(&format!("http://{}/v1/kpis", console(&product)), &[]).json()["is_complete"] == true);
    let (once, repeated) = (events_of("c-once"), events_of("c-twice"));
    once.chunks(EVENTS_OF_A_REQUEST).for_each(|events| send_until_taken(&product, events));
    for (number, events) in repeated.chunks(EVENTS_OF_A_REQUEST).enumerate() {
        if number == 0 {
            lose_the_answer(&product, events);
        } else {
            send_until_taken(&product, events);
        }
        send_until_taken(&product, events);
    }
    assert!(written(&product, "c-once").values().all(|copies| *copies == 1));
    let copies = written(&product, "c-twice");
    assert_eq!((copies.len(), copies.values().min(), copies.values().max()), (82, Some(&2), Some(&2)), "the fault is there");
    let signals = |customer: &str| published(&product, customer).iter().filter(|line| line.contains("bellwether.signal.raised.v1")).count();
    wait_for("signals of both", || signals("c-once") > 0 && signals("c-twice") > 0);
    assert_eq!(counts(&product, "c-once"), counts(&product, "c-twice"));
    assert_eq!(one.stop(), Some(0));
    assert_eq!(signals("c-once"), signals("c-twice"));
    assert_eq!(product.published(), product.replayed());
}

/// The features of a customer, but for those that grow with time, which goes on between two requests.
fn counts(product: &Product, customer: &str) -> Vec<Value> {
    let customer = get(&format!("http://{}/v1/customers/{customer}", console(product)), &[]).json();
    let features = customer["features"].as_array().expect("features").clone();
    features.into_iter().filter(|feature| feature["unit"] != "days").collect()
}

/// Sends a request, waits until its events are written, and hangs up without having read the answer.
fn lose_the_answer(product: &Product, events: &[Value]) {
    let body = Value::from(events).to_string();
    let address = console(product);
    let mut stream = TcpStream::connect(&address).expect("the console listens");
    let head = format!("POST /v1/events HTTP/1.1\r\nhost: {address}\r\ncontent-type: {BATCH}\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all((head + &body).as_bytes()).expect("it can be written");
    wait_for("events whose answer nobody reads", || written(product, "c-twice").len() == events.len());
}

#[test]
fn a_request_that_kafka_does_not_answer_is_taken_as_a_whole_or_not_at_all() {
    let mut broker = Broker::start();
    let product = product(broker.bootstrap(), "half");
    let one = product.start("one", "all", 1);
    let requests: Vec<Vec<Value>> = (0..6).map(request).collect();
    send_until_taken(&product, &requests[0]);
    broker.kill();
    let answers: Vec<Answer> = requests[1..].iter().map(|events| send(&product, events)).collect();
    let problems: Vec<String> = answers.iter().map(|answer| answer.problem(503)).collect();
    assert_eq!(problems[0], "unknown", "it was on its way when the broker was found to be gone");
    assert!(answers.iter().all(|answer| answer.headers.contains_key("retry-after")), "{answers:?}");
    let metrics = get(&format!("http://{}/metrics", told(&product, "one", "metrics are at http://", "/")), &[]).body;
    let unknown = "bellwether_http_events_total{result=\"unknown\"} ";
    let unknown: u64 = metrics.lines().find_map(|line| line.strip_prefix(unknown)?.parse().ok()).expect("it is counted");
    assert!(unknown >= 3 && unknown.is_multiple_of(3), "{unknown} events of requests of three");
    wait_for("the gone broker is noticed", || send(&product, &requests[5]).problem(503) == "kafka-unreachable");
    broker.restart();
    requests.iter().for_each(|events| send_until_taken(&product, events));
    assert_eq!(one.stop(), Some(0));
    let copies = written(&product, "c-half");
    assert_eq!(copies.len(), 6 * 3, "nothing is lost");
    for events in &requests {
        let of_request: Vec<usize> = events.iter().map(|event| copies[event["id"].as_str().expect("an id")]).collect();
        assert!(of_request.iter().all(|copies| *copies == of_request[0]), "half of a request is written: {of_request:?}");
    }
}

fn request(number: u32) -> Vec<Value> {
    (0..3).map(|event_number| event("c-half", number * 3 + event_number, "login", 3, json!({ "user": "u1" }))).collect()
}

#[test]
fn wrong_events_are_refused_before_they_are_written() {
    let product = product(Broker::shared().bootstrap(), "wrong-post");
    let one = product.start("one", "ingest", 1);
    send_until_taken(&product, &request(0));
    let mut events = request(1);
    events[1]["type"] = json!("login.attempted");
    events[2].as_object_mut().expect("an object").remove("id");
    let answer = send(&product, &events);
    assert_eq!(answer.problem(422), "refused-events");
    let refused = answer.json()["events"].as_array().expect("events").clone();
    let told: Vec<_> = refused.iter().map(|one| (one["index"].as_u64(), one["reason"].as_str().unwrap_or_default())).collect();
    assert_eq!(told, [(Some(1), "unknown_type"), (Some(2), "missing_field")]);
    let large = event("c-half", 100, "login", 1, json!({ "method": "x".repeat(950_000) }));
    let answer = send(&product, &[large]);
    assert_eq!((answer.problem(422).as_str(), answer.json()["events"][0]["reason"].as_str()), ("refused-events", Some("line_too_long")));
    let single = event("c-single", 1, "login", 1, json!({})).to_string();
    let address = console(&product);
    assert_eq!(post(&format!("http://{address}/v1/events"), "application/cloudevents+json", single.as_bytes()).json()["events"], 1);
    assert_eq!(one.stop(), Some(0));
    assert_eq!(written(&product, "c-half").len(), 3);
    assert_eq!(written(&product, "c-single").len(), 1);
}
