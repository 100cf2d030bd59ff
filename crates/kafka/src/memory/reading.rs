//! Reading committed records: from several partitions in turns, or some of one alone.

use std::collections::{BTreeMap, BTreeSet};

use super::log::{Log, Record};
use super::state::State;
use crate::batch::{Batch, TopicPartition};
use crate::error::{KafkaError, Remedy};

/// The most records that one partition gives before another may have its turn.
const TURN_RECORDS_MAX: usize = 8;

/// Reads what can be read into a batch, in turns that the seed decides, and moves the positions.
pub(super) fn read(
    state: &mut State,
    positions: &mut BTreeMap<TopicPartition, u64>,
    paused: &BTreeSet<TopicPartition>,
    batch: &mut Batch,
    max_records: usize,
    max_bytes: usize,
) -> Result<(), KafkaError> {
    let mut turns: Vec<TopicPartition> = positions.keys().filter(|at| !paused.contains(*at)).cloned().collect();
    while !turns.is_empty() {
        let turn = state.random.usize(..turns.len());
        let at = turns[turn].clone();
        let (log, start) = (state.topics.log(&at)?, positions[&at]);
        let mut next = in_range(log, &at, start)?.max(log.last_stable());
        let mut turn_is_over = true;
        for (read, record) in log.committed_from(start).enumerate() {
            let full = batch.len() >= max_records || batch.size_bytes() >= max_bytes;
            if full || read == TURN_RECORDS_MAX {
                (next, turn_is_over) = (record.offset, full);
                break;
            }
            push(batch, &at, record);
        }
        positions.insert(at, next);
        if turn_is_over {
            turns.swap_remove(turn);
        }
    }
    Ok(())
}

/// The first committed records at or after an offset.
pub(super) fn first(state: &State, at: &TopicPartition, offset: u64, max_records: usize) -> Result<Batch, KafkaError> {
    let log = state.topics.log(at)?;
    let mut batch = Batch::default();
    log.committed_from(in_range(log, at, offset)?).take(max_records).for_each(|record| push(&mut batch, at, record));
    Ok(batch)
}

fn in_range(log: &Log, at: &TopicPartition, offset: u64) -> Result<u64, KafkaError> {
    let cause = || format!("out of range: the partition holds the offsets from {} to {}", log.start(), log.end());
    if log.holds(offset) { Ok(offset) } else { Err(KafkaError::new(Remedy::Stop, format!("reading from {at}, offset {offset}"), cause())) }
}

fn push(batch: &mut Batch, at: &TopicPartition, record: &Record) {
    let (key, value) = (record.key.as_deref(), record.value.as_deref());
    batch.push((&at.topic, at.partition), record.offset, Some(record.timestamp_ms), key, value);
    record.headers.iter().for_each(|(name, value)| batch.push_header(name, value.as_deref()));
}
