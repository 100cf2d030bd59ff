//! Nothing goes wrong: raw topics to signals, a stop and a start, and the commands around it.

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use bellwether_engine::event::{Body, CancellationStep, Event};
use bellwether_engine::time::{HOUR_MS, Time};
use bellwether_tests::broker::Broker;
use bellwether_tests::company::company;
use bellwether_tests::product::Product;

use crate::support::{assert_as_replayed, assert_health_fits_signals, journaled, wait_until};

const PARTITIONS: u16 = 4;

#[test]
fn events_become_signals_and_time_goes_on_without_events() {
    let broker = Broker::shared();
    let product = Product::new(broker.bootstrap(), "straight", PARTITIONS);
    product.create();
    let mut events = company(11, 20, 60);
    let notices = notices(&events);
    events.extend(notices);
    let (first, second) = events.split_at(events.len() / 2);
    product.produce(first);
    let mut running = [("all", product.start("all", "all", 2))];
    wait_until(&product, &mut running, "the first half is journaled", || journaled(&product, PARTITIONS).len() >= first.len());
    let [(_, instance)] = running;
    assert_eq!(instance.stop(), Some(0));
    product.produce(second);
    let mut running = [("all", product.start("all", "all", 2))];
    wait_until(&product, &mut running, "all is journaled", || journaled(&product, PARTITIONS).len() >= events.len());
    // At the end of the inputs the present comes, perhaps after the first half already: long silence, which is dated when it was due.
    let after_the_events = "2024-03-03";
    wait_until(&product, &mut running, "silence is noticed", || {
        let time = |line: &String| line.split_once("\"time\":\"").map(|(_, rest)| rest[..after_the_events.len()].to_owned());
        product.published().iter().filter_map(time).any(|time| time.as_str() > after_the_events)
    });
    let [(_, instance)] = running;
    assert_eq!(instance.stop(), Some(0));
    let ids: Vec<String> = events.iter().map(|event| event.id.to_string()).collect();
    let mut expected = ids.clone();
    expected.sort_unstable();
    assert_eq!(journaled(&product, PARTITIONS), expected);
    // What was journaled and not processed when it stopped is processed now; the replay reads the same journal.
    let mut running = [("rest", product.start("rest", "process", 1))];
    let count = product.replayed().len();
    wait_until(&product, &mut running, "all is processed", || product.published().len() >= count);
    let [(_, instance)] = running;
    assert_eq!(instance.stop(), Some(0));
    assert!(assert_as_replayed(&product) > 100);
    let open = assert_health_fits_signals(&product, PARTITIONS);
    assert!(open > 5, "{open} open episodes");
}

/// An hour ago, after years of silence, each customer has given notice: then there is something open.
fn notices(events: &[Event<'_>]) -> Vec<Event<'static>> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970").as_millis();
    let time = Time(i64::try_from(now).expect("it is not that late") - HOUR_MS);
    let customers: BTreeSet<&str> = events.iter().map(|event| &*event.customer).collect();
    let notice = |customer: &&str| {
        let (id, customer) = (format!("notice-{customer}").into(), (*customer).to_owned().into());
        let body = Body::Cancellation { step: CancellationStep::Requested, user: None, reason: None, effective: None };
        Event { time, source: "/crm".into(), id, customer, traceparent: None, body }
    };
    customers.iter().map(notice).collect()
}
