//! Taking snapshots of the partitions at work, in a thread of its own, beside the workers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use bellwether_codec::state::FOLD_VERSION;
use bellwether_engine::time::Time;
use bellwether_store::{Position, Store};

use super::options::Clock;
use super::rule_sets::rule_texts;
use super::safekeeping::{Safekeeping, Snapshots};
use crate::metrics::Metrics;
use crate::snapshot::{STRAY_AGE_MS, SnapshotError, TakeOptions, Taken, Wanted};
use crate::state_event::StateEvent;

/// After every position.
const END: Position = Position { offset: u64::MAX, review_due: i64::MAX, customer: u128::MAX };

/// Stands for the time of the newest snapshot where there is none, or none that can be found.
const NEVER: Time = Time(0);

/// How soon it is tried again after a failure, at the latest.
const RETRY_MS: i64 = 60_000;

/// How often it looks whether something is to be done.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// Takes snapshots. Whatever fails is told and tried again; no worker waits for it.
pub struct Copier {
    store: Arc<Store>,
    safekeeping: Arc<Safekeeping>,
    journal_id: String,
    metrics: Arc<Metrics>,
    /// What is known of each partition at work.
    known: BTreeMap<u16, Known>,
}

/// What is known of the snapshots of a partition.
#[derive(Clone, Copy)]
struct Known {
    /// When the next one is due.
    due: Time,
    /// When the newest one was taken, or last found to hold all there is.
    newest: Time,
}

impl Copier {
    /// One that has not looked yet.
    #[must_use]
    pub fn new(store: Arc<Store>, safekeeping: Arc<Safekeeping>, journal_id: String, metrics: Arc<Metrics>) -> Self {
        Self { store, safekeeping, journal_id, metrics, known: BTreeMap::new() }
    }

    /// Works until `stop` is set.
    pub fn run(&mut self, clock: &Clock, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            self.round(clock(), stop);
            thread::sleep(LOOK_INTERVAL);
        }
    }

    /// Takes what is due at this time, and then removes what is too many. Partitions that catch up, or are somebody else's, are left out.
    pub fn round(&mut self, now: Time, stop: &AtomicBool) {
        let safekeeping = self.safekeeping.clone();
        let Some(snapshots) = &safekeeping.snapshots else { return };
        let at_work = safekeeping.settled_partitions();
        self.known.retain(|number, _| at_work.contains(number));
        let every_ms = i64::try_from(snapshots.every.as_millis()).unwrap_or(i64::MAX);
        let mut taken = 0;
        for number in at_work.iter().copied().take_while(|_| !stop.load(Ordering::Relaxed)) {
            let before = self.known.get(&number).copied();
            let done = match before {
                Some(known) if known.due > now => {
                    // A partition that went and came back in between is told again.
                    self.metrics.snapshot_stands(number, known.newest);
                    continue;
                }
                Some(_) => self.take(number, snapshots, now).inspect(|is_new| taken += usize::from(*is_new)).map(|_| Some(now)),
                None => self.newest(number, snapshots),
            };
            let newest_before = before.map_or(NEVER, |known| known.newest);
            let known = match done {
                Ok(Some(newest)) => Known { due: newest.plus_ms(every_ms), newest },
                Ok(None) => Known { due: now, newest: NEVER },
                Err(error) => {
                    self.failed(&error);
                    Known { due: now.plus_ms(every_ms.min(RETRY_MS)), newest: newest_before }
                }
            };
            self.known.insert(number, known);
            self.metrics.snapshot_stands(number, known.newest);
        }
        if taken > 0
            && let Err(error) = snapshots.repository.prune(&self.journal_id, snapshots.keep, now.plus_ms(-STRAY_AGE_MS))
        {
            self.failed(&error);
        }
    }

    /// When the newest snapshot was taken, by whomever.
    fn newest(&self, partition: u16, snapshots: &Snapshots) -> Result<Option<Time>, SnapshotError> {
        let journal_id = &self.journal_id;
        let any = Wanted { journal_id, partition, fold_version: FOLD_VERSION, at_least: Position::default(), at_most: END };
        Ok(snapshots.repository.best(any)?.map(|newest| newest.created_at))
    }

    /// Returns whether there is a new one.
    fn take(&self, partition: u16, snapshots: &Snapshots, now: Time) -> Result<bool, SnapshotError> {
        let options = TakeOptions {
            journal_id: &self.journal_id,
            scratch: &snapshots.scratch,
            created_at: now,
            attachment: &|rule_set| rule_texts(rule_set, &self.store),
        };
        let taken = snapshots.repository.take(&self.store, partition, &options)?;
        let Taken::New(manifest) = taken else { return Ok(false) };
        self.metrics.state_event(StateEvent::SnapshotTaken);
        tracing::info!(partition, position = %manifest.position, bytes = manifest.bytes, "a snapshot was taken");
        Ok(true)
    }

    fn failed(&self, error: &SnapshotError) {
        self.metrics.state_event(StateEvent::SnapshotFailed);
        tracing::warn!(%error, "a snapshot could not be taken: the work goes on, and it is tried again");
    }
}
