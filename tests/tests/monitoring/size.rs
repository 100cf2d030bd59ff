//! What is scraped does not grow with customers.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use bellwether_codec::event::Decoder;
use bellwether_engine::event::Event;
use bellwether_tests::broker::Broker;
use bellwether_tests::product::{Product, binary, succeeded};
use serde_json::Value;
use tempfile::TempDir;

use crate::beside_kafka::start;
use crate::panels::Run;
use crate::prometheus::{PATIENCE, free_address, scraped as exposition};

/// Partitions of the journal beside Kafka.
const PARTITIONS: u16 = 2;

/// The consumers and producers of an instance that takes in and processes: they tell of themselves every five seconds.
const CLIENTS: usize = 4;

/// The ways that a customer's life may go: the same for few customers and for many.
const LIVES: usize = 20;

/// So many customers, each with one of the lives.
fn events(customers: usize) -> String {
    let mut text = String::new();
    let mut event = |customer: usize, number: usize, day: usize, kind: &str, data: &str| {
        let id = format!("{customer}-{number}");
        writeln!(
            text,
            r#"{{"specversion":"1.0","id":"{id}","source":"/test","type":"{kind}","subject":"c-{customer}","time":"2025-05-{day:02}T12:00:00Z","data":{data}}}"#
        )
        .expect("text takes text");
    };
    for day in 1..=6 {
        for customer in 0..customers {
            let life = customer % LIVES;
            match day {
                1 => event(customer, 0, day, "account.created", r#"{"segment":"smb"}"#),
                2 => event(
                    customer,
                    1,
                    day,
                    "subscription.started",
                    r#"{"subscription":"s","plan":"team","mrr_minor":1000,"currency":"EUR","seats":3}"#,
                ),
                3 => event(customer, 2, day, "login", r#"{"user":"u"}"#),
                4 if life.is_multiple_of(2) => event(customer, 3, day, "ticket.opened", r#"{"ticket":"t","priority":"urgent"}"#),
                5 if life.is_multiple_of(5) => event(customer, 4, day, "cancellation.viewed", r#"{"user":"u"}"#),
                6 if life == 7 => event(customer, 5, day, "subscription.ended", r#"{"subscription":"s"}"#),
                _ => {}
            }
        }
    }
    text
}

/// How many signals a replay of the events raises.
fn raised(directory: &Path, events: &str) -> u64 {
    let at = |name: &str| directory.join(name);
    fs::write(at("events.jsonl"), events).expect("it can be written");
    let mut command = binary();
    command.args(["replay", "--events"]).arg(at("events.jsonl")).arg("--signals").arg(at("replayed.jsonl"));
    succeeded(&command.arg("--summary").arg(at("summary.json")).output().expect("the binary starts"));
    let summary: Value = serde_json::from_str(&fs::read_to_string(at("summary.json")).expect("it is written")).expect("JSON");
    summary["signals"].as_object().expect("signals").values().filter_map(|counts| counts["raised"].as_u64()).sum()
}

/// Names and labels of the series of an answer, but for what a transaction is doing at the moment.
fn series(answer: &str) -> BTreeSet<String> {
    let series = answer.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.rsplit_once(' '));
    let lasting = |series: &str| match series.split_once(",state=") {
        Some((lasting, _)) if lasting.starts_with("bellwether_kafka_client_transaction_state{") => format!("{lasting}}}"),
        _ => series.to_owned(),
    };
    series.map(|(series, _)| lasting(series)).collect()
}

/// The series, and the bytes of the answer, when all is done that the events of so many customers ask for.
fn scraped(customers: usize) -> (BTreeSet<String>, usize) {
    let directory = TempDir::new().expect("a temporary directory");
    let events = events(customers);
    let expected = raised(directory.path(), &events);
    assert!(expected > 100);
    let run = Run::start(directory.path(), &events);
    let started = Instant::now();
    loop {
        let answer = run.metrics();
        let lines = answer.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.rsplit_once(' '));
        let is_raised = |series: &str| series.starts_with("bellwether_signals_total") && series.contains("transition=\"raised\"");
        let found: u64 = lines.filter(|(series, _)| is_raised(series)).filter_map(|(_, count)| count.parse::<u64>().ok()).sum();
        if found == expected && answer.contains(&format!("bellwether_customers {customers}\n")) {
            return (series(&answer), answer.len());
        }
        assert!(started.elapsed() < PATIENCE, "{found} of {expected} signals: {answer}");
        sleep(Duration::from_millis(100));
    }
}

/// The same beside Kafka, where all is told that a replay of the journal tells. Names of topics and clients are those of one product.
fn scraped_beside_kafka(application: &str, customers: usize) -> (BTreeSet<String>, usize) {
    let product = Product::new(Broker::shared().bootstrap(), application, PARTITIONS);
    product.create();
    let text = events(customers);
    let decoder = Decoder::default();
    let events: Vec<Event<'_>> = text.lines().map(|line| decoder.decode_text(line).expect("it is an event")).collect();
    product.produce(&events);
    let address = free_address();
    let instance = start(&product, "all", "all", &address);
    let started = Instant::now();
    let is_done = || {
        let answer = exposition(&address);
        let customers_told = answer.contains(&format!("bellwether_customers {customers}\n"));
        let clients_told = answer.lines().filter(|line| line.starts_with("bellwether_kafka_client_connects_total{")).count() == CLIENTS;
        customers_told && clients_told && product.published().len() >= product.replayed().len()
    };
    while !is_done() {
        assert!(started.elapsed() < PATIENCE, "{} of {} are told", product.published().len(), product.replayed().len());
        sleep(Duration::from_millis(500));
    }
    let answer = exposition(&address).replace(application, "application");
    assert_eq!(instance.stop(), Some(0));
    (series(&answer), answer.len())
}

/// The same series, and no bytes more than longer numbers take.
#[track_caller]
fn assert_as_large((few, few_bytes): (BTreeSet<String>, usize), (many, many_bytes): (BTreeSet<String>, usize)) {
    assert!(few.len() > 200, "{}", few.len());
    assert_eq!(few.symmetric_difference(&many).collect::<Vec<_>>(), Vec::<&String>::new());
    // By a digit or two each.
    assert!(many_bytes < few_bytes + 3 * many.len(), "{few_bytes} and {many_bytes} bytes");
}

#[test]
fn as_many_series_for_a_thousand_customers_as_for_twenty_thousand() {
    assert_as_large(scraped(1_000), scraped(20_000));
}

#[test]
fn as_many_series_beside_kafka_for_a_few_hundred_customers_as_for_many() {
    assert_as_large(scraped_beside_kafka("size-few", 400), scraped_beside_kafka("size-many", 8_000));
}
