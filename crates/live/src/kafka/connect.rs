//! From the settings of a Kafka run to clients: names of groups, members and transactions.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bellwether_kafka::{Admin, AdminError, BrokerClient, BrokerOptions, ConnectionOptions, KafkaError, MAX_RECORD_BYTES, TopicPartition};

use super::options::Topics;
use crate::config::{ClientFileError, KafkaSettings};

/// How long one question to the cluster may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// librdkafka's name of the most bytes of a record, which an operator may set.
const MAX_RECORD_PROPERTY: &str = "message.max.bytes";

/// Makes the clients of a process.
#[derive(Clone, Debug)]
pub struct Connect {
    settings: KafkaSettings,
    instance: String,
    connection: ConnectionOptions,
}

impl Connect {
    /// Clients for these settings; `host` names the instance where the settings do not.
    ///
    /// # Errors
    ///
    /// When a file with the value of a client property cannot be read.
    pub fn new(settings: &KafkaSettings, host: &str) -> Result<Self, ClientFileError> {
        let instance = settings.instance.clone().unwrap_or_else(|| host.to_owned());
        let connection = ConnectionOptions {
            bootstrap_servers: settings.brokers.clone(),
            client_id: format!("{}-{instance}", settings.application),
            properties: settings.client_properties()?.into_iter().collect(),
            timeout: TIMEOUT,
            stop: Arc::default(),
        };
        Ok(Self { settings: settings.clone(), instance, connection })
    }

    /// The same, with clients that do not wait for brokers any longer once this is set.
    #[must_use]
    pub fn until(&self, stop: &Arc<AtomicBool>) -> Self {
        Self { connection: ConnectionOptions { stop: stop.clone(), ..self.connection.clone() }, ..self.clone() }
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &KafkaSettings {
        &self.settings
    }

    /// How to reach the cluster, for readers and tools.
    #[must_use]
    pub fn connection(&self) -> ConnectionOptions {
        self.connection.clone()
    }

    /// An administrator of topics.
    ///
    /// # Errors
    ///
    /// When the settings are wrong.
    pub fn admin(&self) -> Result<Admin, AdminError> {
        Admin::new(self.connection())
    }

    /// The topics that the product writes.
    #[must_use]
    pub fn topics(&self) -> Topics {
        let output = &self.settings.topics;
        Topics {
            journal: self.settings.journal.topic.clone(),
            signals: output.signals.clone(),
            health: output.health.clone(),
            decisions: output.decisions.clone(),
            kpis: output.kpis.clone(),
            dead_letters: output.dead_letters.clone(),
            max_letter_bytes: self.max_record_bytes(),
        }
    }

    /// The most bytes of a record that a client of these settings writes.
    fn max_record_bytes(&self) -> usize {
        let given = self.connection.properties.get(MAX_RECORD_PROPERTY).and_then(|digits| digits.parse().ok());
        given.unwrap_or(MAX_RECORD_BYTES)
    }

    /// The first partition of the journal.
    #[must_use]
    pub fn journal_start(&self) -> TopicPartition {
        TopicPartition::new(self.settings.journal.topic.as_str(), 0)
    }

    /// The partitions of a journal that has so many.
    pub(crate) fn journal_partitions(&self, count: u16) -> Vec<TopicPartition> {
        (0..count).map(|number| TopicPartition::new(self.settings.journal.topic.as_str(), i32::from(number))).collect()
    }

    /// The group of the processing workers.
    #[must_use]
    pub fn process_group(&self) -> String {
        format!("{}-process", self.settings.application)
    }

    /// The client of a processing worker.
    ///
    /// # Errors
    ///
    /// When the settings are wrong, or the brokers do not answer, or refuse.
    pub fn process_client(&self, worker: usize) -> Result<BrokerClient, KafkaError> {
        self.member(self.process_group(), &format!("process-{worker}"), vec![self.settings.journal.topic.clone()])
    }

    /// A client that only looks at what the processing workers have committed. Asking joins no group.
    ///
    /// # Errors
    ///
    /// When the settings are wrong.
    pub fn process_lookup(&self) -> Result<BrokerClient, KafkaError> {
        BrokerClient::asking(self.options(self.process_group(), "look", Vec::new()))
    }

    /// The group of the ingest workers.
    #[must_use]
    pub fn ingest_group(&self) -> String {
        format!("{}-ingest", self.settings.application)
    }

    /// The client of an ingest worker.
    ///
    /// # Errors
    ///
    /// When the settings are wrong, or the brokers do not answer, or refuse.
    pub fn ingest_client(&self, worker: usize, topics: Vec<String>) -> Result<BrokerClient, KafkaError> {
        self.member(self.ingest_group(), &format!("ingest-{worker}"), topics)
    }

    /// A client that only looks at what the ingest workers have committed of these topics. Asking joins no group.
    ///
    /// # Errors
    ///
    /// When the settings are wrong.
    pub fn ingest_lookup(&self, topics: Vec<String>) -> Result<BrokerClient, KafkaError> {
        BrokerClient::asking(self.options(self.ingest_group(), "look", topics))
    }

    /// A client that looks who owns which partition. Asking joins no group.
    ///
    /// # Errors
    ///
    /// When the settings are wrong, or the brokers do not answer, or refuse.
    pub fn owners_lookup(&self) -> Result<BrokerClient, KafkaError> {
        self.member(self.process_group(), "owners", Vec::new())
    }

    /// The name of this instance.
    #[must_use]
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// The client that writes what comes over HTTP to an input topic, and asks how far the ingest is. It does not join that group.
    ///
    /// # Errors
    ///
    /// When the settings are wrong, or the brokers do not answer, or refuse.
    pub fn posting_client(&self) -> Result<BrokerClient, KafkaError> {
        BrokerClient::placing(self.options(self.ingest_group(), "posted", Vec::new()))
    }

    /// The client of a forwarding route, which is a group of its own. It writes nothing but offsets.
    ///
    /// # Errors
    ///
    /// When the settings are wrong, or the brokers do not answer, or refuse.
    pub fn forward_client(&self, route: &str) -> Result<BrokerClient, KafkaError> {
        let topics = vec![self.settings.topics.signals.clone()];
        self.member(format!("{}-forward-{route}", self.settings.application), &format!("forward-{route}"), topics)
    }

    /// A client that only looks: it joins no group and writes nothing.
    ///
    /// # Errors
    ///
    /// When the settings are wrong.
    pub fn looking_client(&self) -> Result<BrokerClient, KafkaError> {
        BrokerClient::asking(self.options(format!("{}-look", self.settings.application), "look", Vec::new()))
    }

    /// The one client that writes control records into the journal: of two, the later fences the earlier.
    ///
    /// # Errors
    ///
    /// When the settings are wrong, or the brokers do not answer, or refuse.
    pub fn control_client(&self) -> Result<BrokerClient, KafkaError> {
        let application = &self.settings.application;
        BrokerClient::new(BrokerOptions {
            connection: self.connection(),
            group_id: format!("{application}-control"),
            group_instance_id: None,
            transactional_id: format!("{application}-control"),
            subscription: Vec::new(),
        })
    }

    /// The one client that puts dead letters back: of two, the later takes over from the earlier.
    ///
    /// # Errors
    ///
    /// When the settings are wrong, or the brokers do not answer, or refuse.
    pub fn letters_client(&self) -> Result<BrokerClient, KafkaError> {
        let name = self.letters_group();
        BrokerClient::new(BrokerOptions {
            connection: self.connection(),
            group_id: name.clone(),
            group_instance_id: Some(name.clone()),
            transactional_id: name,
            subscription: vec![self.settings.topics.dead_letters.clone()],
        })
    }

    /// A client that only looks at what was put back of the dead letters. Asking joins no group.
    ///
    /// # Errors
    ///
    /// When the settings are wrong, or the brokers do not answer, or refuse.
    pub fn letters_lookup(&self) -> Result<BrokerClient, KafkaError> {
        self.member(self.letters_group(), "look", Vec::new())
    }

    fn letters_group(&self) -> String {
        format!("{}-dlq-replay", self.settings.application)
    }

    fn member(&self, group_id: String, worker: &str, subscription: Vec<String>) -> Result<BrokerClient, KafkaError> {
        BrokerClient::new(self.options(group_id, worker, subscription))
    }

    fn options(&self, group_id: String, worker: &str, subscription: Vec<String>) -> BrokerOptions {
        let name = format!("{}-{}-{worker}", self.settings.application, self.instance);
        BrokerOptions {
            connection: ConnectionOptions { client_id: name.clone(), ..self.connection() },
            group_id,
            group_instance_id: self.settings.static_membership.then(|| name.clone()),
            transactional_id: name,
            subscription,
        }
    }
}
