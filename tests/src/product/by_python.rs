//! Topics as another client reads them: Python's.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::{Product, succeeded};
use crate::python::{CONFLUENT_KAFKA, python};

impl Product {
    /// The committed records of a topic, as Python's client reads them: partition, key, headers by name, and value as text.
    ///
    /// # Panics
    ///
    /// When Python or its client cannot be had, or the topic cannot be read.
    #[must_use]
    pub fn read_by_python(&self, topic: &str, partitions: u16) -> Vec<Value> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("kafka/read_topic.py");
        let mut command = Command::new(python(&[CONFLUENT_KAFKA]));
        command.arg(script).args([&self.connection().bootstrap_servers, &self.topic(topic), &partitions.to_string()]);
        let output = command.output().expect("Python starts");
        succeeded(&output);
        String::from_utf8_lossy(&output.stdout).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }
}
