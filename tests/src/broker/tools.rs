//! Kafka's own command line tools, as an operator has them.

use std::process::Output;

use super::process::java;
use super::{Broker, artefacts};

/// The classes of Kafka's tools.
pub mod tool {
    /// `kafka-topics`.
    pub const TOPICS: &str = "org.apache.kafka.tools.TopicCommand";
    /// `kafka-delete-records`.
    pub const DELETE_RECORDS: &str = "org.apache.kafka.tools.DeleteRecordsCommand";
    /// `kafka-consumer-groups`.
    pub const CONSUMER_GROUPS: &str = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand";
    /// `kafka-transactions`.
    pub const TRANSACTIONS: &str = "org.apache.kafka.tools.TransactionsCommand";
    /// `kafka-configs`.
    pub const CONFIGS: &str = "org.apache.kafka.tools.ConfigCommand";
    /// `kafka-acls`.
    pub const ACLS: &str = "org.apache.kafka.tools.AclCommand";
    /// `kafka-console-consumer`.
    pub const CONSOLE_CONSUMER: &str = "org.apache.kafka.tools.consumer.ConsoleConsumer";
}

/// The class path of these tools, for `java -cp`.
#[must_use]
pub fn class_path() -> String {
    artefacts::libraries().join("*").display().to_string()
}

impl Broker {
    /// Runs a tool to its end, and gives what it printed.
    ///
    /// # Panics
    ///
    /// When it fails.
    #[track_caller]
    pub fn tool(&self, class: &str, arguments: &[&str]) -> String {
        let mut command = java(class);
        let output = command.args(["--bootstrap-server", &self.inside()]).args(arguments).output();
        let Output { status, stdout, stderr } = output.expect("java runs");
        let (printed, complaints) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        assert!(status.success(), "{class} {arguments:?}: {printed}{complaints}");
        printed.into_owned()
    }
}
