//! Records that tracing libraries have written: their trace is that of the signals that they decide.

use std::time::{SystemTime, UNIX_EPOCH};

use bellwether_kafka::{BrokerClient, BrokerOptions, Client as _, Outgoing, Transaction};
use bellwether_tests::broker::Broker;
use bellwether_tests::product::Product;

use crate::support::wait_until;

const OF_RECORD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

const SUBSCRIPTION: &str =
    r#"{"type":"subscription.started","subject":"CUSTOMER","data":{"subscription":"s","mrr_minor":90000,"currency":"EUR"}}"#;

const NOTICE: &str = r#"{"type":"cancellation.requested","subject":"CUSTOMER"}"#;

#[test]
fn the_trace_in_a_header_comes_back_in_headers_of_the_signal() {
    let product = Product::new(Broker::shared().bootstrap(), "traced", 2);
    product.create();
    let mut client = BrokerClient::new(BrokerOptions {
        connection: product.connection(),
        group_id: product.topic("tracer"),
        group_instance_id: None,
        transactional_id: product.topic("tracer"),
        subscription: Vec::new(),
    })
    .unwrap_or_else(|error| panic!("{error}"));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970").as_millis();
    let timestamp_ms = Some(i64::try_from(now).expect("it is not that late"));
    let (topic, mut transaction) = (product.topic("events"), Transaction::default());
    for (customer, traceparent) in [("c-traced", OF_RECORD), ("c-invalid", "01-2-3-4")] {
        let headers = [("traceparent", Some(traceparent.as_bytes()))];
        for (event, headers) in [(SUBSCRIPTION, &[][..]), (NOTICE, &headers[..])] {
            let value = event.replace("CUSTOMER", customer);
            let value = Some(value.as_bytes());
            transaction.push(&Outgoing { topic: &topic, partition: Some(0), key: None, value, headers, timestamp_ms });
        }
    }
    client.commit(&transaction).unwrap_or_else(|error| panic!("{error}"));
    let mut running = [("all", product.start("all", "all", 1))];
    let raised = || {
        let mut lines = product.published();
        lines.retain(|line| line.contains("bellwether.signal.raised.v1") && line.contains("notice-given"));
        lines
    };
    wait_until(&product, &mut running, "both are told of", || raised().len() >= 2);
    let [(_, instance)] = running;
    assert_eq!(instance.stop(), Some(0));
    for line in raised() {
        assert_eq!(line.contains(&format!("\"traceparent\":\"{OF_RECORD}\"")), line.contains("c-traced"), "{line}");
        assert_eq!(line.contains("traceparent"), line.contains("c-traced"), "{line}");
    }
    assert_eq!(product.published(), product.replayed());
}
