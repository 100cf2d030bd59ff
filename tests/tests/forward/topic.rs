//! From the topic of signals of a real Kafka, in a consumer group, also when killed.

use std::collections::BTreeSet;
use std::fs;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

use bellwether_kafka::{BrokerClient, BrokerOptions, Client as _, Outgoing, Transaction};
use bellwether_tests::broker::Broker;
use bellwether_tests::company::company;
use bellwether_tests::product::{Product, binary};

use crate::receiver::{Answer, OK, Receiver, SECRET};
use crate::setup::{Running, signal, wait_until};

const PARTITIONS: u16 = 3;

fn start(product: &Product, arguments: &[&str]) -> Running {
    let log = fs::File::options().create(true).append(true).open(product.log("forward")).expect("it can be written");
    let mut command = binary();
    command.arg("forward").arg("--config").arg(product.configuration("forward")).args(arguments);
    Running(command.stdin(Stdio::null()).stderr(log).spawn().expect("the binary starts"))
}

fn ids(receiver: &Receiver) -> BTreeSet<String> {
    receiver.requests().iter().map(|request| request.header("webhook-id").to_owned()).collect()
}

#[test]
fn committed_signals_are_sent_and_a_kill_loses_none() {
    let (receiver, digests) = (Receiver::start(|_, _| OK), Receiver::start(|_, _| OK));
    let mut product = Product::new(Broker::shared().bootstrap(), "forwarded", PARTITIONS);
    product.create();
    product.more_settings = format!(
        "forward:\n  routes:\n    - {{ name: crm, url: \"{}\", secret: {SECRET}, queue: 20 }}\n    - {{ name: daily, url: \"{}\", digest: {{ at: \"00:00\" }} }}\n",
        receiver.url(),
        digests.url()
    );
    let events = company(17, 40, 120);
    product.produce(&events);
    let instance = product.start("live", "all", 1);
    let forwarding = start(&product, &["--route", "crm"]);
    wait_until("some are sent", || receiver.requests().len() >= 25);
    forwarding.kill();
    let at_kill = receiver.requests().len();
    // The next one waits until the group has given up the one that was killed.
    let forwarding = start(&product, &["--route", "crm"]);
    wait_until("more are sent", || receiver.requests().len() > at_kill);
    let mut count = 0;
    wait_until("the product is quiet", || {
        let before = std::mem::replace(&mut count, signals(&product).len());
        sleep(Duration::from_secs(3));
        before == count && count > 50
    });
    assert_eq!(instance.stop(), Some(0));
    let expected = signals(&product);
    wait_until("all are sent", || ids(&receiver).len() >= expected.len());
    assert_eq!(forwarding.stop(), Some(0), "{}", fs::read_to_string(product.log("forward")).unwrap_or_default());
    let sent: BTreeSet<String> = receiver.requests().iter().map(|request| String::from_utf8_lossy(&request.body).into_owned()).collect();
    assert!(sent == expected, "{} were sent of {}", sent.len(), expected.len());
    receiver.requests().iter().for_each(|request| request.assert_signed());

    // Everything is committed: a run to the end finds only what is new, and the digest tells what is open in all partitions. By now, long after
    // the events, the product has ended everything.
    let before = receiver.requests().len();
    (0..i32::from(PARTITIONS)).for_each(|partition| write(&product, partition));
    let status = start(&product, &["--once"]).0.wait().expect("it ends");
    assert_eq!(status.code(), Some(0), "{}", fs::read_to_string(product.log("forward")).unwrap_or_default());
    assert_eq!(receiver.requests().len(), before + usize::from(PARTITIONS));
    let told: u64 = digests.requests().iter().map(|request| request.json()["digest"]["open"].as_u64().expect("a number")).sum();
    assert_eq!(told, open(&product));
    assert!(told >= u64::from(PARTITIONS));
}

#[test]
fn how_far_a_route_is_behind_the_topic_is_told() {
    let is_up = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&is_up);
    let busy = Answer { status: 503, ..OK };
    let receiver = Receiver::start(move |_, _| if asked.load(Ordering::Relaxed) { OK } else { busy });
    let mut product = Product::new(Broker::shared().bootstrap(), "behind", PARTITIONS);
    product.create();
    product.more_settings =
        format!("forward:\n  routes:\n    - {{ name: crm, url: \"{}\", attempts: 100, longest_wait: 1s }}\n", receiver.url());
    (0..i32::from(PARTITIONS)).for_each(|partition| write(&product, partition));
    let forwarding = start(&product, &[]);
    let lag = |name: &str| -> Option<Vec<f64>> {
        let log = fs::read_to_string(product.log("forward")).unwrap_or_default();
        let address = log.split_once("metrics are at ")?.1.lines().next()?.to_owned();
        let text = ureq::get(&address).call().ok()?.body_mut().read_to_string().ok()?;
        let name = format!("bellwether_forward_lag_{name}{{");
        let values = text.lines().filter(|line| line.starts_with(&name)).filter_map(|line| line.rsplit(' ').next()?.parse().ok());
        Some(values.collect())
    };
    // Each has a record, and perhaps the mark of its transaction.
    let is_behind = |lags: Vec<f64>| lags.len() == usize::from(PARTITIONS) && lags.iter().all(|lag| *lag >= 1.0);
    wait_until("all partitions are behind", || lag("records").is_some_and(is_behind));
    wait_until("it is late", || lag("seconds").is_some_and(|seconds| seconds.first().is_some_and(|seconds| *seconds >= 1.0)));
    is_up.store(true, Ordering::Relaxed);
    wait_until("nothing is behind", || {
        lag("records").is_some_and(|lags| lags == [0.0; PARTITIONS as usize]) && lag("seconds").is_some_and(|seconds| seconds == [0.0])
    });
    assert_eq!(ids(&receiver).len(), usize::from(PARTITIONS));
    assert_eq!(forwarding.stop(), Some(0));
}

/// Writes a signal of a customer of its own to the topic.
fn write(product: &Product, partition: i32) {
    let (name, topic) = (product.topic("writer"), product.topic("signals"));
    let options = BrokerOptions {
        connection: product.connection(),
        group_id: name.clone(),
        group_instance_id: None,
        transactional_id: name,
        subscription: Vec::new(),
    };
    let line: serde_json::Value =
        serde_json::from_str(&signal(partition as usize, &format!("late-{partition}"), Some("anna"), "at_risk", "raised"))
            .expect("it is JSON");
    let data = line["data"].to_string();
    let attributes = ["specversion", "id", "source", "type", "subject", "time"].map(|name| (format!("ce_{name}"), line[name].as_str()));
    let mut headers: Vec<(&str, Option<&[u8]>)> = vec![("content-type", Some(b"application/json"))];
    headers.extend(attributes.iter().map(|(name, value)| (name.as_str(), Some(value.expect("an attribute is a text").as_bytes()))));
    let mut transaction = Transaction::default();
    transaction.push(&Outgoing {
        topic: &topic,
        partition: Some(partition),
        key: Some(b"late"),
        value: Some(data.as_bytes()),
        headers: &headers,
        timestamp_ms: None,
    });
    let committed = BrokerClient::new(options).map(|mut client| client.commit(&transaction));
    assert_eq!(committed.map_err(|error| error.to_string()).map(|committed| committed.is_ok()), Ok(true));
}

/// Lines of the signals topic.
fn signals(product: &Product) -> BTreeSet<String> {
    product.published().into_iter().filter(|line| line.contains("\"type\":\"bellwether.signal.")).collect()
}

/// Signals with something to do that are open, by the lines in the order of their partitions.
fn open(product: &Product) -> u64 {
    let line = |record: &bellwether_kafka::Received<'_>| {
        let header = |name: &str| String::from_utf8_lossy(record.header(name).unwrap_or_default()).into_owned();
        let data: serde_json::Value = serde_json::from_slice(record.value.unwrap_or_default()).expect("data are JSON");
        (header("ce_subject"), header("ce_type"), data)
    };
    let mut open = std::collections::BTreeMap::new();
    for (customer, transition, data) in product.read("signals", PARTITIONS, line) {
        let key = (customer, data["rule"].to_string(), data["object"].to_string());
        if ["cleared", "expired", "resolved"].iter().any(|end| transition.contains(end)) {
            open.remove(&key);
        } else {
            open.insert(key, data);
        }
    }
    open.values().filter(|data| data["kind"] != "return").count() as u64
}
