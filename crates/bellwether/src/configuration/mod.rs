//! The configuration file: its sections, each owned by the crate that it configures, put together.

mod load;
#[cfg(test)]
mod page;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};

use bellwether_codec::pseudonym::Pseudonymiser;
use bellwether_codec::yaml::{Absent, Field, Form, Node, Section};
use bellwether_console::settings::{CONSOLE, ConsoleSettings};
use bellwether_forward::config::{FORWARD, ForwardSettings};
use bellwether_live::config::{KAFKA, KafkaSettings};

use crate::environment;
use crate::failure::Failure;
use crate::metrics_server::{DEFAULT_ADDRESS, MetricsAddress};

/// A larger configuration file is none.
const MAX_BYTES: u64 = 4 << 20;

const fn field(name: &'static str, form: Form, absent: Absent, doc: &'static str) -> Field {
    Field { name, form, absent, doc }
}

/// The fields at the top of the file.
pub const ROOT: Section = Section {
    what: "the configuration",
    doc: "What every run is told.",
    fields: &[
        field(
            "data",
            Form::Text,
            Absent::Default("./bellwether-data"),
            "The directory that keeps customers' states and, without Kafka, the journal.",
        ),
        field(
            "memory",
            Form::Size,
            Absent::Default("1GiB"),
            "The most memory that a run is to take; at least 256MiB. Beside Kafka a small one may be too little for the client's queues: 4 MiB a partition \
             that is read, 64 MiB a producer.",
        ),
        field(
            "metrics",
            Form::Text,
            Absent::Default(DEFAULT_ADDRESS),
            "HOST:PORT at which `/metrics`, `/livez` and `/readyz` are served, or `off`.",
        ),
        field(
            "pseudonym_key",
            Form::Secret,
            Absent::Means("`BELLWETHER_PSEUDONYM_KEY`, or else a key that everybody knows"),
            "The key under which user ids are hashed: 32 hexadecimal digits. Write `${NAME}` to take it from a variable.",
        ),
        field("pseudonym_key_file", Form::Text, Absent::Means("see `pseudonym_key`"), "The file that holds this key."),
        field("console", Form::Section(&CONSOLE), Absent::Means("no guarded listener"), "The guarded listener."),
        field("kafka", Form::Section(&KAFKA), Absent::Means("a run without Kafka"), "The Kafka run."),
        field("forward", Form::Section(&FORWARD), Absent::Means("nothing is forwarded"), "Signals to webhooks, by `bellwether forward`."),
    ],
};

/// A configuration without mistakes.
#[derive(Debug)]
pub struct Configuration {
    /// The directory for everything that is kept on disk.
    pub data: PathBuf,
    /// The most memory that a run is to take, bytes.
    pub memory_bytes: u64,
    /// Where metrics are served.
    pub metrics: MetricsAddress,
    /// The guarded listener, if there is to be one.
    pub console: Option<ConsoleSettings>,
    /// The Kafka run, if it is one.
    pub kafka: Option<KafkaSettings>,
    /// Where signals are forwarded to, if anywhere.
    pub forward: Option<ForwardSettings>,
    pseudonym_key: PseudonymKey,
}

/// Where the key of pseudonyms comes from.
#[derive(Debug)]
enum PseudonymKey {
    /// From the environment, or it is the public one.
    Environment,
    Given(Pseudonymiser),
    File(PathBuf),
}

impl Configuration {
    /// Makes pseudonyms with the configured key; a key file is read now.
    pub fn pseudonymiser(&self) -> Result<Pseudonymiser, Failure> {
        match &self.pseudonym_key {
            PseudonymKey::Environment => environment::pseudonymiser(),
            PseudonymKey::Given(pseudonymiser) => Ok(*pseudonymiser),
            PseudonymKey::File(path) => {
                let wrong = |problem: String| Failure::Usage(format!("pseudonym_key_file: {}: {problem}", path.display()));
                let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
                Pseudonymiser::from_hex(&text).map_err(|error| wrong(error.to_string()))
            }
        }
    }
}

/// The Kafka run of a configuration that says only what it must.
pub fn default_kafka() -> KafkaSettings {
    let text = "kafka: { brokers: 'localhost:9092', sources: [{ name: events, topics: [events] }] }";
    let loaded = load::load("defaults", text, &|_| None).ok().and_then(|(_, configuration)| configuration.kafka);
    loaded.expect("the shortest configuration has no mistakes")
}

/// The name of this instance where none is configured.
pub fn host_name() -> String {
    gethostname::gethostname().to_string_lossy().into_owned()
}

/// A configuration file as it was read.
pub struct ConfigurationFile {
    /// What errors call it.
    pub name: String,
    /// Its values, with variables replaced.
    pub root: Node,
    /// What they mean.
    pub configuration: Configuration,
}

impl ConfigurationFile {
    /// Reads and checks a file, or tells every mistake in it.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let unreadable = |problem: String| Failure::Usage(format!("cannot read the configuration {name}: {problem}"));
        let bytes = fs::metadata(path).map_err(|error| unreadable(error.to_string()))?.len();
        if bytes > MAX_BYTES {
            return Err(unreadable(format!("it has {bytes} bytes, more than the {MAX_BYTES} that a configuration may have")));
        }
        let text = fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
        let variable = |name: &str| std::env::var(name).ok();
        match load::load(&name, &text, &variable) {
            Ok((root, configuration)) => Ok(Self { name, root, configuration }),
            Err(errors) => Err(Failure::Usage(format!("the configuration has mistakes\n\n{errors}"))),
        }
    }
}
