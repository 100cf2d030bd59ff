//! Writing to topics, and waiting for a product to come so far.

use std::fs;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use bellwether_kafka::{BrokerClient, BrokerOptions, Client, Outgoing, TopicPartition, Transaction};
use bellwether_tests::product::{Product, Running, succeeded};

/// How long anything may take on a slow and busy machine.
pub const LONG: Duration = Duration::from_secs(240);

/// A record to be written to a topic.
pub struct Raw<'a> {
    pub partition: i32,
    pub key: &'a str,
    pub value: &'a [u8],
    pub headers: &'a [(&'a str, Option<&'a [u8]>)],
    pub timestamp_ms: i64,
}

/// Writes records to a topic of the product.
pub fn write(product: &Product, topic: &str, records: &[Raw<'_>]) {
    let name = product.topic("writer");
    let mut connection = product.connection();
    // Other producers may write more than the product does.
    connection.properties.insert("message.max.bytes".to_owned(), "20000000".to_owned());
    let options =
        BrokerOptions { connection, group_id: name.clone(), group_instance_id: None, transactional_id: name, subscription: Vec::new() };
    let topic = product.topic(topic);
    let mut transaction = Transaction::default();
    for Raw { partition, key, value, headers, timestamp_ms } in records {
        transaction.push(&Outgoing {
            topic: &topic,
            partition: Some(*partition),
            key: Some(key.as_bytes()),
            value: Some(value),
            headers,
            timestamp_ms: Some(*timestamp_ms),
        });
    }
    let committed = BrokerClient::new(options).map(|mut client| client.commit(&transaction));
    assert_eq!(committed.map_err(|error| error.to_string()).map(|committed| committed.is_ok()), Ok(true));
}

/// Runs a command that takes the product's configuration, and asserts that it has ended well.
#[track_caller]
pub fn command(product: &Product, arguments: &[&str]) -> Output {
    let output = any_command(product, arguments);
    succeeded(&output);
    output
}

/// Runs a command that takes the product's configuration.
pub fn any_command(product: &Product, arguments: &[&str]) -> Output {
    let configuration = product.configuration("setup");
    let configuration = configuration.to_str().expect("it is UTF-8");
    product.bellwether(&[arguments, &["--config", configuration]].concat(), &[])
}

/// Starts a command that takes the product's configuration, to kill it.
pub fn start(product: &Product, arguments: &[&str]) -> Child {
    let mut command = Command::new(product.binary());
    command.args(arguments).arg("--config").arg(product.configuration("setup"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts")
}

/// Where the first partitions of a topic end.
pub struct Ends {
    client: BrokerClient,
    partitions: Vec<TopicPartition>,
}

impl Ends {
    pub fn new(product: &Product, topic: &str, partitions: u16) -> Self {
        let name = product.topic("watcher");
        let options = BrokerOptions {
            connection: product.connection(),
            group_id: name.clone(),
            group_instance_id: None,
            transactional_id: name,
            subscription: Vec::new(),
        };
        let topic = product.topic(topic);
        let partitions = (0..i32::from(partitions)).map(|partition| TopicPartition::new(topic.as_str(), partition)).collect();
        Self { client: BrokerClient::new(options).unwrap_or_else(|error| panic!("{error}")), partitions }
    }

    /// The sum of the offsets behind their last committed records.
    pub fn sum(&mut self) -> u64 {
        self.partitions.iter().map(|at| self.client.bounds(at).unwrap_or_else(|error| panic!("{error}")).1).sum()
    }
}

/// The lines of standard output.
pub fn lines(output: &Output) -> Vec<String> {
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

/// What people are told.
pub fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Waits until `done`, while an instance runs.
#[track_caller]
pub fn wait_until(product: &Product, name: &str, running: &mut Running, what: &str, mut done: impl FnMut() -> bool) {
    let started = Instant::now();
    while !done() {
        let log = || fs::read_to_string(product.log(name)).unwrap_or_default();
        assert!(running.ended().is_none(), "waiting until {what}: it ended\n{}", log());
        assert!(started.elapsed() < LONG, "it never comes that {what}\n{}", log());
        sleep(Duration::from_millis(300));
    }
}
