//! The subscribers of `deploy/examples`, run beside a real Kafka: they act on each signal once, whatever comes twice.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::iter;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use bellwether_kafka::{BrokerClient, BrokerOptions, Client, Outgoing, Received, TopicPartition, Transaction};
use bellwether_tests::broker::{Broker, class_path};
use bellwether_tests::product::Product;
use bellwether_tests::python::{CONFLUENT_KAFKA, python};
use serde_json::{Value, json};

use super::topics::{LONG, PARTITIONS, filled};

/// An example has fewer lines than this.
const MAX_LINES: usize = 40;

/// What a pipe holds, and who reads from it, at most.
const MAX_PIPE_BYTES: usize = (64 + 8) << 10;

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace").join("deploy/examples").join(name)
}

#[test]
fn the_examples_are_short() {
    for name in ["subscribe.py", "Subscribe.java"] {
        let lines = fs::read_to_string(example(name)).expect("it is there").lines().count();
        assert!(lines < MAX_LINES, "{name} has {lines} lines");
    }
}

/// A copy of the signals in a topic of its own, since the tests write to it.
struct Signals<'p> {
    product: &'p Product,
    topic: String,
    directory: &'p Path,
}

#[test]
fn the_subscriber_in_python_acts_on_each_signal_once() {
    let command = || {
        let mut command = Command::new(python(&[CONFLUENT_KAFKA]));
        command.arg(example("subscribe.py"));
        command
    };
    check("in-python", &command);
}

#[test]
fn the_subscriber_in_java_acts_on_each_signal_once() {
    let command = || {
        let mut command = Command::new("java");
        command.args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp"]);
        command.arg(class_path()).arg(example("Subscribe.java"));
        command
    };
    check("in-java", &command);
}

fn check(name: &str, command: &dyn Fn() -> Command) {
    let (product, _) = filled(Broker::shared(), name);
    let signals = Signals { product: &product, topic: product.topic("signals"), directory: product.directory.path() };
    let expected = sorted(product.read("signals", PARTITIONS, expected_line));
    // How many there are depends on whether the present came into the journal too.
    let (some, others) = expected.split_at(expected.len() / 10);
    let bytes: usize = others.iter().map(|line| line.len() + 1).sum();
    assert!(bytes > MAX_PIPE_BYTES, "{} signals fit into a pipe", others.len());

    // The first dies without a word in the middle of it: what it prints fits into no pipe. At most its last signal was not remembered.
    let mut first = signals.start(command, "group", "handled");
    let mut seen: Vec<String> = first.lines.by_ref().take(some.len()).collect();
    first.child.kill().expect("it can be killed");
    seen.extend(first.rest());
    assert!(seen.len() < expected.len(), "it was done before it was killed");
    // The second goes on where that one was, and knows by the ids what was done.
    signals.repeat_all();
    signals.put_ends("a");
    seen.extend(signals.start(command, "group", "handled").until_the_end("a", &signals));
    let count = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert!(count - seen.len() <= 1, "{} were acted on twice", count - seen.len());
    assert_eq!(seen, expected);

    // Another group with the same memory gets everything again, and does nothing.
    signals.put_ends("b");
    assert_eq!(signals.start(command, "other-group", "handled").until_the_end("b", &signals), Vec::<String>::new());
    // The first group without its memory begins behind what it has committed.
    signals.put_ends("c");
    assert_eq!(signals.start(command, "group", "forgotten").until_the_end("c", &signals), Vec::<String>::new());
    // And another one without a memory sees everything from the beginning, each once, though all were written twice.
    signals.put_ends("d");
    assert_eq!(sorted(signals.start(command, "third-group", "new").until_the_end("d", &signals)), expected);
}

/// A subscriber that runs; it is killed when it is dropped.
struct Subscriber {
    child: Child,
    lines: Box<dyn Iterator<Item = String>>,
    group: String,
}

impl Subscriber {
    /// What it does until it has come to the marks at the ends of all partitions, and has committed that.
    fn until_the_end(mut self, mark: &str, signals: &Signals<'_>) -> Vec<String> {
        let (mut seen, mut ends) = (Vec::new(), 0);
        while ends < PARTITIONS {
            let line = self.lines.next().expect("it runs until it is killed");
            if line.contains(&format!(" end-{mark} ")) {
                ends += 1;
            } else if !line.contains(" end-") {
                seen.push(line);
            }
        }
        signals.wait_for_commits(&self.group);
        self.child.kill().expect("it can be killed");
        seen.extend(self.rest().into_iter().filter(|line| !line.contains(" end-")));
        seen
    }

    fn rest(&mut self) -> Vec<String> {
        let rest = self.lines.by_ref().collect();
        self.child.wait().expect("it can be waited for");
        rest
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

impl Signals<'_> {
    fn start(&self, command: &dyn Fn() -> Command, group: &str, handled: &str) -> Subscriber {
        let (mut command, group) = (command(), self.product.topic(group));
        command.args([&self.product.connection().bootstrap_servers, &self.topic, &group]);
        command.arg(self.directory.join(handled)).stdout(Stdio::piped());
        let mut child = command.spawn().expect("it starts: `make setup` installs what it needs");
        let mut output = BufReader::new(child.stdout.take().expect("it is piped"));
        // The last line of one that was killed may be half a line.
        let line = move || {
            let mut line = String::new();
            output.read_line(&mut line).ok()?;
            line.strip_suffix('\n').map(str::to_owned)
        };
        Subscriber { child, lines: Box::new(iter::from_fn(line)), group }
    }

    /// Writes all signals once more, as a broken producer might.
    fn repeat_all(&self) {
        let record = |record: &Received<'_>| {
            let headers: Vec<(String, Option<Vec<u8>>)> =
                record.headers().map(|(name, value)| (name.to_owned(), value.map(<[u8]>::to_vec))).collect();
            (record.at.partition, record.key.map(<[u8]>::to_vec), record.value.map(<[u8]>::to_vec), headers)
        };
        let mut transaction = Transaction::default();
        for (partition, key, value, headers) in self.product.read("signals", PARTITIONS, record) {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect();
            let (topic, partition) = (&self.topic, Some(partition));
            transaction.push(&Outgoing {
                topic,
                partition,
                key: key.as_deref(),
                value: value.as_deref(),
                headers: &headers,
                timestamp_ms: None,
            });
        }
        self.commit(&transaction);
    }

    /// Writes a mark to the end of each partition.
    fn put_ends(&self, mark: &str) {
        let mut transaction = Transaction::default();
        let value = json!({ "rule": format!("end-{mark}"), "severity": "info" }).to_string();
        for partition in 0..i32::from(PARTITIONS) {
            let id = format!("end-{mark}-{partition}");
            let headers = [("ce_id", Some(id.as_bytes())), ("ce_type", Some(&b"test.end"[..]))];
            let (topic, value) = (&self.topic, Some(value.as_bytes()));
            transaction.push(&Outgoing {
                topic,
                partition: Some(partition),
                key: Some(b"none"),
                value,
                headers: &headers,
                timestamp_ms: None,
            });
        }
        self.commit(&transaction);
    }

    fn commit(&self, transaction: &Transaction) {
        assert!(self.client("repeater").commit(transaction).is_ok(), "it is committed");
    }

    /// Waits until a group has committed the last record of each partition.
    fn wait_for_commits(&self, group: &str) {
        let mut behind: BTreeMap<i32, u64> = BTreeMap::new();
        for (partition, offset) in self.product.read("signals", PARTITIONS, |record| (record.at.partition, record.offset)) {
            behind.insert(partition, offset + 1);
        }
        let all: Vec<TopicPartition> = behind.keys().map(|partition| TopicPartition::new(self.topic.as_str(), *partition)).collect();
        let mut client = self.client(group);
        let (started, mut committed) = (Instant::now(), Vec::new());
        while !committed.iter().zip(behind.values()).all(|(committed, behind)| committed >= behind) || committed.is_empty() {
            assert!(started.elapsed() < LONG, "{group} never commits: {committed:?} of {behind:?}");
            sleep(Duration::from_millis(100));
            let offsets = client.committed(&all).unwrap_or_else(|error| panic!("{error}"));
            committed = offsets.into_iter().map(|committed| committed.map_or(0, |committed| committed.offset)).collect();
        }
    }

    fn client(&self, group: &str) -> BrokerClient {
        let options = BrokerOptions {
            connection: self.product.connection(),
            group_id: group.to_owned(),
            group_instance_id: None,
            transactional_id: self.product.topic("repeater"),
            subscription: Vec::new(),
        };
        BrokerClient::new(options).unwrap_or_else(|error| panic!("{error}"))
    }
}

/// The line that an example prints of a signal.
fn expected_line(record: &Received<'_>) -> String {
    let text = |bytes: Option<&[u8]>| String::from_utf8(bytes.expect("there is one").to_vec()).expect("it is text");
    let data: Value = serde_json::from_slice(record.value.expect("there is one")).expect("it is JSON");
    let data = |name: &str| data[name].as_str().expect("a text").to_owned();
    [text(record.header("ce_id")), text(record.header("ce_type")), text(record.key), data("rule"), data("severity")].join(" ")
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort_unstable();
    lines
}
