//! The product as its users run it: the binary beside a real Kafka, in a directory of its own.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use bellwether_engine::event::Event;
use bellwether_kafka::{Admin, BrokerClient, BrokerOptions, ConnectionOptions, TopicSettings};
use tempfile::TempDir;

use crate::world::{LatestHealth, latest_health};

mod by_python;
mod producer;
mod running;
mod tail;

pub use producer::Producer;
pub use running::Running;
pub use tail::Tail;

/// Topics are named after the application, so that several products can share a broker.
pub struct Product {
    /// Where it keeps everything.
    pub directory: TempDir,
    /// Prefix of groups, transactions and topics.
    pub application: String,
    /// Lines at the end of the configuration: further sources, then further settings of the section `kafka`.
    pub more_settings: String,
    bootstrap: String,
    /// Where instances find the broker: through a proxy, if there is one.
    brokers: String,
    partitions: u16,
}

/// Partitions of the raw topic.
pub const INPUT_PARTITIONS: u32 = 6;

impl Product {
    /// A product whose topics are not made yet.
    ///
    /// # Panics
    ///
    /// When the directory or the configuration cannot be written.
    #[must_use]
    pub fn new(bootstrap: String, application: &str, partitions: u16) -> Self {
        let directory = TempDir::with_prefix("bellwether-product-").expect("a temporary directory can be made");
        Self {
            directory,
            application: application.to_owned(),
            more_settings: String::new(),
            brokers: bootstrap.clone(),
            bootstrap,
            partitions,
        }
    }

    /// The same, with instances that find the broker elsewhere: behind a proxy, or nowhere.
    #[must_use]
    pub fn reached_through(self, brokers: String) -> Self {
        Self { brokers, ..self }
    }

    /// The name of a topic.
    #[must_use]
    pub fn topic(&self, name: &str) -> String {
        format!("{}.{name}", self.application)
    }

    /// Writes the configuration of an instance, and gives its path.
    ///
    /// # Panics
    ///
    /// When it cannot be written.
    #[must_use]
    pub fn configuration(&self, instance: &str) -> PathBuf {
        let Self { application, brokers, partitions, .. } = self;
        let mut text = format!(
            "data: {data}
metrics: 127.0.0.1:0
kafka:
  brokers: {brokers}
  application: {application}
  instance: {instance}
  client: {{ session.timeout.ms: 6000, heartbeat.interval.ms: 500 }}
  journal: {{ topic: {application}.journal, partitions: {partitions}, tick_interval: 1s }}
  replication: 1
  min_insync_replicas: 1
  commit_interval: 50ms
  watermark_interval: 500ms
  max_watermark_drift: 6h
  topics:
",
            data = self.data(instance).display()
        );
        for topic in ["signals", "health", "decisions", "kpis"] {
            writeln!(text, "    {topic}: {application}.{topic}").expect("text takes text");
        }
        write!(
            text,
            "    dead_letters: {application}.dead-letters\n  sources:\n    - {{ name: events, topics: [{application}.events], silent_after: never }}\n"
        )
        .expect("text takes text");
        text += &self.more_settings;
        let path = self.directory.path().join(format!("{instance}.yaml"));
        fs::write(&path, text).expect("the configuration can be written");
        path
    }

    /// The data directory of an instance.
    #[must_use]
    pub fn data(&self, instance: &str) -> PathBuf {
        self.directory.path().join(instance)
    }

    /// Makes the raw topic and those of the product, and publishes the built-in rules.
    ///
    /// # Panics
    ///
    /// When a command fails.
    pub fn create(&self) {
        self.create_input("events");
        self.begin();
    }

    /// Makes the topics of the product that are missing, and publishes the built-in rules.
    ///
    /// # Panics
    ///
    /// When a command fails.
    pub fn begin(&self) {
        let configuration = self.configuration("setup");
        succeeded(&self.bellwether(&["topics", "create", "--config"], &[&configuration]));
        succeeded(&self.bellwether(&["rules", "publish", "--config"], &[&configuration]));
    }

    /// The same without the rules.
    ///
    /// # Panics
    ///
    /// When a command fails.
    pub fn create_topics(&self) {
        self.create_input("events");
        succeeded(&self.bellwether(&["topics", "create", "--config"], &[&self.configuration("setup")]));
    }

    /// Makes a topic to be read.
    ///
    /// # Panics
    ///
    /// When it cannot be made.
    pub fn create_input(&self, name: &str) {
        let raw = TopicSettings {
            name: self.topic(name),
            partitions: INPUT_PARTITIONS,
            replication: Some(1),
            // Events are dated years ago: a broker would delete them within the minute.
            settings: [("message.timestamp.after.max.ms", i64::MAX.to_string()), ("retention.ms", "-1".to_owned())]
                .map(|(name, value)| (name.to_owned(), value))
                .into_iter()
                .collect(),
        };
        Admin::new(self.connection()).and_then(|admin| admin.create(&[raw])).unwrap_or_else(|error| panic!("{error}"));
    }

    /// Where the binary is.
    ///
    /// # Panics
    ///
    /// When it is not built.
    #[must_use]
    pub fn binary(&self) -> PathBuf {
        binary().get_program().into()
    }

    /// Runs a command of the binary to its end.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    #[must_use]
    pub fn bellwether(&self, arguments: &[&str], paths: &[&Path]) -> Output {
        binary().args(arguments).args(paths).stdin(Stdio::null()).output().expect("the binary runs")
    }

    /// Starts an instance. What it logs goes to a file beside its data.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    #[must_use]
    pub fn start(&self, instance: &str, role: &str, workers: usize) -> Running {
        self.start_with(&self.configuration(instance), instance, role, workers)
    }

    /// Starts an instance with this configuration.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    #[must_use]
    pub fn start_with(&self, configuration: &Path, instance: &str, role: &str, workers: usize) -> Running {
        self.launch(binary(), configuration, instance, role, workers)
    }

    /// Starts an instance whose data directory is a file system of its own in memory, of this size, such as `64m`. Only it sees what is in there.
    ///
    /// # Panics
    ///
    /// When it cannot be started. It takes a Linux where users may make namespaces.
    #[must_use]
    pub fn start_on_small_disk(&self, configuration: &Path, instance: &str, size: &str) -> Running {
        let data = self.data(instance);
        fs::create_dir_all(&data).expect("it can be made");
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount", "sh", "-c", r#"mount -t tmpfs -o "size=$1" tmpfs "$0" && shift && exec "$@""#]);
        command.arg(data).arg(size).arg(binary().get_program());
        self.launch(command, configuration, instance, "all", 1)
    }

    fn launch(&self, mut command: Command, configuration: &Path, instance: &str, role: &str, workers: usize) -> Running {
        let log = fs::File::options().create(true).append(true).open(self.log(instance)).expect("the log can be written");
        let child = command
            .args(["run", "--role", role, "--workers", &workers.to_string(), "--config"])
            .arg(configuration)
            .env("BELLWETHER_LOG", "warn,bellwether_live=info")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the binary starts");
        Running(child)
    }

    /// Where an instance logs.
    #[must_use]
    pub fn log(&self, instance: &str) -> PathBuf {
        self.directory.path().join(format!("{instance}.log"))
    }

    /// Produces events to the raw topic; see [`Producer::produce`].
    ///
    /// # Panics
    ///
    /// When a transaction fails.
    pub fn produce(&self, events: &[Event<'_>]) {
        self.producer().produce(events);
    }

    /// A producer to the raw topic.
    ///
    /// # Panics
    ///
    /// When the broker does not answer.
    #[must_use]
    pub fn producer(&self) -> Producer {
        self.producer_to("events")
    }

    /// A producer to a topic that is read.
    ///
    /// # Panics
    ///
    /// When the broker does not answer.
    #[must_use]
    pub fn producer_to(&self, name: &str) -> Producer {
        let client = BrokerClient::new(BrokerOptions {
            connection: self.connection(),
            group_id: self.topic("producer"),
            group_instance_id: None,
            transactional_id: self.topic("producer"),
            subscription: Vec::new(),
        });
        Producer { client: client.unwrap_or_else(|error| panic!("{error}")), topic: self.topic(name), number: 0 }
    }

    /// All committed records of a topic, as `visit` makes them.
    ///
    /// # Panics
    ///
    /// When the topic cannot be read.
    pub fn read<T>(&self, name: &str, partitions: u16, visit: impl Fn(&bellwether_kafka::Received<'_>) -> T) -> Vec<T> {
        let mut found = Vec::new();
        self.tail(name, partitions).read_on(|record| found.push(visit(record)));
        found
    }

    /// Partitions of its journal, and of each topic that it writes.
    #[must_use]
    pub fn partitions(&self) -> u16 {
        self.partitions
    }

    /// A topic that is to be read as it grows.
    #[must_use]
    pub fn tail(&self, name: &str, partitions: u16) -> Tail {
        Tail::new(self.connection(), self.topic(name), partitions)
    }

    /// What `bellwether replay` makes of the journal as it is now: lines of signals and decisions, sorted.
    ///
    /// # Panics
    ///
    /// When the replay fails.
    #[must_use]
    pub fn replayed(&self) -> Vec<String> {
        let file = self.directory.path().join("replayed.jsonl");
        let journal = format!("kafka://{}/{}", self.bootstrap, self.topic("journal"));
        succeeded(&self.bellwether(&["replay", "--journal", &journal, "--signals"], &[&file]));
        let decisions = self.directory.path().join("replayed.jsonl.decisions");
        let text = [file, decisions].map(|path| fs::read_to_string(path).expect("the replay has written it")).concat();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort_unstable();
        lines
    }

    /// Signals and decisions as readers of committed records see them, as lines, sorted.
    ///
    /// # Panics
    ///
    /// When they cannot be read.
    #[must_use]
    pub fn published(&self) -> Vec<String> {
        let line = |record: &bellwether_kafka::Received<'_>| {
            let headers: Vec<_> = record.headers().map(|(name, value)| (name.to_owned(), value.map(<[u8]>::to_vec))).collect();
            crate::world::line_of(&headers, record.value)
        };
        let mut lines = self.read("signals", self.partitions, line);
        lines.extend(self.read("decisions", self.partitions, line));
        lines.sort_unstable();
        lines
    }

    /// The last record of each customer in the health topic, as readers of committed records see them.
    ///
    /// # Panics
    ///
    /// When they cannot be read.
    #[must_use]
    pub fn latest_health(&self) -> LatestHealth {
        self.read("health", self.partitions, |record| latest_health(record.key, record.value)).into_iter().collect()
    }

    /// How to reach the broker.
    #[must_use]
    pub fn connection(&self) -> ConnectionOptions {
        ConnectionOptions {
            bootstrap_servers: self.bootstrap.clone(),
            client_id: "test".to_owned(),
            properties: [].into_iter().collect(),
            timeout: Duration::from_secs(60),
            stop: Default::default(),
        }
    }
}

/// The binary, which `make test` builds before the tests run.
///
/// # Panics
///
/// When it is not built.
#[must_use]
pub fn binary() -> Command {
    let own = std::env::current_exe().expect("a program knows where it is");
    // Tests are built into a directory below that of the binaries.
    let binaries = own.ancestors().skip(1).take(2).map(|directory| directory.join("bellwether"));
    let binary = binaries.into_iter().find(|binary| binary.is_file());
    let binary = binary.expect("the binary is built first, with `cargo build --release --workspace --bins`");
    Command::new(binary)
}

/// Asserts that a command has ended well.
///
/// # Panics
///
/// When it has not.
#[track_caller]
pub fn succeeded(output: &Output) {
    assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
}
