//! What a client of a real Kafka is told, and the properties of librdkafka that follow from it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use regex::Regex;

use super::statistics::INTERVAL_MS;
use crate::error::{KafkaError, Remedy};

/// How to reach the cluster.
#[derive(Clone)]
pub struct ConnectionOptions {
    /// `host:port`, several separated by commas.
    pub bootstrap_servers: String,
    /// How the brokers' logs and quotas name this client.
    pub client_id: String,
    /// Further properties of librdkafka, by its names, such as `security.protocol`. They come last and win, except that those on which
    /// correctness rests are refused.
    pub properties: BTreeMap<String, String>,
    /// How long one question to the cluster may take.
    pub timeout: Duration,
    /// Once it is set, nobody waits for brokers that do not answer any longer than for one more second.
    pub stop: Arc<AtomicBool>,
}

/// Values of properties may be secrets.
impl fmt::Debug for ConnectionOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.properties.keys().map(String::as_str).collect();
        formatter
            .debug_struct("ConnectionOptions")
            .field("bootstrap_servers", &self.bootstrap_servers)
            .field("client_id", &self.client_id)
            .field("properties", &names)
            .field("timeout", &self.timeout)
            .finish()
    }
}

/// What a [`BrokerClient`](crate::BrokerClient) is told.
#[derive(Clone, Debug)]
pub struct BrokerOptions {
    /// How to reach the cluster.
    pub connection: ConnectionOptions,
    /// The consumer group.
    pub group_id: String,
    /// A name that stays over restarts, so that a restart within the session timeout moves no partition.
    pub group_instance_id: Option<String>,
    /// The producer's name: of two clients with the same one, the later fences the earlier.
    pub transactional_id: String,
    /// Names of topics, and patterns that begin with `^`.
    pub subscription: Vec<String>,
}

/// The most bytes of a record that this client writes, with its key, its headers and what the protocol adds, unless an operator has set another
/// `message.max.bytes`.
pub const MAX_RECORD_BYTES: usize = 8_388_608;

/// The longest that a transaction may stay open before the coordinator aborts it.
pub(super) const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(15);

/// The longest that a record may wait for its acknowledgement; below the timeout of the transaction, as Kafka demands.
pub(super) const MESSAGE_TIMEOUT: Duration = Duration::from_secs(12);

/// The longest that librdkafka waits for the answer to a request, before it sends it again.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// How long librdkafka waits before it sends a request again whose connection was cut, milliseconds, with a random fifth more or less. For the
/// offsets of a transaction it waits 500 ms, whatever is set.
const RETRY_BACKOFF_MS: &str = "250";

/// Of a call that took less than this, no request has been sent twice: the wait before that, less its random fifth.
pub(super) const SENT_ONCE: Duration = Duration::from_millis(200);

/// Of which records a producer is told what became of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reports {
    /// Of those that were not written.
    Failures,
    /// Of all: only so it is known where they lie.
    All,
}

/// The properties that may not be passed through: exactly-once rests on them, or they have an option of their own.
pub const RESERVED_PROPERTIES: &[&str] = &[
    "acks",
    "allow.auto.create.topics",
    "auto.commit.enable",
    "auto.offset.reset",
    "bootstrap.servers",
    "client.id",
    "delivery.report.only.error",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.idempotence",
    "enable.partition.eof",
    "group.id",
    "group.instance.id",
    "group.protocol",
    "isolation.level",
    "message.timeout.ms",
    "metadata.broker.list",
    "partition.assignment.strategy",
    "partitioner",
    "plugin.library.paths",
    "request.required.acks",
    "retry.backoff.max.ms",
    "retry.backoff.ms",
    "socket.timeout.ms",
    "transaction.timeout.ms",
    "transactional.id",
];

impl ConnectionOptions {
    /// What all clients share.
    fn config(&self) -> Result<ClientConfig, KafkaError> {
        if let Some(name) = self.properties.keys().find(|name| RESERVED_PROPERTIES.contains(&name.as_str())) {
            return Err(KafkaError::new(
                Remedy::Stop,
                format!("the Kafka property `{name}`"),
                "it is not to be set: this client sets it itself",
            ));
        }
        let mut config = ClientConfig::new();
        config.set_log_level(RDKafkaLogLevel::Info);
        config.set("bootstrap.servers", &self.bootstrap_servers).set("client.id", &self.client_id);
        config
            .set("socket.timeout.ms", REQUEST_TIMEOUT.as_millis().to_string())
            .set("socket.keepalive.enable", "true")
            .set("reconnect.backoff.max.ms", "1000");
        Ok(config)
    }

    /// A client that administers.
    pub(crate) fn plain_config(&self) -> Result<ClientConfig, KafkaError> {
        let mut config = self.config()?;
        self.finish(&mut config, &[]);
        Ok(config)
    }

    /// Properties that a purpose needs, then those of the operator.
    fn finish(&self, config: &mut ClientConfig, ours: &[(&str, &str)]) {
        for (name, value) in ours {
            config.set(*name, *value);
        }
        for (name, value) in &self.properties {
            config.set(name, value);
        }
    }

    /// A consumer that is told what to read, and belongs to no group. librdkafka wants the name of one all the same.
    pub(super) fn reader_config(&self, group_id: &str) -> Result<ClientConfig, KafkaError> {
        let mut config = self.config()?;
        let ours = [("group.id", group_id), ("enable.partition.eof", "true"), ("fetch.queue.backoff.ms", "1")];
        self.finish(&mut config, &[CONSUMER, &ours].concat());
        Ok(config)
    }
}

/// Committed records only, offsets under our own control, and a bounded queue that is refilled soon. A process that was killed is given up as
/// soon as brokers allow by default; heartbeats come from a thread of librdkafka's own, however busy the worker is.
const CONSUMER: &[(&str, &str)] = &[
    ("session.timeout.ms", "6000"),
    ("heartbeat.interval.ms", "1500"),
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("isolation.level", "read_committed"),
    ("auto.offset.reset", "error"),
    ("fetch.queue.backoff.ms", "20"),
    ("queued.max.messages.kbytes", "4096"),
    // New partitions and topics hold all inputs back until somebody reads them.
    ("topic.metadata.refresh.interval.ms", "10000"),
];

/// Idempotent and transactional, with Java's partitioner and a bounded queue.
const PRODUCER: &[(&str, &str)] = &[
    ("enable.idempotence", "true"),
    ("partitioner", "murmur2_random"),
    ("compression.type", "lz4"),
    ("linger.ms", "5"),
    ("queue.buffering.max.messages", "100000"),
    ("queue.buffering.max.kbytes", "65536"),
    ("retry.backoff.ms", RETRY_BACKOFF_MS),
];

impl BrokerOptions {
    pub(super) fn consumer_config(&self) -> Result<ClientConfig, KafkaError> {
        let mut config = self.connection.config()?;
        let mut ours = vec![("group.id", self.group_id.as_str()), ("partition.assignment.strategy", "cooperative-sticky")];
        ours.extend(self.group_instance_id.as_ref().map(|id| ("group.instance.id", id.as_str())));
        ours.push(("statistics.interval.ms", INTERVAL_MS));
        self.connection.finish(&mut config, &[CONSUMER, &ours].concat());
        Ok(config)
    }

    /// A producer that is told what became of each record, or only which failed. Each report costs its thread some time.
    pub(super) fn producer_config(&self, reports: Reports) -> Result<ClientConfig, KafkaError> {
        let mut config = self.connection.config()?;
        let (transaction, message) = (TRANSACTION_TIMEOUT.as_millis().to_string(), MESSAGE_TIMEOUT.as_millis().to_string());
        let max_bytes = MAX_RECORD_BYTES.to_string();
        let ours = [
            ("delivery.report.only.error", if reports == Reports::Failures { "true" } else { "false" }),
            ("message.max.bytes", max_bytes.as_str()),
            ("transactional.id", self.transactional_id.as_str()),
            ("transaction.timeout.ms", transaction.as_str()),
            ("message.timeout.ms", message.as_str()),
            ("statistics.interval.ms", INTERVAL_MS),
        ];
        self.connection.finish(&mut config, &[PRODUCER, &ours].concat());
        Ok(config)
    }

    /// The patterns among the subscriptions.
    pub(super) fn patterns(&self) -> Result<Vec<Regex>, KafkaError> {
        let patterns = self.subscription.iter().filter(|name| name.starts_with('^'));
        let compile = |pattern: &String| {
            Regex::new(pattern).map_err(|error| KafkaError::new(Remedy::Stop, format!("the topic pattern `{pattern}`"), error))
        };
        patterns.map(compile).collect()
    }

    /// The names among the subscriptions.
    pub(super) fn topics(&self) -> impl Iterator<Item = &str> {
        self.subscription.iter().map(String::as_str).filter(|name| !name.starts_with('^'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(properties: &[(&str, &str)]) -> ConnectionOptions {
        ConnectionOptions {
            bootstrap_servers: "localhost:1".into(),
            client_id: "test".into(),
            properties: properties.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            timeout: Duration::from_secs(1),
            stop: Arc::default(),
        }
    }

    fn options(properties: &[(&str, &str)]) -> BrokerOptions {
        BrokerOptions {
            connection: connection(properties),
            group_id: "group".into(),
            group_instance_id: None,
            transactional_id: "transactions".into(),
            subscription: vec!["journal".into(), "^in-[0-9]+$".into()],
        }
    }

    #[test]
    fn an_operator_may_change_what_is_safe_to_change_only() {
        let passed = options(&[("compression.type", "zstd"), ("session.timeout.ms", "9000")]);
        assert_eq!(passed.producer_config(Reports::All).unwrap().get("compression.type"), Some("zstd"));
        assert_eq!(passed.consumer_config().unwrap().get("session.timeout.ms"), Some("9000"));
        for name in RESERVED_PROPERTIES {
            let refused = options(&[(name, "true")]);
            assert_eq!(refused.consumer_config().unwrap_err().remedy, Remedy::Stop, "{name}");
            assert!(refused.producer_config(Reports::All).unwrap_err().to_string().contains(name), "{name}");
            assert!(refused.connection.reader_config("group").is_err(), "{name}");
        }
    }

    #[test]
    fn what_exactly_once_rests_on_is_reserved() {
        let options = options(&[]);
        let (consumer, producer) = (options.consumer_config().unwrap(), options.producer_config(Reports::Failures).unwrap());
        for (config, name, value) in [
            (&consumer, "enable.auto.commit", "false"),
            (&consumer, "isolation.level", "read_committed"),
            (&consumer, "partition.assignment.strategy", "cooperative-sticky"),
            (&producer, "enable.idempotence", "true"),
            (&producer, "transactional.id", "transactions"),
            (&producer, "partitioner", "murmur2_random"),
            (&producer, "retry.backoff.ms", RETRY_BACKOFF_MS),
            (&producer, "delivery.report.only.error", "true"),
        ] {
            assert_eq!(config.get(name), Some(value));
            assert!(RESERVED_PROPERTIES.contains(&name), "{name}");
        }
    }

    #[test]
    fn nothing_is_sent_twice_before_it_is_in_doubt() {
        let backoff = Duration::from_millis(RETRY_BACKOFF_MS.parse().expect("it is a number"));
        assert!(SENT_ONCE <= backoff * 4 / 5);
    }

    #[test]
    fn secrets_are_not_shown() {
        let shown = format!("{:?}", options(&[("sasl.password", "hunter2")]));
        assert!(shown.contains("sasl.password") && !shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn names_and_patterns_are_told_apart() {
        let options = options(&[]);
        assert_eq!(options.topics().collect::<Vec<_>>(), ["journal"]);
        assert!(options.patterns().unwrap()[0].is_match("in-12"));
        let broken = BrokerOptions { subscription: vec!["^(".into()], ..options };
        assert_eq!(broken.patterns().unwrap_err().remedy, Remedy::Stop);
    }
}
