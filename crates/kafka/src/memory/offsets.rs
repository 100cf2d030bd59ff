//! The offsets of one group: committed ones, and those of transactions whose outcome the group does not know yet.

use std::collections::BTreeMap;

use super::transactions::ProducerId;
use crate::batch::TopicPartition;
use crate::client::CommittedOffset;
use crate::error::{CommitError, KafkaError, Remedy};

/// The longest metadata that a broker takes, in bytes, unless it is configured otherwise (`offset.metadata.max.bytes`).
const METADATA_BYTES_MAX: usize = 4096;

#[derive(Clone, Debug, Default)]
pub(super) struct Offsets {
    committed: BTreeMap<TopicPartition, CommittedOffset>,
    pending: BTreeMap<ProducerId, BTreeMap<TopicPartition, CommittedOffset>>,
}

impl Offsets {
    /// Keeps the offsets of an open transaction until its outcome comes.
    pub fn add(&mut self, producer: ProducerId, offsets: &[(TopicPartition, CommittedOffset)]) -> Result<(), CommitError> {
        for (at, offset) in offsets {
            if offset.metadata.len() > METADATA_BYTES_MAX {
                let cause = format!("the metadata has {} bytes, the limit is {METADATA_BYTES_MAX}", offset.metadata.len());
                return Err(CommitError::NotCommitted(KafkaError::new(Remedy::Stop, format!("committing the offset of {at}"), cause)));
            }
        }
        self.pending.entry(producer).or_default().extend(offsets.iter().cloned());
        Ok(())
    }

    /// The outcome of a producer's transaction.
    pub fn mark(&mut self, producer: ProducerId, commit: bool) {
        let offsets = self.pending.remove(&producer).unwrap_or_default();
        if commit {
            self.committed.extend(offsets);
        }
    }

    /// A producer whose transaction may still change the offset of one of these partitions.
    pub fn unstable(&self, partitions: &[TopicPartition]) -> Option<ProducerId> {
        let found = self.pending.iter().find(|(_, offsets)| partitions.iter().any(|at| offsets.contains_key(at)));
        found.map(|(producer, _)| *producer)
    }

    pub fn committed(&self) -> &BTreeMap<TopicPartition, CommittedOffset> {
        &self.committed
    }

    /// Forgets a topic that is deleted.
    pub fn forget(&mut self, topic: &str) {
        self.committed.retain(|at, _| &*at.topic != topic);
        for offsets in self.pending.values_mut() {
            offsets.retain(|at, _| &*at.topic != topic);
        }
    }
}
