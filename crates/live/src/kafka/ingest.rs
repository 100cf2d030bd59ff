//! An ingest worker: brings records of the input topics into the journal, in one transaction with their offsets. Read [`Ingest::turn`] first.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bellwether_engine::time::Time;
use bellwether_kafka::{Batch, Client, CommitError, KafkaError, Polled, Remedy, TopicPartition, Transaction};

use super::breaker::Breaker;
use super::holding::Holding;
use super::lag::{TELL_INTERVAL, outcome_of};
use super::metadata::of_journaled;
use super::options::IngestOptions;
use super::patience::Patience;
use super::silences::Silences;
use super::starts::{Start, journaled_in, starts};
use super::take_in::{Taken, TakenIn, take_in};
use super::ticks::Ticks;
use super::waiting::{Left, Waiting};
use super::watermark::{Journaled, Watermarks};
use crate::error::LiveError;
use crate::metrics::Metrics;
use crate::pipeline;

/// While records wait, the others are asked in so many turns how far they are by now; later only as often as always, for it may take days.
const EAGER_TURNS: u32 = 50;

/// One worker: one thread, one client, and the input partitions that the group has given it.
pub struct Ingest {
    client: Box<dyn Client>,
    options: IngestOptions,
    metrics: Arc<Metrics>,
    watermarks: Watermarks,
    /// The next offset of each partition of this worker that is not journaled yet.
    next_offsets: BTreeMap<TopicPartition, u64>,
    /// Those of them of which the group knows an offset.
    committed: BTreeSet<TopicPartition>,
    breakers: Vec<Breaker>,
    ticks: Ticks,
    silences: Silences,
    /// When it last told how far time is.
    told_at: Time,
    lag_told_at: Option<Instant>,
    waiting: Waiting,
    holding: Holding,
    /// Turns since anything of what waits was journaled.
    turns_in_vain: u32,
    transaction: Transaction,
    patience: Patience,
}

impl Ingest {
    /// A worker with nothing assigned yet.
    #[must_use]
    pub fn new(client: Box<dyn Client>, options: IngestOptions, metrics: Arc<Metrics>) -> Self {
        let patience = Patience::new(options.turn.retry_wait, &options.stop);
        let breakers = vec![Breaker::new(options.breaker); options.sources.len()];
        let ticks = Ticks::new(options.journal_partitions, options.tick_interval, (options.clock)());
        // A rate needs a beginning: what a source delivers first is an increase, too.
        options.sources.names().for_each(|source| {
            metrics.pipeline.delivered(source, 0, 0);
            metrics.pipeline.arrived_ahead(source, 0);
            metrics.pipeline.breaker(source, false);
        });
        Self {
            client,
            options,
            metrics,
            watermarks: Watermarks::default(),
            next_offsets: BTreeMap::new(),
            committed: BTreeSet::new(),
            breakers,
            ticks,
            silences: Silences::default(),
            told_at: Time::MIN,
            lag_told_at: None,
            waiting: Waiting::default(),
            holding: Holding::default(),
            turns_in_vain: 0,
            transaction: Transaction::default(),
            patience,
        }
    }

    /// Works until `stop` is set.
    ///
    /// # Errors
    ///
    /// When somebody has to act; nothing that was committed is lost.
    pub fn run(&mut self, stop: &AtomicBool) -> Result<(), LiveError> {
        while !stop.load(Ordering::Relaxed) {
            match self.turn() {
                Err(LiveError::Stopped) => break,
                turned => _ = turned?,
            }
        }
        Ok(())
    }

    /// One turn: reads what there is, and journals it. Returns how many records came.
    ///
    /// # Errors
    ///
    /// As [`Self::run`].
    pub fn turn(&mut self) -> Result<usize, LiveError> {
        let mut waiting = std::mem::take(&mut self.waiting);
        let held = self.hold(&waiting);
        let (polled, read) = waiting.read(&mut *self.client, self.options.turn);
        let polled = held.and(polled);
        let batch = &waiting.batch;
        let outcome = match polled {
            Ok(Polled::Records) => self.journal(batch),
            Ok(Polled::Assigned(assigned)) => self.journal(batch).and_then(|left| self.assigned(&assigned).map(|()| left)),
            Ok(Polled::Revoked(revoked)) => {
                self.revoked(&revoked);
                self.journal(batch)
            }
            Err(error) if error.remedy == Remedy::Retry => self.journal(batch).and_then(|left| self.patience.wait(&error).map(|()| left)),
            Err(error) => Err(error.into()),
        };
        let outcome = outcome.and_then(|left| self.keep(&mut waiting, left));
        self.waiting = waiting;
        match outcome {
            Err(LiveError::Kafka(error)) => {
                self.patience.wait(&error)?;
                self.rebuild().map(|()| read)
            }
            outcome => outcome.map(|()| read),
        }
    }

    /// Reads nothing while somebody has paused it.
    fn hold(&mut self, waiting: &Waiting) -> Result<(), KafkaError> {
        let reading = self.next_offsets.keys().filter(|at| !waiting.is_paused(at));
        self.holding.follow(self.is_paused(), reading, &mut *self.client)
    }

    fn is_paused(&self) -> bool {
        self.metrics.readers.is_paused(pipeline::Worker::Ingest)
    }

    /// Keeps what was read and is ahead. What a stopped source brings is left in its topic.
    fn keep(&mut self, waiting: &mut Waiting, left: Left) -> Result<(), LiveError> {
        let is_left = |at: &TopicPartition, offset: u64| {
            self.next_offsets.get(at).is_some_and(|next_offset| offset >= *next_offset) && !self.is_stopped(at)
        };
        waiting.keep(left, is_left);
        let before = std::mem::replace(&mut waiting.told, waiting.batch.len());
        self.metrics.pipeline.waiting(waiting.told as i64 - before as i64);
        Ok(waiting.pace(&mut *self.client, self.options.turn)?)
    }

    fn is_stopped(&self, at: &TopicPartition) -> bool {
        self.options.sources.index_of(&at.topic).is_none_or(|source| self.breakers[source].is_open())
    }

    /// Journals a batch unless somebody has paused it. Returns what is left of the batch.
    fn journal(&mut self, batch: &Batch) -> Result<Left, LiveError> {
        if self.is_paused() {
            // Time stands still too: nobody is told how far this worker is.
            self.tell_lag();
            return Ok(Left::Ahead { is_moving: false });
        }
        let breakers = self.breakers.clone();
        let committed = self.journal_and_commit(batch);
        // What was not committed is read again, and is not to count twice.
        if !matches!(committed, Ok(Some(_))) {
            self.breakers = breakers;
        }
        committed.map(|left| left.unwrap_or(Left::Nothing))
    }

    /// Decode, stamp, publish, commit; and from time to time tell how far time is. Returns what is left of the batch; nothing if it was aborted.
    fn journal_and_commit(&mut self, batch: &Batch) -> Result<Option<Left>, LiveError> {
        self.transaction.clear();
        let now = (self.options.clock)();
        self.forget_the_future(now);
        let watermark = self.watermarks.smallest();
        self.silences.begin();
        self.silences.put(&self.watermarks, &self.options, &mut self.transaction);
        let mut taken = take_in(batch, now, &self.watermarks, &self.options, &mut self.breakers, &mut self.transaction);
        self.ticks.note(&taken.written, watermark, now);
        self.tell_heads(&mut taken);
        let is_behind = !taken.waiting.is_empty();
        let is_moving = is_behind && !taken.partitions.is_empty();
        let left = if is_behind { Left::Ahead { is_moving } } else { Left::Nothing };
        self.turns_in_vain = if is_behind && !is_moving { self.turns_in_vain.saturating_add(1) } else { 0 };
        if is_behind && self.turns_in_vain < EAGER_TURNS || now.since_ms(self.told_at) >= milliseconds(self.options.watermark_interval) {
            self.pass_time(now, &mut taken)?;
        }
        for (at, Taken { next_offset, journaled }) in &taken.partitions {
            let so_far = self.watermarks.of(at).map_or(Time::MIN, |known| known.until);
            let journaled = Journaled { until: so_far.max(journaled.until), arrivals: journaled.arrivals.clone() };
            self.transaction.commit_offset(at.clone(), of_journaled(*next_offset, journaled, &self.options.journal));
        }
        self.silences.put(&self.watermarks, &self.options, &mut self.transaction);
        if self.options.ticks {
            self.ticks.put(self.watermarks.smallest(), now, &self.options.topics.journal, &mut self.transaction);
        }
        let is_committed = self.transaction.is_empty() || self.commit(taken)?;
        Ok(is_committed.then_some(left))
    }

    /// A clock that was ahead and is set right, ours or that of another that ingests, does not stop time until the present has caught up.
    fn forget_the_future(&mut self, now: Time) {
        self.watermarks.not_after(now);
        self.ticks.not_after(now);
        self.told_at = self.told_at.min(now);
    }

    /// Nothing arrived before the first record that waits: so far its partition is known to the others, who may be waiting for it.
    fn tell_heads(&mut self, taken: &mut TakenIn) {
        for (at, arrival) in &taken.waiting {
            if let Some(of_partition) = taken.partitions.get_mut(at) {
                of_partition.journaled.until = of_partition.journaled.until.max(*arrival);
            } else if let (Some(next_offset), Some(known)) = (self.next_offsets.get(at), self.watermarks.of(at))
                && known.until < *arrival
            {
                let journaled = Journaled { until: *arrival, arrivals: known.arrivals.clone() };
                taken.partitions.insert(at.clone(), Taken { next_offset: *next_offset, journaled });
            }
        }
    }

    /// Returns false if nothing of the transaction counts, and what it held is read again.
    fn commit(&mut self, taken: TakenIn) -> Result<bool, LiveError> {
        let began = Instant::now();
        let committed = self.client.commit(&self.transaction);
        self.metrics.pipeline.transaction(pipeline::Worker::Ingest, outcome_of(&committed), began.elapsed());
        match committed {
            Ok(()) => {
                self.patience.restore();
                taken.counts.tell(&self.metrics, &self.options.sources);
                self.silences.confirm();
                for (at, Taken { next_offset, journaled }) in taken.partitions {
                    self.watermarks.journaled(&at, journaled);
                    self.next_offsets.insert(at.clone(), next_offset);
                    self.committed.insert(at);
                }
                Ok(true)
            }
            Err(CommitError::NotCommitted(error)) => {
                tracing::warn!(%error, "a transaction was aborted: what it held is taken in again");
                self.patience.wait(&error)?;
                let starts: Vec<_> = self.next_offsets.iter().map(|(at, offset)| (at.clone(), *offset)).collect();
                self.client.seek(&starts)?;
                Ok(false)
            }
            // What is committed tells where to go on; it is asked when partitions are assigned anew.
            Err(CommitError::Lost(error)) => Err(error.into()),
        }
    }

    /// Partitions that are read to their end are journaled up to now; what others have journaled is asked.
    fn pass_time(&mut self, now: Time, taken: &mut TakenIn) -> Result<(), LiveError> {
        let is_idle =
            |at: &&TopicPartition| !taken.partitions.contains_key(*at) && !taken.waiting.contains_key(*at) && !self.is_stopped(at);
        let idle: Vec<TopicPartition> = self.next_offsets.keys().filter(is_idle).cloned().collect();
        for (at, end) in self.client.at_end(&idle)? {
            if let Some(known) = self.watermarks.of(&at) {
                let journaled = Journaled { until: now, arrivals: known.arrivals.clone() };
                // Marks of transactions may lie behind the last record. Once retention has taken both, nothing is missing of what was to be read.
                taken.partitions.insert(at, Taken { next_offset: end, journaled });
            }
        }
        let all = self.client.subscribed_partitions()?;
        let committed = self.client.committed(&all)?;
        let mut known = Vec::with_capacity(all.len());
        for (at, committed) in all.into_iter().zip(committed) {
            if committed.is_none() && self.committed.contains(&at) {
                return Err(made_anew(&at).into());
            }
            let journaled = committed.map_or(Ok(Journaled::default()), |committed| journaled_in(&self.options, &at, &committed))?;
            known.push((at, journaled));
        }
        self.watermarks.committed(known.into_iter());
        self.watermarks.not_after(now);
        self.told_at = now;
        self.tell_lag();
        Ok(())
    }

    /// From time to time tells the metrics how far each input is journaled, and which sources are stopped.
    fn tell_lag(&mut self) {
        if self.lag_told_at.is_some_and(|told_at| told_at.elapsed() < TELL_INTERVAL) {
            return;
        }
        self.lag_told_at = Some(Instant::now());
        let pipeline = &self.metrics.pipeline;
        pipeline.watermark(self.watermarks.smallest().0);
        pipeline.clients(&self.client.statistics());
        for (at, next_offset) in &self.next_offsets {
            // A broker that does not answer is noticed where it matters more.
            let Ok((_, end)) = self.client.bounds(at) else { break };
            let until = self.watermarks.of(at).map_or(Time::MIN, |journaled| journaled.until);
            pipeline.input_lag(at, end.saturating_sub(*next_offset), until.0);
        }
        // It stays open until the process starts again, and those of other workers of this process are told in the same place.
        for (index, _) in self.breakers.iter().enumerate().filter(|(_, breaker)| breaker.is_open()) {
            pipeline.breaker(&self.options.sources.get(index).name, true);
        }
    }

    fn assigned(&mut self, partitions: &[TopicPartition]) -> Result<(), LiveError> {
        let mut assigned = Vec::with_capacity(partitions.len());
        for Start { at, offset, journaled, is_committed } in starts(&mut *self.client, &self.options, partitions)? {
            self.watermarks.assigned(at.clone(), journaled);
            self.next_offsets.insert(at.clone(), offset);
            if is_committed {
                self.committed.insert(at.clone());
            }
            assigned.push((at, offset));
        }
        self.client.assign(&assigned)?;
        self.metrics.pipeline.assigned(pipeline::Worker::Ingest, assigned.len());
        Ok(())
    }

    fn revoked(&mut self, partitions: &[TopicPartition]) {
        for at in partitions {
            self.watermarks.revoked(at);
            self.committed.remove(at);
            if self.next_offsets.remove(at).is_some() {
                self.metrics.pipeline.revoked(pipeline::Worker::Ingest, 1);
            }
            self.metrics.pipeline.input_gone(at);
        }
    }

    fn rebuild(&mut self) -> Result<(), LiveError> {
        let all: Vec<TopicPartition> = self.next_offsets.keys().cloned().collect();
        self.revoked(&all);
        self.metrics.pipeline.waiting(-(self.waiting.told as i64));
        self.waiting = Waiting::default();
        while let Err(error) = self.client.rebuild() {
            self.patience.wait(&error)?;
        }
        Ok(())
    }
}

/// An offset that the group had is gone. A broker forgets those of a topic that is deleted, and nobody else can take one from a group that is at work.
/// Reading would go on where the old topic was left, and miss what lies before that in a new one of its name.
fn made_anew(at: &TopicPartition) -> KafkaError {
    KafkaError::new(
        Remedy::Rebuild,
        format!("reading on in {at}"),
        "its topic was deleted: if there is another one of this name, all of it is new",
    )
}

fn milliseconds(interval: Duration) -> i64 {
    i64::try_from(interval.as_millis()).unwrap_or(i64::MAX)
}
