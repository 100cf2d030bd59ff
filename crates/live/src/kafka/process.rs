//! A processing worker: turns journal records into signals, each exactly once. Read [`Processor::fold`] first.

mod mishaps;
mod opening;
mod writing;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use bellwether_codec::journal::{ARRIVAL_HEADER, CONTROL_HEADER, JournalRecord, Piece, Pieces, WATERMARK_HEADER};
use bellwether_codec::rendered::SignalCounts;
use bellwether_engine::time::Time;
use bellwether_kafka::{Batch, Client, CommitError, KafkaError, Polled, Received, Remedy, TopicPartition, Transaction};
use bellwether_store::{Position, Store};

use super::holding::Holding;
use super::lag::{Lag, outcome_of};
use super::metadata::position_of;
use super::open::number_of;
use super::options::ProcessOptions;
use super::owned::Owned;
use super::patience::Patience;
use super::publish::publish;
use super::quarantine::Damages;
use super::restoring::Restoring;
use super::rule_sets::RuleSets;
use crate::error::LiveError;
use crate::metrics::Metrics;
use crate::pipeline;

/// One worker: one thread, one client, and the partitions that the group has given it.
pub struct Processor {
    client: Box<dyn Client>,
    store: Arc<Store>,
    rule_sets: Arc<RuleSets>,
    options: ProcessOptions,
    /// All that are assigned: those that are open, and those that wait for a restore.
    owned: BTreeSet<u16>,
    partitions: BTreeMap<u16, Owned>,
    /// Assigned, and not opened before a snapshot of theirs is in the store.
    restoring: Restoring,
    damages: Damages,
    holding: Holding,
    /// Whether the group has given it its share of the partitions, which may be none.
    has_share: bool,
    /// Whether it waits for room on the disk.
    is_paused: bool,
    /// Whether there is much to read.
    is_busy: bool,
    /// Partitions in which folding has panicked: it goes back to the store then, which has to be where everything is published.
    written_at_once: BTreeSet<u16>,
    batch: Batch,
    transaction: Transaction,
    patience: Patience,
    metrics: Arc<Metrics>,
    /// What the transaction publishes.
    counts: SignalCounts,
    lag: Lag,
}

/// What is left of a batch, by partition.
type Pending<'a> = BTreeMap<u16, VecDeque<Piece<'a>>>;

/// How a transaction ended.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// It counts: the states that belong to it may be kept.
    Committed,
    /// It does not, or other workers have gone on: what was folded is dropped.
    Dropped,
}

impl Processor {
    /// A worker with nothing assigned yet.
    #[must_use]
    pub fn new(
        client: Box<dyn Client>,
        store: Arc<Store>,
        rule_sets: Arc<RuleSets>,
        options: ProcessOptions,
        metrics: Arc<Metrics>,
    ) -> Self {
        let patience = Patience::new(options.turn.retry_wait, &options.stop);
        let (batch, transaction) = (Batch::default(), Transaction::default());
        Self {
            client,
            store,
            rule_sets,
            options,
            owned: BTreeSet::new(),
            partitions: BTreeMap::new(),
            restoring: Restoring::default(),
            damages: Damages::default(),
            holding: Holding::default(),
            has_share: false,
            is_paused: false,
            is_busy: false,
            written_at_once: BTreeSet::new(),
            batch,
            transaction,
            patience,
            metrics,
            counts: SignalCounts::new(),
            lag: Lag::default(),
        }
    }

    /// Works until `stop` is set. Then everything that is committed is in the store, on the disk.
    ///
    /// # Errors
    ///
    /// When somebody has to act; nothing that was committed is lost.
    pub fn run(&mut self, stop: &AtomicBool) -> Result<(), LiveError> {
        while !stop.load(Ordering::Relaxed) {
            match self.turn() {
                // In the middle of a turn: what is not written is folded again.
                Err(LiveError::Stopped) => return Ok(self.store.flush()?),
                turned => _ = turned?,
            }
        }
        self.write_all()?;
        Ok(self.store.flush()?)
    }

    /// One turn: reads what there is, and brings all of it through the fold. Returns how many records came.
    ///
    /// # Errors
    ///
    /// As [`Self::run`].
    pub fn turn(&mut self) -> Result<usize, LiveError> {
        if self.is_paused && !self.resumes()? {
            return Ok(0);
        }
        let mut batch = std::mem::take(&mut self.batch);
        batch.clear();
        let turn = self.options.turn;
        let held = self.hold();
        let polled = held.and_then(|()| self.client.poll(&mut batch, turn.max_records, turn.max_bytes, turn.commit_interval));
        let read = batch.len();
        self.is_busy = matches!(polled, Ok(Polled::Records)) && read >= self.options.write_behind.busy_records;
        let folded = match polled {
            Ok(Polled::Records) => self.fold(&batch),
            Ok(Polled::Assigned(assigned)) => self.fold(&batch).and_then(|()| self.assigned(&assigned)),
            Ok(Polled::Revoked(revoked)) => self.write_all().and_then(|_| {
                revoked.iter().for_each(|at| self.forget(number_of(at)));
                batch.forget(&revoked);
                self.fold(&batch)
            }),
            Err(error) if error.remedy == Remedy::Retry => self.fold(&batch).and_then(|()| self.patience.wait(&error)),
            Err(error) => Err(error.into()),
        };
        self.batch = batch;
        let worked = folded.and_then(|()| self.open_restored());
        match worked {
            Ok(()) => {
                self.tell_share(!self.is_paused && self.client.has_assignment());
                Ok(read)
            }
            // After a call that failed half-way nobody knows what the client still has: a new one asks for the truth.
            Err(LiveError::Kafka(error)) => {
                self.patience.wait(&error)?;
                self.rebuild()?;
                Ok(read)
            }
            Err(LiveError::Store(error)) if error.is_retriable() => {
                self.pause(&error);
                Ok(read)
            }
            Err(error) => self.drop_damaged(error).map(|()| read),
        }
    }

    /// Reads nothing while somebody has paused it.
    fn hold(&mut self) -> Result<(), KafkaError> {
        let is_paused = self.metrics.readers.is_paused(pipeline::Worker::Process);
        self.holding.follow(is_paused, self.partitions.values().map(|owned| &owned.at), &mut *self.client)
    }

    /// Prefetch, apply, publish, commit, until every partition has folded its part of the batch.
    fn fold(&mut self, batch: &Batch) -> Result<(), LiveError> {
        let mut pending = self.decode(batch);
        // What a partition folds in silence was published long ago.
        let with_news: BTreeSet<u16> =
            self.partitions.iter().filter(|(_, owned)| !owned.worker.is_catching_up()).map(|(number, _)| *number).collect();
        if !self.is_busy && !self.write_all()? {
            return self.reopen();
        }
        while !pending.is_empty() {
            if !self.write_before(&pending)? {
                return self.reopen();
            }
            let folded = match self.prefetch_and_apply(&pending) {
                Err(LiveError::FoldAgain { partition }) => return self.fold_again(partition),
                folded => folded?,
            };
            if self.is_replaced() {
                tracing::warn!("the stored state of a partition was replaced while it was at work: starting it anew");
                return self.rebuild();
            }
            self.publish(&pending, batch);
            if self.commit_to_kafka()? == Outcome::Dropped {
                return Ok(());
            }
            if !self.commit_to_store()? {
                return self.reopen();
            }
            advance(&mut pending, &folded);
        }
        let news = batch.records().filter(|record| with_news.contains(&number_of(record.at)));
        self.metrics.pipeline.processed(news.map(|record| (record.timestamp_ms, arrival_ms(&record))));
        self.lag.tell(batch, &mut *self.client, &self.partitions, &self.store, &self.metrics);
        Ok(())
    }

    /// The batch by partition, without the records of partitions that are not ours any more.
    fn decode<'b>(&self, batch: &'b Batch) -> Pending<'b> {
        let mut by_partition: BTreeMap<u16, Vec<JournalRecord<'b>>> = BTreeMap::new();
        for record in batch.records() {
            by_partition.entry(number_of(record.at)).or_default().push(journal_record(&record));
        }
        by_partition.retain(|number, _| self.partitions.contains_key(number));
        let decode = |records: Vec<JournalRecord<'b>>| {
            let pieces = Pieces::decode(records.into_iter(), &self.options.decoder);
            self.metrics.pipeline.clock_ahead(pieces.clock_ahead);
            pieces
        };
        by_partition.into_iter().map(|(number, records)| (number, decode(records).pieces.into())).collect()
    }

    /// One step of every partition. Returns those that are done with their first piece.
    fn prefetch_and_apply(&mut self, pending: &Pending<'_>) -> Result<Vec<u16>, LiveError> {
        let mut done = Vec::new();
        for (number, pieces) in pending {
            let (Some(owned), Some(piece)) = (self.partitions.get_mut(number), pieces.front()) else { continue };
            if owned.step(piece, &self.store, &self.rule_sets, &self.options)? {
                done.push(*number);
            }
        }
        Ok(done)
    }

    fn publish(&mut self, pending: &Pending<'_>, batch: &Batch) {
        self.transaction.clear();
        self.counts.clear();
        for (number, pieces) in pending {
            if let (Some(owned), Some(piece)) = (self.partitions.get_mut(number), pieces.front()) {
                publish(owned, piece, batch, &self.options, &mut self.transaction, &mut self.counts);
            }
        }
    }

    /// Signals, decisions, dead letters and positions in one transaction. Nothing is to be told while a partition catches up in silence.
    fn commit_to_kafka(&mut self) -> Result<Outcome, LiveError> {
        if self.transaction.is_empty() {
            return Ok(Outcome::Committed);
        }
        let began = Instant::now();
        let committed = self.client.commit(&self.transaction);
        self.metrics.pipeline.transaction(pipeline::Worker::Process, outcome_of(&committed), began.elapsed());
        match committed {
            Ok(()) => {
                self.patience.restore();
                self.metrics.published(&self.counts);
                Ok(Outcome::Committed)
            }
            Err(CommitError::NotCommitted(error)) => {
                tracing::warn!(%error, "a transaction was aborted: what it held is folded again");
                self.patience.wait(&error)?;
                self.reopen()?;
                Ok(Outcome::Dropped)
            }
            Err(CommitError::Lost(error)) => {
                tracing::warn!(%error, "the outcome of a transaction is unknown: asking what is committed");
                self.find_out()
            }
        }
    }

    /// After an unknown outcome: with a new client nobody else can commit in our name, and what is committed is the truth.
    fn find_out(&mut self) -> Result<Outcome, LiveError> {
        self.rebuild_client()?;
        let published = |owned: &Owned| Some((owned.at.clone(), owned.published()?.1));
        let ends: Vec<(TopicPartition, Position)> = self.partitions.values().filter_map(published).collect();
        let asked: Vec<TopicPartition> = ends.iter().map(|(at, _)| at.clone()).collect();
        let committed = loop {
            match self.client.committed(&asked) {
                Ok(committed) => break committed,
                Err(error) => self.patience.wait(&error)?,
            }
        };
        let mut reached = true;
        for ((at, end), committed) in ends.iter().zip(committed) {
            let position = committed.map(|committed| position_of(at, &committed)).transpose()?.map(|found| found.position);
            reached &= position.is_some_and(|position| position >= *end);
        }
        // If the store has gone on without us, another worker has taken over and folded the same.
        let _kept = reached && self.write_all()?;
        // Assignments come anew with the new client, and each partition is opened again then.
        self.forget_all();
        Ok(Outcome::Dropped)
    }

    /// Makes a new client, to which assignments come anew.
    fn rebuild(&mut self) -> Result<(), LiveError> {
        self.forget_all();
        self.rebuild_client()
    }

    /// Which partitions are its own is known from now on, or no longer.
    fn tell_share(&mut self, has_share: bool) {
        if std::mem::replace(&mut self.has_share, has_share) != has_share {
            self.metrics.readers.shared(has_share);
        }
    }

    fn forget_all(&mut self) {
        self.tell_share(false);
        self.owned.clone().into_iter().for_each(|number| self.forget(number));
    }

    /// Only the owner of a partition tells how its customers are.
    fn forget(&mut self, number: u16) {
        self.partitions.remove(&number);
        if self.owned.remove(&number) {
            self.metrics.pipeline.revoked(pipeline::Worker::Process, 1);
        }
        self.metrics.pipeline.journal_gone(number);
        self.restoring.forget(number);
        self.options.safekeeping.gone(number);
        self.metrics.partition_gone(number);
    }

    fn rebuild_client(&mut self) -> Result<(), LiveError> {
        while let Err(error) = self.client.rebuild() {
            self.patience.wait(&error)?;
        }
        Ok(())
    }
}

/// A record of the journal topic, as the fold reads it.
#[must_use]
pub fn journal_record<'b>(record: &Received<'b>) -> JournalRecord<'b> {
    JournalRecord {
        offset: record.offset,
        appended_at: record.timestamp_ms.map(Time),
        watermark: record.header(WATERMARK_HEADER),
        is_control: record.headers().any(|(name, _)| name == CONTROL_HEADER),
        value: record.value,
    }
}

/// When the event of a record arrived, milliseconds since the epoch, as far as it came through an input. Ticks do not arrive.
fn arrival_ms(record: &Received<'_>) -> Option<i64> {
    let arrival = record.header(ARRIVAL_HEADER).filter(|_| record.header(CONTROL_HEADER).is_none());
    std::str::from_utf8(arrival?).ok()?.parse().ok()
}

/// Drops the pieces that are folded.
fn advance(pending: &mut Pending<'_>, folded: &[u16]) {
    for number in folded {
        if let Some(pieces) = pending.get_mut(number) {
            pieces.pop_front();
        }
    }
    pending.retain(|_, pieces| !pieces.is_empty());
}
