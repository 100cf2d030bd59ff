//! What must hold before a run starts: the topics are there, and the journal is the one that the settings mean.

use bellwether_codec::journal::Created;
use bellwether_codec::pseudonym::Pseudonymiser;
use bellwether_kafka::{Client, TopicDescription, TopicPartition};

use super::connect::Connect;
use super::control::read_created;
use super::error::JournalError;
use super::metadata::position_of;
use crate::error::LiveError;

/// What was found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// What the journal is.
    pub created: Created,
    /// Partitions of the topic of signals.
    pub signal_partitions: u32,
    /// The most bytes of a record that the topic of dead letters takes, as far as the brokers tell.
    pub max_letter_bytes: Option<usize>,
}

/// The topics must be there, and the journal must be the one that the settings mean.
pub(crate) fn check_journal(connect: &Connect, pseudonymiser: &Pseudonymiser) -> Result<Found, LiveError> {
    let topics = connect.topics();
    let written = [&topics.journal, &topics.signals, &topics.health, &topics.decisions, &topics.kpis, &topics.dead_letters];
    let described = connect.admin()?.describe(&written.map(String::as_str))?;
    let partitions_of = |index: usize| described.get(index).map_or(0, |topic| topic.partitions);
    let mut client = connect.looking_client()?;
    let created = match read_created(&mut client, &topics.journal) {
        Err(LiveError::Journal(gone @ JournalError::BeginningGone { .. })) => {
            let known = told_beside_positions(connect, partitions_of(0))?.ok_or(gone)?;
            tracing::warn!(topic = topics.journal, "the beginning of the journal is gone: what it is stands beside the committed offsets");
            known
        }
        created => created?.ok_or(JournalError::NotCreated { topic: topics.journal.clone() })?,
    };
    let found = partitions_of(0);
    if u32::from(created.partitions) != found {
        return Err(JournalError::Partitions { topic: topics.journal, created: created.partitions, found: found as usize }.into());
    }
    check_timestamps(&topics.journal, described.first())?;
    if created.pseudonym_key_id != key_id(pseudonymiser) {
        return Err(JournalError::PseudonymKey.into());
    }
    let max_letter_bytes = described.last().and_then(|letters| letters.settings.get(MAX_MESSAGE_BYTES)?.parse().ok());
    Ok(Found { created, signal_partitions: partitions_of(1), max_letter_bytes })
}

/// Kafka's setting of how large the records of a topic may be.
const MAX_MESSAGE_BYTES: &str = "max.message.bytes";

/// Journal time is guarded by the clock of the brokers, so it is they who have to date the records.
fn check_timestamps(topic: &str, described: Option<&TopicDescription>) -> Result<(), JournalError> {
    match described.and_then(|described| described.settings.get(TIMESTAMP_TYPE)) {
        Some(found) if found != BY_BROKERS => Err(JournalError::TimestampType { topic: topic.to_owned(), found: found.clone() }),
        _ => Ok(()),
    }
}

/// Kafka's setting of who dates the records of a topic, and its value where the brokers do.
const TIMESTAMP_TYPE: &str = "message.timestamp.type";
const BY_BROKERS: &str = "LogAppendTime";

/// What the journal is, as the processing workers have written it beside their positions.
fn told_beside_positions(connect: &Connect, partitions: u32) -> Result<Option<Created>, LiveError> {
    let topic = connect.topics().journal;
    let partitions: Vec<TopicPartition> = (0..partitions).map(|number| TopicPartition::new(topic.as_str(), number as i32)).collect();
    let committed = connect.process_lookup()?.committed(&partitions)?;
    for (at, committed) in partitions.iter().zip(committed) {
        if let Some(committed) = committed {
            return Ok(Some(position_of(at, &committed)?.created));
        }
    }
    Ok(None)
}

/// How a journal names the key of its pseudonyms.
#[must_use]
pub fn key_id(pseudonymiser: &Pseudonymiser) -> String {
    format!("{:016x}", pseudonymiser.key_id())
}
