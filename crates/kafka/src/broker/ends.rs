//! Whether a partition has been read to its end.

use rdkafka::consumer::Consumer as _;

use super::lists;
use super::lookup::Lookup;
use super::positions::Position;
use super::session::Session;
use crate::batch::TopicPartition;

/// Those of the partitions in which no committed record lies ahead, each with its end.
///
/// Offsets have gaps, so counting does not do. The position beyond the last record mostly follows from librdkafka, which reads the marks of
/// transactions too. Otherwise somebody looks, once for each gap: what it holds never changes.
pub(super) fn at_end(session: &mut Session, lookup: &Lookup, partitions: &[TopicPartition]) -> Vec<(TopicPartition, u64)> {
    if partitions.is_empty() {
        return Vec::new();
    }
    let ends = lookup.ends(partitions);
    // After the question, so that it is not behind because of it.
    let read = session.consumer.position().unwrap_or_default();
    let mut found = Vec::new();
    for (at, end) in partitions.iter().zip(ends) {
        let (Some(end), Some(position)) = (end, session.positions.get_mut(at)) else { continue };
        let read = read.find_partition(&at.topic, at.partition).and_then(|element| lists::offset(&element));
        if is_at_end(position, read, end, lookup) {
            found.push((at.clone(), end));
        }
    }
    found
}

fn is_at_end(position: &mut Position, read: Option<u64>, end: u64, lookup: &Lookup) -> bool {
    // A topic that was made anew, which the next fetch finds out: nobody knows what lies before the end.
    if position.next > end {
        return false;
    }
    let reached = position.next.max(read.filter(|_| position.moving).unwrap_or_default()).max(position.nothing_before);
    if reached >= end {
        return true;
    }
    let nothing = lookup.read_some(&position.at, reached, 1).is_ok_and(|found| found.is_empty());
    if nothing {
        position.nothing_before = end;
    }
    nothing
}
