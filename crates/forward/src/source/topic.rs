//! The topic of signals, read in a consumer group of the route's own; offsets are committed when everything before them is settled.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bellwether_kafka::{
    Batch, BrokerClient, Client as _, CommitError, CommittedOffset, KafkaError, Polled, Remedy, TopicPartition, Transaction,
};

use super::{Body, Item, Lag, Turn};
use crate::config::Start;
use crate::error::ForwardError;
use crate::lanes::Stop;
use crate::notice::{Place, structured};
use crate::tracker::Tracker;

/// Bytes of one poll at most.
const MAX_BYTES: usize = 8 << 20;

/// The wait after Kafka did not do what it was asked to.
const TROUBLE: Duration = Duration::from_secs(1);

/// The member of a group at work.
pub(crate) struct TopicSource {
    client: BrokerClient,
    start: Start,
    stop: Stop,
    assigned: Vec<TopicPartition>,
    /// The number of each partition's assignment; signals on their way carry it.
    generations: BTreeMap<i32, u64>,
    assignments: u64,
    is_paused: bool,
    must_rebuild: bool,
    /// When the record that was read last was appended, by partition.
    last_read_ms: BTreeMap<i32, i64>,
    batch: Batch,
}

impl TopicSource {
    pub fn new(client: BrokerClient, start: Start, stop: Stop) -> Self {
        Self {
            client,
            start,
            stop,
            assigned: Vec::new(),
            generations: BTreeMap::new(),
            assignments: 0,
            is_paused: false,
            must_rebuild: false,
            last_read_ms: BTreeMap::new(),
            batch: Batch::default(),
        }
    }

    pub fn read(&mut self, room: usize, wait: Duration, tracker: &mut Tracker) -> Result<Turn, ForwardError> {
        match self.try_read(room, wait, tracker) {
            Ok(turn) => Ok(turn),
            Err(error) => {
                self.mend(error)?;
                Ok(Turn::default())
            }
        }
    }

    fn try_read(&mut self, room: usize, wait: Duration, tracker: &mut Tracker) -> Result<Turn, KafkaError> {
        if self.must_rebuild {
            // Nothing is assigned afterwards: signals on their way come again.
            self.assigned.drain(..).for_each(|at| tracker.forget(at.partition));
            self.is_paused = false;
            self.client.rebuild()?;
            self.must_rebuild = false;
        }
        // A member that does not poll is given up, so it polls also where there is no room: then without reading.
        if (room == 0) != self.is_paused {
            if room == 0 {
                self.client.pause(&self.assigned)?
            } else {
                self.client.resume(&self.assigned)?
            }
            self.is_paused = room == 0;
        }
        self.batch.clear();
        let polled = self.client.poll(&mut self.batch, room.max(1), MAX_BYTES, wait)?;
        let mut turn = Turn::default();
        for record in self.batch.records() {
            let partition = record.at.partition;
            let generation = self.generations.get(&partition).copied().unwrap_or_default();
            let place = Place { partition, offset: record.offset, next: record.offset + 1, generation, appended_ms: record.timestamp_ms };
            if let Some(appended_ms) = record.timestamp_ms {
                self.last_read_ms.insert(partition, appended_ms);
            }
            let body = match (structured(&record), record.value) {
                (Some(body), _) => Body::Signal(body),
                (None, None) => Body::Nothing,
                (None, Some(value)) => Body::Unreadable(value.to_vec()),
            };
            turn.items.push(Item { place, body });
        }
        match polled {
            Polled::Records => {
                let is_quiet = turn.items.is_empty() && room > 0 && !self.assigned.is_empty();
                turn.is_at_end = is_quiet && self.client.at_end(&self.assigned)?.len() == self.assigned.len();
            }
            // Whoever does not answer an assignment gets no other: so a failure is one of the client.
            Polled::Assigned(partitions) => self.assign(partitions, tracker).map_err(|error| match error.remedy {
                Remedy::Retry => KafkaError { remedy: Remedy::Rebuild, ..error },
                _ => error,
            })?,
            Polled::Revoked(partitions) => {
                self.assigned.retain(|at| !partitions.contains(at));
                partitions.iter().for_each(|at| tracker.forget(at.partition));
            }
        }
        Ok(turn)
    }

    fn assign(&mut self, partitions: Vec<TopicPartition>, tracker: &mut Tracker) -> Result<(), KafkaError> {
        let committed = self.client.committed(&partitions)?;
        let mut starts = Vec::new();
        for (at, committed) in partitions.into_iter().zip(committed) {
            let (first, end) = self.client.bounds(&at)?;
            let start = match (&committed, self.start) {
                (Some(committed), _) => committed.offset,
                (None, Start::Beginning) => first,
                (None, Start::End) => end,
            };
            if start < first {
                tracing::error!(partition = %at, from = start, to = first, "signals were deleted by the topic's retention before they were forwarded");
            }
            starts.push((at, start.max(first), committed.is_some()));
        }
        let offsets: Vec<_> = starts.iter().map(|(at, start, _)| (at.clone(), *start)).collect();
        self.client.assign(&offsets)?;
        self.assignments += 1;
        for (at, start, is_kept) in starts {
            self.generations.insert(at.partition, self.assignments);
            tracker.begin(at.partition, start, self.assignments, is_kept);
            self.assigned.push(at);
        }
        // What comes while there is no room is not paused yet.
        self.is_paused = false;
        Ok(())
    }

    /// While nothing is on its way and there is more to read, the age is that of what was read last.
    pub fn lag(&mut self, tracker: &Tracker, oldest_ms: Option<i64>) -> Option<Lag> {
        if self.must_rebuild {
            return None;
        }
        // The mark of a transaction may stand at the end, and is nothing to wait for.
        let at_end = self.client.at_end(&self.assigned).ok()?;
        let (mut lag, mut since_ms) = (Lag::default(), oldest_ms);
        for at in &self.assigned {
            let (settled, is_all_read) = tracker.settled_to(at.partition)?;
            if is_all_read && at_end.iter().any(|(ended, _)| ended == at) {
                lag.records.insert(at.partition, 0);
                continue;
            }
            let (_, end) = self.client.bounds(at).ok()?;
            lag.records.insert(at.partition, end.saturating_sub(settled));
            if is_all_read {
                since_ms = since_ms.into_iter().chain(self.last_read_ms.get(&at.partition).copied()).min();
            }
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let since = since_ms.and_then(|since_ms| u64::try_from(since_ms).ok()).map(Duration::from_millis);
        lag.age = since.map_or(Duration::ZERO, |since| now.saturating_sub(since));
        Some(lag)
    }

    pub fn keep(&mut self, positions: &[(i32, u64)]) -> Result<bool, ForwardError> {
        let mut transaction = Transaction::default();
        for (partition, offset) in positions {
            let Some(at) = self.assigned.iter().find(|at| at.partition == *partition) else { continue };
            transaction.commit_offset(at.clone(), CommittedOffset { offset: *offset, metadata: String::new() });
        }
        if self.must_rebuild || transaction.is_empty() {
            return Ok(false);
        }
        match self.client.commit(&transaction) {
            Ok(()) => Ok(true),
            Err(CommitError::NotCommitted(error)) => self.mend(error).map(|()| false),
            Err(CommitError::Lost(error)) => self.mend(KafkaError { remedy: Remedy::Rebuild, ..error }).map(|()| false),
        }
    }

    /// Waits and remembers what is to be done; an error where only a person helps.
    fn mend(&mut self, error: KafkaError) -> Result<(), ForwardError> {
        match error.remedy {
            Remedy::Stop | Remedy::Leave => return Err(error.into()),
            Remedy::Rebuild => self.must_rebuild = true,
            Remedy::Retry => {}
        }
        tracing::warn!(%error, "Kafka does not do what it is asked to");
        self.stop.sleep(TROUBLE);
        Ok(())
    }
}
