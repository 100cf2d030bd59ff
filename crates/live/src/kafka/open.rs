//! Opening a partition that was assigned: where the store stands, what is committed, and whether the two belong together.

use bellwether_codec::journal::Created;
use bellwether_codec::state::FOLD_VERSION;
use bellwether_engine::event::CustomerKey;
use bellwether_kafka::{Client, KafkaError, Remedy, TopicPartition};
use bellwether_store::{Commit, Durability, Position, Store};

use super::error::JournalError;
use super::metadata::{CommittedPosition, position_of};
use super::options::ProcessOptions;
use crate::error::LiveError;

/// Signals of a partition that are read at once, to look for those of a journal partition; and how often. Customers are spread evenly: where there are
/// any, they are among the first.
const READ_AT_ONCE: usize = 1_000;
const MAX_READS: usize = 10;

/// The name under which the store keeps the id of the journal that it belongs to.
pub(crate) const JOURNAL_ID: &str = "journal";

/// Where a partition goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Opening {
    /// How far its state is.
    pub store: Position,
    /// Up to where everything was published.
    pub committed: Position,
    /// The first offset that the journal still has.
    pub first: u64,
    /// How often the stored state had been replaced before it was looked at; none while it is being.
    pub generation: Option<u64>,
}

impl Opening {
    /// Whether the journal still has what comes after the state.
    pub fn check(&self, partition: u16) -> Result<(), JournalError> {
        let Self { first, store: Position { offset: needed, .. }, .. } = *self;
        if first > needed { Err(JournalError::TooShort { partition, first, needed }) } else { Ok(()) }
    }
}

/// Compares store, committed offsets and journal for these partitions. Anything that does not fit is an error, and nothing is changed.
pub(crate) fn openings(
    client: &mut dyn Client,
    store: &Store,
    options: &ProcessOptions,
    partitions: &[TopicPartition],
) -> Result<Vec<Opening>, LiveError> {
    check_store(store, &options.topics.journal, &options.created)?;
    // The store first: another worker of this process may have taken over, and may commit at any moment. Then what is committed is ahead of what
    // was seen of the store, never behind it.
    let mut stored = Vec::with_capacity(partitions.len());
    for number in partitions.iter().map(number_of) {
        let generation = options.safekeeping.generation(number);
        stored.push((generation, store.header(number)?.map(|header| header.position)));
    }
    let mut openings = Vec::with_capacity(partitions.len());
    let committed = client.committed(partitions)?;
    for ((at, committed), (generation, stands)) in partitions.iter().zip(committed).zip(stored) {
        let committed = committed.map(|committed| position_of(at, &committed)).transpose()?;
        let (first, end) = client.bounds(at)?;
        let committed = match committed {
            Some(committed) => check_committed(at, options, stands, committed, end)?,
            None => {
                check_fresh(client, options, at, stands)?;
                Position::default()
            }
        };
        openings.push(Opening { store: stands.unwrap_or_default(), committed, first, generation });
    }
    Ok(openings)
}

/// The number of a journal partition.
pub(crate) fn number_of(at: &TopicPartition) -> u16 {
    u16::try_from(at.partition).expect("a journal has at most 65,534 partitions, which its first record says")
}

/// The store belongs to this journal. One that belongs to none yet does from now on.
pub(crate) fn check_store(store: &Store, topic: &str, created: &Created) -> Result<(), LiveError> {
    match store.input(JOURNAL_ID)? {
        Some(id) if id != created.journal.as_bytes() => Err(JournalError::OtherJournal {
            topic: topic.to_owned(),
            expected: created.journal.clone(),
            found: String::from_utf8_lossy(&id).into_owned(),
        }
        .into()),
        Some(_) => Ok(()),
        None => {
            let mut commit = Commit::new();
            commit.put_input(JOURNAL_ID, created.journal.as_bytes());
            Ok(store.commit(commit, Durability::Synced)?)
        }
    }
}

fn check_committed(
    at: &TopicPartition,
    options: &ProcessOptions,
    stands: Option<Position>,
    committed: CommittedPosition,
    end: u64,
) -> Result<Position, JournalError> {
    let partition = number_of(at);
    let CommittedPosition { position, created: Created { journal, .. }, fold } = committed;
    if journal != options.created.journal {
        let (topic, expected) = (options.topics.journal.clone(), options.created.journal.clone());
        return Err(JournalError::OtherJournal { topic, expected, found: journal });
    }
    if fold > FOLD_VERSION {
        return Err(JournalError::NewerFold { partition, found: fold, own: FOLD_VERSION });
    }
    if position.offset > end {
        return Err(JournalError::Shrunk { partition, end, committed: position.offset });
    }
    let store = stands.unwrap_or_default();
    if store > position {
        return Err(JournalError::StoreAhead { partition, store, committed: position });
    }
    Ok(position)
}

/// Nothing is committed: right only at the very first start.
fn check_fresh(client: &mut dyn Client, options: &ProcessOptions, at: &TopicPartition, stands: Option<Position>) -> Result<(), LiveError> {
    let partition = number_of(at);
    let nothing_committed = |evidence: String| JournalError::NothingCommitted { partition, group: options.group.clone(), evidence }.into();
    if let Some(position) = stands {
        return Err(nothing_committed(format!("the store has it at {position}")));
    }
    // A partition whose neighbours are under way may simply not have had a record yet; without any, the group's offsets may be lost.
    let journal = client.subscribed_partitions()?;
    let is_any_committed = client.committed(&journal)?.iter().any(Option::is_some);
    for number in 0..options.signal_partitions {
        let signals = TopicPartition::new(options.topics.signals.as_str(), number as i32);
        let (first, end) = client.bounds(&signals)?;
        if !is_any_committed && end > 0 {
            return Err(nothing_committed(format!("the topic {} holds signals", options.topics.signals)));
        }
        if holds_signals_of(client, &signals, (first, end), (partition, options.created.partitions))? {
            // They came with an offset, which may have been committed since it was asked for.
            if client.committed(std::slice::from_ref(at))?.iter().any(Option::is_some) {
                let what = format!("asking for the committed offset of {at}");
                return Err(KafkaError::new(Remedy::Rebuild, what, "somebody else commits it at this moment").into());
            }
            return Err(nothing_committed(format!("the topic {} holds signals of its customers", options.topics.signals)));
        }
    }
    Ok(())
}

/// Whether some of the first records of a partition of signals are of customers of this journal partition, of so many. Each came with an offset of it.
fn holds_signals_of(
    client: &mut dyn Client,
    signals: &TopicPartition,
    (mut from, end): (u64, u64),
    (partition, partitions): (u16, u16),
) -> Result<bool, LiveError> {
    let is_of_partition = |key: &[u8]| std::str::from_utf8(key).is_ok_and(|id| CustomerKey::of(id).partition(partitions) == partition);
    for _ in 0..MAX_READS {
        if from >= end {
            break;
        }
        let batch = client.read_some(signals, from, READ_AT_ONCE)?;
        if batch.records().filter_map(|record| record.key).any(is_of_partition) {
            return Ok(true);
        }
        let Some(last) = batch.records().last() else { break };
        from = last.offset + 1;
    }
    Ok(false)
}
