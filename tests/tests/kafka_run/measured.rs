//! How long it takes from the arrival of an event to what it gave is measured as a whole, not only its two halves.

use std::time::{SystemTime, UNIX_EPOCH};

use bellwether_codec::journal::ARRIVAL_EVERY;
use bellwether_kafka::{BrokerClient, BrokerOptions, Client as _, Outgoing, Transaction};
use bellwether_tests::broker::Broker;
use bellwether_tests::product::Product;

use crate::support::{metrics, wait_until};

const EVENTS: usize = 40;

/// So long ago the events arrived.
const AGO_SECONDS: f64 = 100.0;

#[test]
fn the_whole_way_is_measured_from_the_arrival() {
    let product = Product::new(Broker::shared().bootstrap(), "measured", 2);
    product.create();
    let arrived = seconds_now() - AGO_SECONDS;
    produce(&product, arrived);
    let mut running = [("all", product.start("all", "all", 1))];
    // Two partitions, in one transaction or in several.
    let least = (EVENTS as f64 / ARRIVAL_EVERY as f64).ceil();
    wait_until(&product, &mut running, "all is journaled", || measured(&product, "ingest").0 >= EVENTS as f64);
    wait_until(&product, &mut running, "some of it is measured", || measured(&product, "end_to_end").0 >= least);
    let passed = |count: f64| count * (seconds_now() - arrived);
    let [(count, whole), (journaled, ingest), (processed, process)] =
        ["end_to_end", "ingest", "process"].map(|what| measured(&product, what));
    let [(_, instance)] = running;
    assert_eq!(instance.stop(), Some(0));
    assert_eq!(journaled, EVENTS as f64, "once for each event");
    assert!(count >= least && count <= EVENTS as f64 / 2.0, "of some: {count}");
    assert!(processed > count, "of all, and ticks are processed too: {processed}");
    assert!(ingest >= EVENTS as f64 * AGO_SECONDS, "{ingest}");
    assert!(whole >= ingest / journaled * count - count, "{whole} of {count} events, {ingest} of {journaled}");
    assert!(whole <= passed(count), "{whole} of {count} events");
    assert!(process < EVENTS as f64 * AGO_SECONDS, "{process}: from the journal on");
}

fn seconds_now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970").as_secs_f64()
}

fn produce(product: &Product, arrived_seconds: f64) {
    let options = BrokerOptions {
        connection: product.connection(),
        group_id: product.topic("source"),
        group_instance_id: None,
        transactional_id: product.topic("source"),
        subscription: Vec::new(),
    };
    let mut client = BrokerClient::new(options).unwrap_or_else(|error| panic!("{error}"));
    let (topic, mut transaction) = (product.topic("events"), Transaction::default());
    for number in 0..EVENTS {
        let value = format!(r#"{{"type":"login","subject":"c-{number}","data":{{"user":"u"}}}}"#);
        let (value, timestamp_ms) = (Some(value.as_bytes()), Some((arrived_seconds * 1_000.0) as i64));
        transaction.push(&Outgoing { topic: &topic, partition: Some(0), key: None, value, headers: &[], timestamp_ms });
    }
    client.commit(&transaction).unwrap_or_else(|error| panic!("{error}"));
}

/// Count and sum of a histogram of seconds.
fn measured(product: &Product, what: &str) -> (f64, f64) {
    let page = metrics(product, "all").unwrap_or_default();
    let value = |part: &str| {
        let name = format!("bellwether_{what}_seconds_{part} ");
        page.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok()).unwrap_or_default()
    };
    (value("count"), value("sum"))
}
