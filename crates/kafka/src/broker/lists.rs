//! Between our partitions and offsets, and librdkafka's lists.

use rdkafka::topic_partition_list::TopicPartitionListElem;
use rdkafka::{Offset, TopicPartitionList};

use crate::batch::TopicPartition;
use crate::error::{KafkaError, Remedy};

/// A list without offsets.
pub(super) fn list(partitions: &[TopicPartition]) -> TopicPartitionList {
    let mut list = TopicPartitionList::with_capacity(partitions.len());
    for at in partitions {
        list.add_partition(&at.topic, at.partition);
    }
    list
}

/// A list with an offset for each.
pub(super) fn list_with_offsets<'a>(starts: impl IntoIterator<Item = (&'a TopicPartition, u64)>) -> Result<TopicPartitionList, KafkaError> {
    let mut list = TopicPartitionList::new();
    for (at, offset) in starts {
        let offset = Offset::Offset(i64::try_from(offset).unwrap_or(-1));
        let added = list.add_partition(&at.topic, at.partition).set_offset(offset);
        added.map_err(|cause| KafkaError::new(Remedy::Stop, format!("an offset of {at}"), cause))?;
    }
    Ok(list)
}

/// The partitions of a list.
pub(super) fn partitions(list: &TopicPartitionList) -> Vec<TopicPartition> {
    list.elements().iter().map(partition).collect()
}

/// The partition of an element.
pub(super) fn partition(element: &TopicPartitionListElem<'_>) -> TopicPartition {
    TopicPartition::new(element.topic(), element.partition())
}

/// The offset of an element, unless it is none or stands for a place, such as the end.
pub(super) fn offset(element: &TopicPartitionListElem<'_>) -> Option<u64> {
    match element.offset() {
        Offset::Offset(offset) => u64::try_from(offset).ok(),
        _ => None,
    }
}
