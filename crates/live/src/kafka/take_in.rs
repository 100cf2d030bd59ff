//! Taking in a batch: each record becomes a journal record, a dead letter or a count.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bellwether_codec::event::encode_event;
use bellwether_codec::journal::{ARRIVAL_EVERY, ARRIVAL_HEADER, MAX_AHEAD_OF_APPEND_MS, WATERMARK_HEADER};
use bellwether_codec::rejection::{RejectReason, Rejection};
use bellwether_codec::source::{SourceEvent, SourceRecord};
use bellwether_codec::timestamp::format_time;
use bellwether_engine::event::{CustomerKey, Event};
use bellwether_engine::time::{DAY_MS, Time};
use bellwether_kafka::{Batch, Outgoing, Received, TopicPartition, Transaction};

use super::breaker::Breaker;
use super::dead_letters;
use super::drift::Drift;
use super::options::IngestOptions;
use super::sources::Sources;
use super::watermark::{Journaled, Watermarks};
use crate::metrics::Metrics;

/// An event may be dated this long after its own arrival, which is not later than the present, whatever its producer has stamped.
pub(crate) const MAX_AHEAD_OF_ARRIVAL_MS: i64 = DAY_MS;

/// An event dated this long before its arrival is late: a source that delivers many of them distorts what depends on time.
pub(crate) const LATE_AFTER_MS: i64 = DAY_MS;

/// A record stamped further ahead of our clock than this is counted: a clock is wrong. It is what the journal allows its watermarks.
const MAX_AHEAD_OF_CLOCK_MS: i64 = MAX_AHEAD_OF_APPEND_MS;

/// What a batch comes to, once its transaction is committed.
#[derive(Debug, Default)]
pub(crate) struct TakenIn {
    /// How far each input partition is.
    pub partitions: BTreeMap<TopicPartition, Taken>,
    /// When the first record arrived that waits, because it is ahead of other inputs.
    pub waiting: BTreeMap<TopicPartition, Time>,
    /// The journal partitions that were written to.
    pub written: Vec<u16>,
    /// For the metrics.
    pub counts: Counts,
}

/// How far an input partition is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    /// The next offset to read.
    pub next_offset: u64,
    /// What is journaled then.
    pub journaled: Journaled,
}

/// What became of records.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    journaled: u64,
    skipped: u64,
    rejected: BTreeMap<&'static str, u64>,
    arrivals_ms: Vec<i64>,
    /// Events of each source, by its index, and those of them that are late.
    by_source: BTreeMap<usize, [u64; 2]>,
    /// Records of each source that were stamped ahead of our clock.
    ahead: BTreeMap<usize, u64>,
}

impl Counts {
    /// Tells the metrics; to be called when the transaction is committed.
    pub fn tell(&self, metrics: &Metrics, sources: &Sources) {
        metrics.took_in(self.journaled + self.skipped + self.rejected.values().sum::<u64>());
        metrics.pipeline.skipped(self.skipped);
        metrics.pipeline.journaled(&self.arrivals_ms);
        for (source, [events, late]) in &self.by_source {
            metrics.pipeline.delivered(&sources.get(*source).name, *events, *late);
        }
        for (source, records) in &self.ahead {
            metrics.pipeline.arrived_ahead(&sources.get(*source).name, *records);
        }
        for (reason, count) in &self.rejected {
            (0..*count).for_each(|_| metrics.rejected(reason));
        }
    }

    /// A source has delivered an event.
    fn delivered(&mut self, source: usize, is_late: bool) {
        let [events, late] = self.by_source.entry(source).or_default();
        *events += 1;
        *late += u64::from(is_late);
    }
}

/// Decodes every record that need not wait for other inputs, and adds it to the transaction: to the journal with this watermark, or to the
/// dead letters.
pub(crate) fn take_in(
    batch: &Batch,
    now: Time,
    watermarks: &Watermarks,
    options: &IngestOptions,
    breakers: &mut [Breaker],
    transaction: &mut Transaction,
) -> TakenIn {
    let mut taken = TakenIn::default();
    let mut journal = Journal::new(watermarks.smallest(), options, transaction);
    let mut headers = Vec::new();
    let (merged, latest) = by_arrival(batch, now);
    let mut drift = Drift::new(options.max_watermark_drift, watermarks, |at| {
        latest.get(at).copied().filter(|_| options.sources.index_of(&at.topic).is_some_and(|source| !breakers[source].is_open()))
    });
    for Arrived { so_far, arrival, is_ahead, index } in merged {
        let Some(record) = batch.get(index) else { continue };
        // What a stopped source still brings stays where it is: its offsets do not move.
        let Some(source) = options.sources.index_of(&record.at.topic).filter(|source| !breakers[*source].is_open()) else { continue };
        if drift.is_ahead(so_far) {
            taken.waiting.entry(record.at.clone()).or_insert(so_far);
            continue;
        }
        headers.clear();
        headers.extend(record.headers());
        let decoded = options.sources.get(source).decoder.decode(&source_record(&record, &headers));
        let decoded = decoded.and_then(|decoded| not_from_the_future(decoded, arrival));
        if breakers[source].trips_on(decoded.is_err()) {
            tell_of_flood(&options.sources.get(source).name, &record, &decoded);
            drift.stopped_at(so_far);
            continue;
        }
        if is_ahead {
            *taken.counts.ahead.entry(source).or_default() += 1;
        }
        let so_far = taken.partitions.entry(record.at.clone()).or_insert_with(|| {
            let arrivals = watermarks.of(record.at).map(|known| known.arrivals.clone()).unwrap_or_default();
            Taken { next_offset: 0, journaled: Journaled { until: arrival, arrivals } }
        });
        so_far.next_offset = record.offset + 1;
        so_far.journaled.until = so_far.journaled.until.max(arrival);
        so_far.journaled.arrivals.note(arrival, options.sources.get(source).silent_after);
        match &decoded {
            Ok(SourceEvent::Event(event)) => {
                so_far.journaled.arrivals.note_family(event.event_type().family());
                journal.push(event, arrival);
                taken.counts.journaled += 1;
                taken.counts.arrivals_ms.push(arrival.0);
                taken.counts.delivered(source, arrival.since_ms(event.time) > LATE_AFTER_MS);
            }
            Ok(SourceEvent::Skipped) => taken.counts.skipped += 1,
            Err(rejection) => {
                dead_letters::put(&record, rejection, &options.topics, journal.transaction);
                *taken.counts.rejected.entry(rejection.reason.code()).or_default() += 1;
            }
        }
    }
    taken.written = journal.written.into_keys().collect();
    taken
}

/// A record as it arrived.
struct Arrived {
    /// The latest arrival of its partition so far.
    so_far: Time,
    /// Its own. A producer whose clock is ahead brings neither its partition nor its customers ahead of ours.
    arrival: Time,
    /// Its stamp is ahead of our clock by more than clocks may differ.
    is_ahead: bool,
    /// Its place in the batch.
    index: usize,
}

/// The records of a batch, merged as they arrived: after a time in which nothing was read, events of several partitions come into the
/// journal in the order in which they happened. Within a partition its own order stays. With the latest arrival of each partition.
fn by_arrival(batch: &Batch, now: Time) -> (Vec<Arrived>, BTreeMap<&TopicPartition, Time>) {
    let mut latest: BTreeMap<&TopicPartition, Time> = BTreeMap::new();
    let mut merged: Vec<Arrived> = Vec::with_capacity(batch.len());
    for (index, record) in batch.records().enumerate() {
        let stamped = record.timestamp_ms.map_or(now, Time);
        let (arrival, is_ahead) = (stamped.min(now), stamped.since_ms(now) > MAX_AHEAD_OF_CLOCK_MS);
        // A clock that is ahead does not make the records behind wait for the time that it shows.
        let so_far = latest.entry(record.at).or_insert(Time::MIN);
        *so_far = arrival.max(*so_far);
        merged.push(Arrived { so_far: *so_far, arrival, is_ahead, index });
    }
    merged.sort_by_key(|arrived| arrived.so_far);
    (merged, latest)
}

/// The journal as this batch writes to it.
struct Journal<'t> {
    digits: String,
    /// The arrival of the record that is being written, in digits.
    arrival: String,
    topic: &'t str,
    partitions: u16,
    /// Events by partition.
    written: BTreeMap<u16, u64>,
    value: Vec<u8>,
    transaction: &'t mut Transaction,
}

impl<'t> Journal<'t> {
    fn new(watermark: Time, options: &'t IngestOptions, transaction: &'t mut Transaction) -> Self {
        let digits = if watermark == Time::MIN { String::new() } else { watermark.0.to_string() };
        let (topic, partitions) = (options.topics.journal.as_str(), options.journal_partitions);
        Self { digits, arrival: String::new(), topic, partitions, written: BTreeMap::new(), value: Vec::new(), transaction }
    }

    fn push(&mut self, event: &Event<'_>, arrival: Time) {
        let number = CustomerKey::of(&event.customer).partition(self.partitions);
        self.value.clear();
        encode_event(event, &mut self.value);
        self.arrival.clear();
        _ = write!(self.arrival, "{}", arrival.0);
        let headers = [(WATERMARK_HEADER, Some(self.digits.as_bytes())), (ARRIVAL_HEADER, Some(self.arrival.as_bytes()))];
        let written = self.written.entry(number).or_default();
        let says_arrival = written.is_multiple_of(ARRIVAL_EVERY);
        *written += 1;
        self.transaction.push(&Outgoing {
            topic: self.topic,
            partition: Some(i32::from(number)),
            key: Some(event.customer.as_bytes()),
            value: Some(&self.value),
            headers: &headers[..1 + usize::from(says_arrival)],
            timestamp_ms: None,
        });
    }
}

fn source_record<'a>(record: &Received<'a>, headers: &'a [(&'a str, Option<&'a [u8]>)]) -> SourceRecord<'a> {
    SourceRecord {
        topic: &record.at.topic,
        partition: record.at.partition,
        offset: record.offset,
        timestamp_ms: record.timestamp_ms,
        key: record.key,
        value: record.value,
        headers,
    }
}

fn not_from_the_future(decoded: SourceEvent<'_>, arrival: Time) -> Result<SourceEvent<'_>, Rejection> {
    match &decoded {
        SourceEvent::Event(event) if event.time.since_ms(arrival) > MAX_AHEAD_OF_ARRIVAL_MS => {
            let detail = format!("time: {} is more than 24 hours after its arrival, {}", format_time(event.time), format_time(arrival));
            Err(Rejection::new(RejectReason::FutureDated, detail))
        }
        _ => Ok(decoded),
    }
}

fn tell_of_flood(source: &str, record: &Received<'_>, decoded: &Result<SourceEvent<'_>, Rejection>) {
    let last = decoded.as_ref().err().map(ToString::to_string).unwrap_or_default();
    tracing::error!(
        source,
        input = %record.at,
        offset = record.offset,
        last,
        "the breaker has stopped a source: too many of its records are refused. Nothing of it is lost, and what other inputs bring from now on waits for it; mend the source or its mapping, then restart"
    );
}
