//! Where the taking in of inputs goes on: whether what is committed of them fits what they, and the journal, hold.

use bellwether_codec::journal::ARRIVAL_HEADER;
use bellwether_kafka::{Client, TopicPartition};

use super::error::JournalError;
use super::metadata::journaled_of;
use super::options::IngestOptions;
use super::watermark::Journaled;
use crate::error::LiveError;

/// How many offsets at the end of each journal partition are looked through for what an ingest has written. Ticks come all the time, and few
/// records are written by others.
const LOOKED_THROUGH: u64 = 16;

/// Where reading starts in a partition, and what is journaled of it.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    pub at: TopicPartition,
    pub offset: u64,
    pub journaled: Journaled,
}

/// Where to go on in partitions that were assigned. Anything that does not fit is an error: nothing is to be left out or journaled twice without
/// a word.
pub(crate) fn starts(client: &mut dyn Client, options: &IngestOptions, partitions: &[TopicPartition]) -> Result<Vec<Start>, LiveError> {
    let committed = client.committed(partitions)?;
    if committed.iter().any(Option::is_none) {
        check_fresh(client, options)?;
    }
    let mut starts = Vec::with_capacity(partitions.len());
    for (at, committed) in partitions.iter().zip(committed) {
        let (first, end) = client.bounds(at)?;
        let (offset, journaled) = match committed {
            Some(committed) => {
                check_bounds(options, at, committed.offset, first, end)?;
                if committed.metadata.is_empty() {
                    tracing::warn!(input = %at, offset = committed.offset, "a tool has said where to go on: what was known of the time of this input is forgotten");
                }
                (committed.offset, journaled_of(at, &committed)?)
            }
            None => {
                tracing::info!(input = %at, offset = first, "nothing was taken in from here before: starting at the earliest record");
                (first, Journaled::default())
            }
        };
        starts.push(Start { at: at.clone(), offset, journaled });
    }
    Ok(starts)
}

fn check_bounds(options: &IngestOptions, at: &TopicPartition, committed: u64, first: u64, end: u64) -> Result<(), JournalError> {
    let (at, group) = (at.clone(), options.group.clone());
    if committed < first {
        return Err(JournalError::InputGone { at, group, committed, first });
    }
    if committed > end {
        return Err(JournalError::InputShrunk { at, group, committed, end });
    }
    Ok(())
}

/// Nothing is committed: right for inputs that are new, or at the very first start.
fn check_fresh(client: &mut dyn Client, options: &IngestOptions) -> Result<(), LiveError> {
    let inputs = client.subscribed_partitions()?;
    let is_any_committed = |client: &mut dyn Client| Ok::<_, LiveError>(client.committed(&inputs)?.iter().any(Option::is_some));
    // Another worker may have begun in between: its offsets come with its records.
    if is_any_committed(client)? || !is_begun(client, options)? || is_any_committed(client)? {
        return Ok(());
    }
    Err(JournalError::NothingTakenIn { group: options.group.clone(), topic: options.topics.journal.clone() }.into())
}

/// Whether an ingest has written to the journal. Rules, imports and erasures come from elsewhere. Of a partition no longer than what is looked through
/// nothing much can be taken in twice: a first start does not wait for looking at it.
fn is_begun(client: &mut dyn Client, options: &IngestOptions) -> Result<bool, LiveError> {
    for number in 0..options.journal_partitions {
        let at = TopicPartition::new(options.topics.journal.as_str(), i32::from(number));
        let (first, end) = client.bounds(&at)?;
        let mut from = end.saturating_sub(LOOKED_THROUGH);
        while first < from
            && from < end
            && let Some(batch) = client.read_one(&at, from)?
            && let Some(record) = batch.records().next()
        {
            if record.header(ARRIVAL_HEADER).is_some() {
                return Ok(true);
            }
            from = record.offset + 1;
        }
    }
    Ok(false)
}
