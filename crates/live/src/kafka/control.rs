//! Control records: making a journal, and publishing rule sets into it.

use bellwether_codec::event::encode_event;
use bellwether_codec::journal::{CONTROL_HEADER, Control, Created, PublishedRules};
use bellwether_engine::event::CustomerKey;
use bellwether_engine::time::Time;
use bellwether_kafka::{Client, CommitError, ConnectionOptions, KafkaError, Outgoing, Reader, TopicPartition, Transaction};

use super::error::JournalError;
use crate::erasing::erasure;
use crate::error::LiveError;

/// Records read at once when a partition is searched.
const SEARCH_RECORDS: usize = 100_000;
const SEARCH_BYTES: usize = 32 << 20;

/// The first record of a journal; `None` while the topic is empty.
///
/// # Errors
///
/// When the topic begins with something else, or the broker does not answer.
pub fn read_created(client: &mut dyn Client, topic: &str) -> Result<Option<Created>, LiveError> {
    let at = TopicPartition::new(topic, 0);
    let (first, end) = client.bounds(&at)?;
    if first >= end {
        return if first > 0 { Err(JournalError::BeginningGone { topic: topic.to_owned(), first }.into()) } else { Ok(None) };
    }
    let batch = client.read_one(&at, first)?;
    let control = batch.as_ref().and_then(|batch| Control::decode(batch.records().next()?.value?).ok());
    match control {
        Some(Control::Created(created)) => Ok(Some(created)),
        _ if first > 0 => Err(JournalError::BeginningGone { topic: topic.to_owned(), first }.into()),
        _ => Err(JournalError::NotCreated { topic: topic.to_owned() }.into()),
    }
}

/// Writes the first record of every partition of an empty journal topic, in one transaction.
///
/// # Errors
///
/// When the transaction fails, or nobody knows.
pub fn create_journal(client: &mut dyn Client, topic: &str, created: &Created) -> Result<(), LiveError> {
    write_everywhere(client, topic, created.partitions, &Control::Created(created.clone()))
}

/// Publishes a rule set to every partition of a journal, in one transaction.
///
/// # Errors
///
/// When the transaction fails, or nobody knows.
pub fn publish_rules(client: &mut dyn Client, topic: &str, partitions: u16, rules: PublishedRules) -> Result<(), LiveError> {
    write_everywhere(client, topic, partitions, &Control::Rules(rules))
}

/// Publishes the erasure of a customer to its partition of a journal.
///
/// # Errors
///
/// When the transaction fails, or nobody knows.
pub fn publish_erasure(client: &mut dyn Client, topic: &str, partitions: u16, customer: &str, time: Time) -> Result<u16, LiveError> {
    let partition = CustomerKey::of(customer).partition(partitions);
    let mut value = Vec::new();
    encode_event(&erasure(customer, time), &mut value);
    let mut transaction = Transaction::default();
    transaction.push(&Outgoing {
        topic,
        partition: Some(i32::from(partition)),
        key: Some(customer.as_bytes()),
        value: Some(&value),
        headers: &[],
        timestamp_ms: None,
    });
    commit(client, &transaction, || format!("writing an erasure into {topic}"))?;
    Ok(partition)
}

/// The rule set with the highest number in a journal. It reads the first partition, which has them all.
///
/// # Errors
///
/// When the partition cannot be read.
pub fn rules_in_force(connection: ConnectionOptions, at: &TopicPartition) -> Result<Option<PublishedRules>, LiveError> {
    let mut reader = Reader::of_all(connection, at.clone())?;
    let mut found: Option<PublishedRules> = None;
    let mut more = true;
    while more {
        let mut batch = bellwether_kafka::Batch::default();
        more = reader.read(&mut batch, SEARCH_RECORDS, SEARCH_BYTES)?;
        for record in batch.records().filter(|record| record.headers().any(|(name, _)| name == CONTROL_HEADER)) {
            if let Ok(Control::Rules(rules)) = Control::decode(record.value.unwrap_or_default())
                && found.as_ref().is_none_or(|found| rules.number > found.number)
            {
                found = Some(rules);
            }
        }
    }
    Ok(found)
}

fn write_everywhere(client: &mut dyn Client, topic: &str, partitions: u16, control: &Control) -> Result<(), LiveError> {
    let value = control.encode();
    let headers = [(CONTROL_HEADER, Some(control.name().as_bytes()))];
    let mut transaction = Transaction::default();
    for partition in 0..partitions {
        transaction.push(&Outgoing {
            topic,
            partition: Some(i32::from(partition)),
            key: None,
            value: Some(&value),
            headers: &headers,
            timestamp_ms: None,
        });
    }
    commit(client, &transaction, || format!("writing {} into {topic}", control.name()))
}

fn commit(client: &mut dyn Client, transaction: &Transaction, what: impl Fn() -> String) -> Result<(), LiveError> {
    client.commit(transaction).map_err(|error| {
        let (CommitError::NotCommitted(cause) | CommitError::Lost(cause)) = &error;
        KafkaError::new(cause.remedy, what(), &error).into()
    })
}
