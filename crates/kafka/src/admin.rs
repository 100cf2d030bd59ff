//! Topics: what they are like, and making them.

use std::collections::BTreeMap;
use std::future::Future;
use std::thread::sleep;
use std::time::{Duration, Instant};

use futures_executor::block_on;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, OwnedResourceSpecifier, ResourceSpecifier, TopicReplication};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError as Cause, RDKafkaErrorCode as Code};
use rdkafka::metadata::Metadata;

use crate::broker::{ConnectionOptions, LISTEN, PlainCallbacks, patiently};
use crate::error::{KafkaError, Remedy};

/// How often a new topic is looked for.
const BREATH: Duration = Duration::from_millis(20);

/// An administrator of topics. Its calls block, each no longer than the timeout of its connection.
pub struct Admin {
    client: AdminClient<PlainCallbacks>,
    /// Asks for what topics there are, and hears why brokers are not reached, which an administrator is not told.
    consumer: BaseConsumer<PlainCallbacks>,
    connection: ConnectionOptions,
}

/// What a topic is like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicDescription {
    /// Its name.
    pub name: String,
    /// How many partitions it has.
    pub partitions: u32,
    /// How many copies there are of the partition that has the fewest.
    pub replication: u32,
    /// Its settings by Kafka's names, such as `cleanup.policy`; those with a default value too.
    pub settings: BTreeMap<String, String>,
}

/// What a new topic is to be like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicSettings {
    /// Its name.
    pub name: String,
    /// How many partitions it gets.
    pub partitions: u32,
    /// How many copies there are of each partition; without one the cluster's default.
    pub replication: Option<u32>,
    /// Settings by Kafka's names, such as `cleanup.policy`.
    pub settings: BTreeMap<String, String>,
}

/// Why a topic could not be described or made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdminError {
    /// There is no such topic, or none that this client may see.
    #[error("the topic `{0}` does not exist, or this client may not see it: create it, or correct its name")]
    MissingTopic(String),
    /// The topic exists already.
    #[error("the topic `{0}` exists already")]
    TopicExists(String),
    /// The cluster's rules do not let this client do it.
    #[error("no permission for {what}: {cause}")]
    NotAuthorised {
        /// What was tried.
        what: String,
        /// What Kafka said.
        cause: String,
    },
    /// No broker answered in time.
    #[error("no Kafka broker answered within {seconds} s at {bootstrap_servers}: {cause}")]
    Unreachable {
        /// Where brokers were looked for.
        bootstrap_servers: String,
        /// How long, in seconds.
        seconds: u64,
        /// What is known of the reason.
        cause: String,
    },
    /// Anything else.
    #[error(transparent)]
    Kafka(#[from] KafkaError),
}

impl Admin {
    /// An administrator; nothing is connected yet.
    ///
    /// # Errors
    ///
    /// When the options are wrong.
    pub fn new(connection: ConnectionOptions) -> Result<Self, AdminError> {
        let config = connection.plain_config()?;
        let wrong = |cause: Cause| PlainCallbacks::default().troubles.explain("starting a Kafka client", &cause);
        let client = config.create_with_context(PlainCallbacks::default()).map_err(wrong)?;
        let consumer = config.create_with_context(PlainCallbacks::default()).map_err(wrong)?;
        Ok(Self { client, consumer, connection })
    }

    /// Describes topics, in the order in which they were asked for.
    ///
    /// # Errors
    ///
    /// The first of: no broker answers, no permission, a topic is missing.
    pub fn describe(&self, topics: &[&str]) -> Result<Vec<TopicDescription>, AdminError> {
        let mut found = Vec::with_capacity(topics.len());
        for topic in topics {
            found.push(self.layout(topic)?);
        }
        let asked: Vec<ResourceSpecifier<'_>> = topics.iter().map(|topic| ResourceSpecifier::Topic(topic)).collect();
        if asked.is_empty() {
            return Ok(found);
        }
        let what = "asking for the settings of topics";
        for resource in self.wait(what, self.client.describe_configs(&asked, &self.options()))? {
            let resource = resource.map_err(|code| self.failed(what, &Cause::AdminOp(code), None))?;
            let OwnedResourceSpecifier::Topic(name) = &resource.specifier else { continue };
            if let Some(description) = found.iter_mut().find(|description| description.name == *name) {
                description.settings = resource.entries.into_iter().filter_map(|entry| Some((entry.name, entry.value?))).collect();
            }
        }
        Ok(found)
    }

    fn layout(&self, topic: &str) -> Result<TopicDescription, AdminError> {
        let what = format!("asking for the topic `{topic}`");
        let metadata = self.metadata(topic)?;
        let about = metadata.topics().iter().find(|about| about.name() == topic);
        let about = about.ok_or_else(|| AdminError::MissingTopic(topic.to_owned()))?;
        if let Some(code) = about.error() {
            return Err(self.failed(&what, &Cause::AdminOp(code.into()), Some(topic)));
        }
        let copies = about.partitions().iter().map(|partition| count(partition.replicas().len())).min();
        Ok(TopicDescription {
            name: topic.to_owned(),
            partitions: count(about.partitions().len()),
            replication: copies.unwrap_or_default(),
            settings: BTreeMap::new(),
        })
    }

    /// What the cluster says about a topic, which need not exist.
    fn metadata(&self, topic: &str) -> Result<Metadata, AdminError> {
        let ask = |timeout| {
            let answer = self.consumer.fetch_metadata(Some(topic), timeout);
            while answer.is_err() && self.consumer.poll(LISTEN).is_some() {}
            answer
        };
        let answer = patiently(&self.connection, &self.consumer.context().troubles, ask);
        answer.map_err(|cause| self.failed(&format!("asking for the topic `{topic}`"), &cause, Some(topic)))
    }

    /// Makes topics, and waits until they exist.
    ///
    /// # Errors
    ///
    /// The first one; topics named before it were made, and those after it may have been.
    pub fn create(&self, topics: &[TopicSettings]) -> Result<(), AdminError> {
        let new: Vec<NewTopic<'_>> = topics.iter().map(new_topic).collect();
        let Some(first) = topics.first() else { return Ok(()) };
        // Whether the cluster is reached at all.
        self.metadata(&first.name)?;
        for made in self.wait("creating topics", self.client.create_topics(&new, &self.options()))? {
            made.map_err(|(topic, code)| self.failed(&format!("creating the topic `{topic}`"), &Cause::AdminOp(code), Some(&topic)))?;
        }
        topics.iter().try_for_each(|topic| self.wait_for(&topic.name))
    }

    /// The controller makes a topic, and the brokers hear of it a moment later.
    fn wait_for(&self, topic: &str) -> Result<(), AdminError> {
        let deadline = Instant::now() + self.connection.timeout;
        loop {
            match self.layout(topic) {
                Err(AdminError::MissingTopic(_)) if Instant::now() < deadline => sleep(BREATH),
                described => return described.map(|_| ()),
            }
        }
    }

    fn options(&self) -> AdminOptions {
        AdminOptions::new().request_timeout(Some(self.connection.timeout)).operation_timeout(Some(self.connection.timeout))
    }

    fn wait<T>(&self, what: &str, answer: impl Future<Output = Result<T, Cause>>) -> Result<T, AdminError> {
        block_on(answer).map_err(|cause| self.failed(what, &cause, None))
    }

    fn failed(&self, what: &str, cause: &Cause, topic: Option<&str>) -> AdminError {
        let code = match cause {
            Cause::AdminOp(code) => Some(*code),
            other => other.rdkafka_error_code(),
        };
        let troubles = &self.consumer.context().troubles;
        let error = troubles.explain(what, cause);
        match (code, topic) {
            _ if troubles.refused() => AdminError::NotAuthorised { what: what.to_owned(), cause: error.cause },
            (Some(Code::UnknownTopicOrPartition | Code::UnknownTopic), Some(topic)) => AdminError::MissingTopic(topic.to_owned()),
            (Some(Code::TopicAlreadyExists), Some(topic)) => AdminError::TopicExists(topic.to_owned()),
            (Some(Code::TopicAuthorizationFailed | Code::ClusterAuthorizationFailed | Code::GroupAuthorizationFailed), _) => {
                AdminError::NotAuthorised { what: what.to_owned(), cause: error.cause }
            }
            _ if error.remedy == Remedy::Retry => AdminError::Unreachable {
                bootstrap_servers: self.connection.bootstrap_servers.clone(),
                seconds: self.connection.timeout.as_secs(),
                cause: error.cause,
            },
            _ => AdminError::Kafka(error),
        }
    }
}

fn new_topic(topic: &TopicSettings) -> NewTopic<'_> {
    let number = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
    // Kafka takes -1 as a wish for its default.
    let replication = TopicReplication::Fixed(topic.replication.map_or(-1, number));
    let new = NewTopic::new(&topic.name, number(topic.partitions), replication);
    topic.settings.iter().fold(new, |new, (name, value)| new.set(name, value))
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
