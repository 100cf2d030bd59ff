//! What the topics are to be like.

use std::collections::BTreeMap;

use bellwether_kafka::{MAX_RECORD_BYTES, TopicSettings};
use bellwether_live::config::KafkaSettings;

/// The topics of a configuration, the journal first.
pub fn topics(kafka: &KafkaSettings) -> Vec<TopicSettings> {
    // A rule set is one record, and so is an event; Kafka's own limit would be 1 MiB.
    let max_bytes = MAX_RECORD_BYTES.to_string();
    let forever = kafka.journal_retention_ms.map_or_else(|| "-1".to_owned(), |milliseconds| milliseconds.to_string());
    let journal: [(&str, &str); 5] = [
        ("cleanup.policy", "delete"),
        ("retention.ms", &forever),
        ("retention.bytes", "-1"),
        ("message.timestamp.type", "LogAppendTime"),
        ("max.message.bytes", &max_bytes),
    ];
    let output = &kafka.topics;
    let delete = [("cleanup.policy", "delete")];
    vec![
        topic(kafka, &kafka.journal.topic, &journal),
        topic(kafka, &output.signals, &delete),
        topic(kafka, &output.health, &[("cleanup.policy", "compact")]),
        topic(kafka, &output.decisions, &delete),
        topic(kafka, &output.kpis, &delete),
        topic(kafka, &output.dead_letters, &[("cleanup.policy", "delete"), ("max.message.bytes", &max_bytes)]),
    ]
}

fn topic(kafka: &KafkaSettings, name: &str, settings: &[(&str, &str)]) -> TopicSettings {
    let mut all: BTreeMap<String, String> = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    all.insert("min.insync.replicas".to_owned(), kafka.min_insync_replicas.to_string());
    TopicSettings {
        name: name.to_owned(),
        partitions: u32::from(kafka.journal.partitions),
        replication: Some(kafka.replication),
        settings: all,
    }
}
