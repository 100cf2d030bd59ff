//! Where the taking in of inputs goes on: whether what is committed of them fits what they, and the journal, hold.

use bellwether_codec::journal::{ARRIVAL_EVERY, ARRIVAL_HEADER, CONTROL_HEADER, Control, WATERMARK_HEADER};
use bellwether_kafka::{Client, CommittedOffset, Received, TopicPartition};

use super::error::JournalError;
use super::metadata::journaled_of;
use super::options::IngestOptions;
use super::watermark::Journaled;
use crate::error::LiveError;

/// How many offsets at the end of each journal partition are looked through first for what an ingest has written: ticks come all the time, and few
/// records are written by others. So many hold a record with its arrival if they hold events of an ingest, whatever marks of transactions are between.
const FIRST_STRETCH: u64 = 4 * ARRIVAL_EVERY;

/// How much longer the next stretch before them is, and so on.
const STRETCH_FACTOR: u64 = 4;

/// Records of a stretch that are in memory at once.
const READ_AT_ONCE: usize = 500;

/// Where reading starts in a partition, and what is journaled of it.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    pub at: TopicPartition,
    pub offset: u64,
    pub journaled: Journaled,
    /// Whether the group knows an offset.
    pub is_committed: bool,
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
        let is_committed = committed.is_some();
        let (offset, journaled) = match committed {
            Some(committed) => {
                check_bounds(options, at, committed.offset, first, end)?;
                if committed.metadata.is_empty() {
                    tracing::warn!(input = %at, offset = committed.offset, "a tool has said where to go on: what was known of the time of this input is forgotten");
                }
                (committed.offset, journaled_in(options, at, &committed)?)
            }
            None => {
                tracing::info!(input = %at, offset = first, "nothing was taken in from here before: starting at the earliest record");
                (first, Journaled::default())
            }
        };
        starts.push(Start { at: at.clone(), offset, journaled, is_committed });
    }
    Ok(starts)
}

/// All inputs were taken into this journal, as far as that is told.
pub(crate) fn check_inputs(client: &mut dyn Client, options: &IngestOptions) -> Result<(), LiveError> {
    let inputs = client.subscribed_partitions()?;
    // No worker has begun, so nobody has ended the transaction of one that was killed: to wait for that would take as long as its timeout.
    let committed = client.committed_so_far(&inputs)?;
    for (at, committed) in inputs.iter().zip(committed) {
        committed.map(|committed| journaled_in(options, at, &committed)).transpose()?;
    }
    Ok(())
}

/// What is journaled of an input in this journal.
///
/// # Errors
///
/// When another journal has it.
pub(crate) fn journaled_in(options: &IngestOptions, at: &TopicPartition, committed: &CommittedOffset) -> Result<Journaled, JournalError> {
    let (journaled, journal) = journaled_of(at, committed)?;
    let Some(found) = journal.filter(|found| *found != options.journal) else { return Ok(journaled) };
    let (at, group, topic) = (at.to_string(), options.group.clone(), options.topics.journal.clone());
    Err(JournalError::TakenInElsewhere { at, group, topic, found })
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

/// Whether an ingest has written to the journal. Each partition is looked through from its end towards its beginning, since mostly one of the last
/// records tells: the last of a partition may be of aborted transactions, or of tools.
fn is_begun(client: &mut dyn Client, options: &IngestOptions) -> Result<bool, LiveError> {
    for number in 0..options.journal_partitions {
        let at = TopicPartition::new(options.topics.journal.as_str(), i32::from(number));
        let (first, mut end) = client.bounds(&at)?;
        let mut stretch = FIRST_STRETCH;
        while first < end {
            let from = end.saturating_sub(stretch).max(first);
            match last_writer(client, &at, from, end)? {
                Some(Writer::Ingest) => return Ok(true),
                // History comes before anything else is journaled.
                Some(Writer::Import) => break,
                None => (end, stretch) = (from, stretch.saturating_mul(STRETCH_FACTOR)),
            }
        }
    }
    Ok(false)
}

/// Who has written records of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Writer {
    Import,
    Ingest,
}

/// Who has written the committed records of a stretch of the journal; an ingest if it has written any. None if both have written nothing there:
/// rules, silences and erasures may come at any time.
fn last_writer(client: &mut dyn Client, at: &TopicPartition, mut from: u64, end: u64) -> Result<Option<Writer>, LiveError> {
    let mut found = None;
    while from < end {
        let batch = client.read_some(at, from, READ_AT_ONCE)?;
        found = batch.records().take_while(|record| record.offset < end).filter_map(|record| writer_of(&record)).max().max(found);
        let Some(last) = batch.records().last().filter(|_| batch.len() == READ_AT_ONCE && found != Some(Writer::Ingest)) else { break };
        from = last.offset + 1;
    }
    Ok(found)
}

/// An ingest says of one of a few records when it arrived; an import knows of watermarks only.
fn writer_of(record: &Received<'_>) -> Option<Writer> {
    if record.header(ARRIVAL_HEADER).is_some() {
        return Some(Writer::Ingest);
    }
    let is_event_or_tick = record.header(CONTROL_HEADER).is_none_or(|name| name == Control::Tick.name().as_bytes());
    (is_event_or_tick && record.header(WATERMARK_HEADER).is_some()).then_some(Writer::Import)
}
