//! Other clients than ours read the signals that are committed, and get the same: Kafka's own consumer, kcat, and Python's.

use std::process::Command;

use bellwether_kafka::{BrokerClient, BrokerOptions, Client, Outgoing, Received, Transaction};
use bellwether_tests::broker::{Broker, tool};
use bellwether_tests::company::company;
use bellwether_tests::product::{Product, succeeded};
use serde_json::Value;

use crate::support::wait_until;

const PARTITIONS: u16 = 2;

#[test]
fn other_clients_read_the_same_signals() {
    let broker = Broker::shared();
    let product = Product::new(broker.bootstrap(), "others", PARTITIONS);
    product.create();
    product.produce(&company(12, 20, 60));
    let mut running = [("all", product.start("all", "all", 1))];
    wait_until(&product, &mut running, "there are signals", || ours(&product).len() > 50);
    let [(_, instance)] = running;
    assert_eq!(instance.stop(), Some(0));
    abort(&product);
    let expected = ours(&product);

    assert_eq!(by_kcat(&product, "read_committed"), expected);
    assert_eq!(by_console_consumer(broker, &product, expected.len()), expected);
    assert_eq!(by_python(&product), expected);
    let uncommitted = by_kcat(&product, "read_uncommitted");
    assert!(uncommitted.len() > expected.len(), "there is something that is not to be seen");
}

/// Records as lines: key, every header by its name, and value, with tabs between.
fn ours(product: &Product) -> Vec<String> {
    let text = |bytes: Option<&[u8]>| String::from_utf8(bytes.expect("there is one").to_vec()).expect("it is text");
    let line = |record: &Received<'_>| {
        let headers: Vec<(String, String)> = record.headers().map(|(name, value)| (name.to_owned(), text(value))).collect();
        assert!(headers.iter().any(|(name, _)| name == "ce_id") && headers.len() > 5, "{headers:?}");
        assert!(
            headers.iter().all(|(_, value)| !value.contains([',', '\t'])),
            "what the tools put between headers is in none: {headers:?}"
        );
        line_of(headers, &text(record.key), &text(record.value))
    };
    sorted(product.read("signals", PARTITIONS, line))
}

fn line_of(mut headers: Vec<(String, String)>, key: &str, value: &str) -> String {
    headers.sort_unstable();
    let headers: Vec<String> = headers.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    [key, &headers.join(","), value].join("\t")
}

/// Writes a signal in a transaction that comes to nothing, since its second record has nowhere to go.
fn abort(product: &Product) {
    let name = product.topic("aborted");
    let mut client = BrokerClient::new(BrokerOptions {
        connection: product.connection(),
        group_id: name.clone(),
        group_instance_id: None,
        transactional_id: name,
        subscription: Vec::new(),
    })
    .unwrap_or_else(|error| panic!("{error}"));
    let mut transaction = Transaction::default();
    for partition in [0, 999] {
        let (topic, headers) = (&product.topic("signals"), &[("ce_id", Some(&b"aborted"[..]))]);
        let (partition, value) = (Some(partition), Some(&b"{}"[..]));
        transaction.push(&Outgoing { topic, partition, key: Some(b"c-0"), value, headers, timestamp_ms: None });
    }
    let aborted = client.commit(&transaction);
    assert!(aborted.is_err(), "a transaction with a record for a partition that does not exist is committed");
}

fn by_kcat(product: &Product, isolation: &str) -> Vec<String> {
    let isolation = format!("isolation.level={isolation}");
    let mut command = Command::new("kcat");
    command.args(["-C", "-q", "-e", "-o", "beginning", "-f", "%h\t%k\t%s\n", "-X", &isolation]);
    command.args(["-b", &product.connection().bootstrap_servers, "-t", &product.topic("signals")]);
    let output = command.output().unwrap_or_else(|error| panic!("kcat cannot be run ({error}): `make setup` installs it"));
    succeeded(&output);
    sorted(String::from_utf8_lossy(&output.stdout).lines().map(|line| printed(line, '=')).collect())
}

fn by_console_consumer(broker: &Broker, product: &Product, count: usize) -> Vec<String> {
    let mut arguments = vec!["--topic", "others.signals", "--from-beginning", "--isolation-level", "read_committed"];
    assert_eq!(arguments[1], product.topic("signals"));
    // It would wait for more for ever; one more than there are is waited for, for a while.
    let count = (count + 1).to_string();
    arguments.extend(["--max-messages", &count, "--timeout-ms", "10000"]);
    arguments.extend(["--formatter-property", "print.key=true", "--formatter-property", "print.headers=true"]);
    let output = broker.tool(tool::CONSOLE_CONSUMER, &arguments);
    sorted(output.lines().filter(|line| line.starts_with("ce_")).map(|line| printed(line, ':')).collect())
}

fn by_python(product: &Product) -> Vec<String> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let line = |record: &Value| {
        let headers = record["headers"].as_object().expect("headers").iter();
        line_of(headers.map(|(name, value)| (name.clone(), text(value))).collect(), &text(&record["key"]), &text(&record["value"]))
    };
    sorted(product.read_by_python("signals", PARTITIONS).iter().map(line).collect())
}

/// What a tool prints of a record, headers before key before value, as such a line.
fn printed(line: &str, separator: char) -> String {
    let parts: Vec<&str> = line.splitn(3, '\t').collect();
    let [headers, key, value] = parts[..] else { panic!("three parts: {line}") };
    let header = |header: &str| header.split_once(separator).map(|(name, value)| (name.to_owned(), value.to_owned()));
    line_of(headers.split(',').map(|text| header(text).expect("a name and a value")).collect(), key, value)
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort_unstable();
    lines
}
