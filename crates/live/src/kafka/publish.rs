//! What the steps of partitions put out, as records of one transaction.

use bellwether_codec::journal::{Piece, Records};
use bellwether_codec::kpi_record;
use bellwether_codec::rejection::{RejectReason, Rejection};
use bellwether_codec::rendered::{SignalCounts, count};
use bellwether_codec::signal::binary_output;
use bellwether_engine::kpi::KpiDay;
use bellwether_engine::signal::Output;
use bellwether_kafka::{Batch, Outgoing, Transaction};
use bellwether_store::Position;

use super::dead_letters;
use super::metadata::of_position;
use super::options::ProcessOptions;
use super::owned::Owned;
use crate::health_changes::HealthUpdate;

/// Adds what the last step of a partition put out, and where the partition goes on. What was published before is not put out again.
pub(crate) fn publish(
    owned: &mut Owned,
    piece: &Piece<'_>,
    batch: &Batch,
    options: &ProcessOptions,
    transaction: &mut Transaction,
    counts: &mut SignalCounts,
) {
    let Some((from, to)) = owned.published() else { return };
    for output in owned.worker.outputs.drain(..) {
        count(&output, counts);
        put_output(&output, owned.at.partition, options, transaction);
    }
    owned.worker.take_health().iter().for_each(|update| put_health(update, options, transaction));
    let poisoned = Rejection::new(RejectReason::Poisoned, "folding the event panicked; the run goes on without it");
    for offset in owned.worker.poisoned_offsets.drain(..) {
        put_dead_letter(owned.at.partition, offset, &poisoned, batch, options, transaction);
    }
    if let Piece::Records(records) = piece {
        for (offset, rejection) in unreadable_between(records, from, to) {
            put_dead_letter(owned.at.partition, offset, rejection, batch, options, transaction);
        }
    }
    transaction.commit_offset(owned.at.clone(), of_position(to, &options.created, options.owner.as_ref()));
}

/// Unreadable records that a step from one position to another went over.
fn unreadable_between<'r>(records: &'r Records<'_>, from: Position, to: Position) -> impl Iterator<Item = (u64, &'r Rejection)> {
    records.unreadable().filter(move |(offset, _)| from.offset <= *offset && *offset < to.offset)
}

fn put_output(output: &Output, partition: i32, options: &ProcessOptions, transaction: &mut Transaction) {
    let (signal, topic) = match output {
        Output::Signal(signal) => (signal, &options.topics.signals),
        Output::Decision(signal, _) => (signal, &options.topics.decisions),
        Output::Kpis(ended) => return put_kpis(ended, partition, options, transaction),
    };
    let Some(binary) = binary_output(output) else { return };
    let headers: Vec<_> = binary.headers.iter().map(|(name, value)| (*name, Some(value.as_bytes()))).collect();
    let key = Some(signal.customer.as_bytes());
    transaction.push(&Outgoing { topic, partition: None, key, value: Some(&binary.value), headers: &headers, timestamp_ms: None });
}

/// The sums of a partition at the end of a day, keyed by both, for a warehouse to add up.
fn put_kpis(ended: &KpiDay, partition: i32, options: &ProcessOptions, transaction: &mut Transaction) {
    let record = kpi_record::record(ended, u16::try_from(partition).ok());
    let key = format!("{}/{partition}", record["day"].as_str().unwrap_or_default());
    let value = record.to_string();
    let (topic, key, value) = (&options.topics.kpis, Some(key.as_bytes()), Some(value.as_bytes()));
    let headers: [(&str, Option<&[u8]>); 1] = [("content-type", Some(b"application/json"))];
    transaction.push(&Outgoing { topic, partition: None, key, value, headers: &headers, timestamp_ms: None });
}

/// A customer's latest health, or no value for one that was erased: then compaction forgets it.
fn put_health(update: &HealthUpdate, options: &ProcessOptions, transaction: &mut Transaction) {
    let binary = update.record.as_ref();
    let headers = binary.into_iter().flat_map(|binary| &binary.headers);
    let headers: Vec<_> = headers.map(|(name, value)| (*name, Some(value.as_bytes()))).collect();
    let value = binary.map(|binary| &binary.value[..]);
    let (topic, key) = (&options.topics.health, Some(update.customer.as_bytes()));
    transaction.push(&Outgoing { topic, partition: None, key, value, headers: &headers, timestamp_ms: None });
}

fn put_dead_letter(
    partition: i32,
    offset: u64,
    rejection: &Rejection,
    batch: &Batch,
    options: &ProcessOptions,
    transaction: &mut Transaction,
) {
    let is_it = |record: &bellwether_kafka::Received<'_>| record.at.partition == partition && record.offset == offset;
    if let Some(record) = batch.records().find(is_it) {
        dead_letters::put(&record, rejection, &options.topics, transaction);
    }
}
