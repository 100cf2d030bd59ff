//! Topics by name. A topic that is deleted and created again is another one, whatever its name.

use std::collections::BTreeMap;

use super::log::{Log, Record};
use super::partitioner::partition_of;
use super::transactions::ProducerId;
use crate::batch::TopicPartition;
use crate::error::{KafkaError, Remedy};

/// Whose time the records of a topic carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampType {
    /// The producer's.
    CreateTime,
    /// That of the append, by the cluster's clock.
    LogAppendTime,
}

/// Numbered by creation.
pub(super) type TopicId = u64;

#[derive(Clone, Debug)]
struct Topic {
    id: TopicId,
    timestamps: TimestampType,
    partitions: Vec<Log>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Topics {
    topics: BTreeMap<String, Topic>,
    created: u64,
}

impl Topics {
    pub fn create(&mut self, name: &str, partitions: usize, timestamps: TimestampType) -> Result<(), KafkaError> {
        let refuse = |cause| Err(KafkaError::new(Remedy::Stop, format!("creating the topic {name}"), cause));
        if self.topics.contains_key(name) {
            return refuse("it exists already");
        }
        if partitions == 0 {
            return refuse("a topic has one partition at least");
        }
        self.created += 1;
        let partitions = std::iter::repeat_with(Log::default).take(partitions).collect();
        self.topics.insert(name.to_owned(), Topic { id: self.created, timestamps, partitions });
        Ok(())
    }

    pub fn delete(&mut self, name: &str) -> Result<(), KafkaError> {
        self.topics.remove(name).map(drop).ok_or_else(|| unknown(format!("deleting the topic {name}")))
    }

    /// The id of a topic; none if it does not exist.
    pub fn id(&self, name: &str) -> Option<TopicId> {
        self.topics.get(name).map(|topic| topic.id)
    }

    /// All partitions of a topic, in order.
    pub fn partitions(&self, name: &str) -> Result<Vec<TopicPartition>, KafkaError> {
        let topic = self.topics.get(name).ok_or_else(|| unknown(format!("looking up the topic {name}")))?;
        Ok((0..topic.partitions.len()).map(|partition| TopicPartition::new(name, partition as i32)).collect())
    }

    pub fn log(&self, at: &TopicPartition) -> Result<&Log, KafkaError> {
        let topic = self.topics.get(&*at.topic);
        topic.and_then(|topic| topic.partitions.get(usize::try_from(at.partition).ok()?)).ok_or_else(|| unknown(format!("finding {at}")))
    }

    pub fn log_mut(&mut self, at: &TopicPartition) -> Result<&mut Log, KafkaError> {
        let topic = self.topics.get_mut(&*at.topic);
        topic
            .and_then(|topic| topic.partitions.get_mut(usize::try_from(at.partition).ok()?))
            .ok_or_else(|| unknown(format!("finding {at}")))
    }

    /// Where a record goes: where it says, or where its key says, or anywhere.
    pub fn choose(
        &self,
        topic: &str,
        partition: Option<i32>,
        key: Option<&[u8]>,
        random: &mut fastrand::Rng,
    ) -> Result<TopicPartition, KafkaError> {
        let all = self.partitions(topic)?;
        let chosen = match (partition, key) {
            (Some(partition), _) => partition,
            (None, Some(key)) => partition_of(key, all.len()),
            (None, None) => random.usize(..all.len()) as i32,
        };
        all.into_iter().find(|at| at.partition == chosen).ok_or_else(|| unknown(format!("writing to {topic}/{chosen}")))
    }

    /// Appends a record with the time that the topic wants.
    pub fn append(&mut self, at: &TopicPartition, record: Record, producer: Option<ProducerId>, now_ms: i64) -> Result<u64, KafkaError> {
        let appended = self.topics.get(&*at.topic).is_some_and(|topic| topic.timestamps == TimestampType::LogAppendTime);
        let timestamp_ms = if appended { now_ms } else { record.timestamp_ms };
        Ok(self.log_mut(at)?.append(Record { timestamp_ms, ..record }, producer))
    }
}

fn unknown(what: String) -> KafkaError {
    KafkaError::new(Remedy::Stop, what, "unknown topic or partition")
}
