//! What a test looks at, and what the world outside writes.

use std::collections::BTreeMap;

use super::Cluster;
use super::log::Record;
use crate::batch::TopicPartition;
use crate::client::CommittedOffset;
use crate::error::KafkaError;

/// The offsets of a partition that mean something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// The first offset that exists.
    pub start: u64,
    /// The first offset that readers of committed records do not get to.
    pub last_stable: u64,
    /// The offset that the next record gets.
    pub end: u64,
}

impl Cluster {
    /// Appends a record that belongs to no transaction. Without a partition its key decides; the timestamp counts where the topic
    /// has [`super::TimestampType::CreateTime`]. Returns where it stands.
    ///
    /// # Errors
    ///
    /// When there is no such topic or partition.
    pub fn append(
        &self,
        topic: &str,
        partition: Option<i32>,
        (key, value): (Option<&[u8]>, Option<&[u8]>),
        headers: &[(&str, &[u8])],
        timestamp_ms: i64,
    ) -> Result<(TopicPartition, u64), KafkaError> {
        let state = &mut *self.lock();
        let at = state.topics.choose(topic, partition, key, &mut state.random)?;
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), Some(value.to_vec()))).collect();
        let record = Record { offset: 0, timestamp_ms, key: key.map(<[u8]>::to_vec), value: value.map(<[u8]>::to_vec), headers };
        let offset = state.topics.append(&at, record, None, state.now_ms)?;
        Ok((at, offset))
    }

    /// All records of a partition that readers of committed records see.
    ///
    /// # Errors
    ///
    /// When the partition does not exist.
    pub fn records(&self, at: &TopicPartition) -> Result<Vec<Record>, KafkaError> {
        Ok(self.lock().topics.log(at)?.committed_from(0).cloned().collect())
    }

    /// The offsets of a partition that mean something.
    ///
    /// # Errors
    ///
    /// When the partition does not exist.
    pub fn ends(&self, at: &TopicPartition) -> Result<Ends, KafkaError> {
        let state = self.lock();
        let log = state.topics.log(at)?;
        Ok(Ends { start: log.start(), last_stable: log.last_stable(), end: log.end() })
    }

    /// What a group has committed, without what is pending.
    #[must_use]
    pub fn committed_offsets(&self, group: &str) -> BTreeMap<TopicPartition, CommittedOffset> {
        self.lock().groups.get(group).map(|group| group.offsets.committed().clone()).unwrap_or_default()
    }

    /// Who owns what: each member of a group, in the order in which they joined, with what it has been told that it owns.
    #[must_use]
    pub fn owners(&self, group: &str) -> Vec<(String, Vec<TopicPartition>)> {
        let state = self.lock();
        let members = state.groups.get(group).into_iter().flat_map(|group| group.members.values());
        members.map(|member| (member.life.client_id.to_string(), member.owned.iter().cloned().collect())).collect()
    }

    /// How many markers of decided transactions are still to be written.
    #[must_use]
    pub fn outstanding_markers(&self) -> usize {
        self.lock().transactions.outstanding(None).len()
    }
}
