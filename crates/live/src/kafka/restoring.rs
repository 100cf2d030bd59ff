//! Partitions that wait for a snapshot before they are opened, while the others go on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use bellwether_codec::state::FOLD_VERSION;
use bellwether_kafka::TopicPartition;
use bellwether_store::{Position, Store};

use super::open::{Opening, number_of};
use super::options::ProcessOptions;
use super::rule_sets::keep_rule_texts;
use super::safekeeping::{Replacing, Snapshots};
use crate::metrics::Metrics;
use crate::snapshot::{Manifest, Restored, SnapshotError, Wanted};
use crate::state_event::StateEvent;

/// Partitions that a worker restores at the same time.
pub(crate) const MAX_RESTORES_AT_ONCE: usize = 2;

/// How often a restore is tried where trying again may help.
const MAX_TRIES: u32 = 5;

/// How long it waits between two tries, times the number of the try.
const WAIT_BETWEEN_TRIES: Duration = Duration::from_secs(2);

/// The partitions of a worker that wait: assigned, and not being read yet.
#[derive(Debug, Default)]
pub(crate) struct Restoring {
    waiting: BTreeMap<u16, Waiting>,
}

#[derive(Debug)]
struct Waiting {
    at: TopicPartition,
    /// Its restore was begun here, so it is opened when that has ended, however it has.
    is_begun: bool,
    /// Its restore has failed, in a way that may be over when it is tried again.
    has_failed: Arc<AtomicBool>,
}

impl Waiting {
    fn new(at: &TopicPartition, is_begun: bool) -> Self {
        Self { at: at.clone(), is_begun, has_failed: Arc::default() }
    }

    /// Whether its restore is to begin anew: without a snapshot it cannot be opened, and somebody may still mend their place, or the disk.
    fn is_tried_again(&self, opening: &Opening) -> bool {
        self.has_failed.load(Ordering::Relaxed) && opening.first > opening.store.offset
    }
}

impl Restoring {
    /// Whether a partition has to wait. If a snapshot is worth the while, its restore begins in a thread of its own.
    pub fn waits(
        &mut self,
        at: &TopicPartition,
        opening: &Opening,
        may_restore: bool,
        store: &Arc<Store>,
        options: &ProcessOptions,
        metrics: &Arc<Metrics>,
    ) -> bool {
        let number = number_of(at);
        if opening.generation.is_none() {
            self.waiting.entry(number).or_insert_with(|| Waiting::new(at, false));
            return true;
        }
        if self.waiting.get(&number).is_some_and(|waiting| waiting.is_begun && !waiting.is_tried_again(opening)) {
            self.waiting.remove(&number);
            return false;
        }
        let is_worth = options.safekeeping.snapshots.as_ref().is_some_and(|snapshots| is_worth(opening, snapshots));
        let is_worth = is_worth || (is_lost(opening) && options.safekeeping.erasures.is_some());
        if !(is_worth && may_restore) {
            self.waiting.remove(&number);
            return false;
        }
        let replacing = if self.running(options) < MAX_RESTORES_AT_ONCE { options.safekeeping.replace(number) } else { None };
        let waiting = Waiting::new(at, replacing.is_some());
        let has_failed = waiting.has_failed.clone();
        self.waiting.insert(number, waiting);
        if let Some(replacing) = replacing {
            begin(at.clone(), *opening, store, options, metrics, (replacing, has_failed));
        }
        true
    }

    /// Those that need not wait any longer, or whose turn it is.
    pub fn ready(&self, options: &ProcessOptions) -> Vec<TopicPartition> {
        let room = self.running(options) < MAX_RESTORES_AT_ONCE;
        let is_ready =
            |(number, waiting): &(&u16, &Waiting)| (waiting.is_begun || room) && options.safekeeping.generation(**number).is_some();
        self.waiting.iter().filter(is_ready).map(|(_, waiting)| waiting.at.clone()).collect()
    }

    /// A partition is somebody else's. What its restore brings stays in the store, for it may come back.
    pub fn forget(&mut self, number: u16) {
        self.waiting.remove(&number);
    }

    fn running(&self, options: &ProcessOptions) -> usize {
        let runs = |(number, waiting): &(&u16, &Waiting)| waiting.is_begun && options.safekeeping.generation(**number).is_none();
        self.waiting.iter().filter(runs).count()
    }
}

/// Whether nothing is left of a state.
fn is_lost(opening: &Opening) -> bool {
    opening.store == Position::default() && opening.store < opening.committed
}

/// Whether a partition is so far behind that a snapshot may save time, or cannot be folded from where it stands.
fn is_worth(opening: &Opening, snapshots: &Snapshots) -> bool {
    let Opening { store, committed, first, .. } = *opening;
    let is_lost = store == Position::default() || first > store.offset;
    store < committed && (is_lost || committed.offset - store.offset > snapshots.max_records_behind)
}

fn begin(
    at: TopicPartition,
    opening: Opening,
    store: &Arc<Store>,
    options: &ProcessOptions,
    metrics: &Arc<Metrics>,
    (replacing, has_failed): (Replacing, Arc<AtomicBool>),
) {
    let (number, store, options, metrics) = (number_of(&at), store.clone(), options.clone(), metrics.clone());
    let restore = move || {
        // However the restore ends, a panic included, the partition may be opened then.
        let _replacing = replacing;
        if let Some(snapshots) = &options.safekeeping.snapshots {
            let ended = restore(number, opening, &store, snapshots, &options.created.journal, &metrics);
            has_failed.store(ended.is_err_and(|error| error.is_retriable()), Ordering::Relaxed);
        }
        if is_lost(&opening) {
            read_erasures(&at, &opening, &store, &options);
        }
    };
    if let Err(error) = thread::Builder::new().name(format!("restore-{number}")).spawn(restore) {
        tracing::warn!(partition = number, %error, "no thread for a restore: folding from where the state stands");
    }
}

/// Brings a partition forward to its best snapshot. If that cannot be had, it stays as it is.
fn restore(
    number: u16,
    opening: Opening,
    store: &Store,
    snapshots: &Snapshots,
    journal_id: &str,
    metrics: &Metrics,
) -> Result<(), SnapshotError> {
    let wanted = Wanted {
        journal_id,
        partition: number,
        fold_version: FOLD_VERSION,
        at_least: just_after(opening.store),
        at_most: opening.committed,
    };
    let progress = metrics.pipeline.restores.begin(number);
    let restored = patiently(number, || {
        let prepare = |manifest: &_| keep_rule_texts(manifest, store);
        let fetched = |manifest: &Manifest, bytes| progress.fetched(bytes, manifest.bytes);
        snapshots.repository.restore_best_after(store, wanted, &snapshots.scratch, &prepare, &fetched)
    });
    drop(progress);
    match restored {
        Ok(Restored { used, damaged }) => {
            for damaged in damaged {
                tracing::warn!(partition = number, %damaged, "a snapshot was passed over");
            }
            match used {
                Some(manifest) => {
                    metrics.state_event(StateEvent::Restored);
                    tracing::info!(partition = number, position = %manifest.position, bytes = manifest.bytes, "restored from a snapshot");
                }
                None => tracing::info!(partition = number, from = %opening.store, "no snapshot is of use: folding from here"),
            }
            Ok(())
        }
        Err(error) => {
            metrics.state_event(StateEvent::RestoreFailed);
            let (from, first) = (opening.store, opening.first);
            tracing::error!(partition = number, %error, %from, first, "a restore failed: folding from where the state stands if the journal has it");
            Err(error)
        }
    }
}

/// Finds who is erased between where the state stands now and what is committed: their records before are blanks when it is made anew.
fn read_erasures(at: &TopicPartition, opening: &Opening, store: &Store, options: &ProcessOptions) {
    let (number, Some(reader)) = (number_of(at), &options.safekeeping.erasures) else { return };
    let stands = store.header(number).ok().flatten().map_or(opening.first, |header| header.position.offset.max(opening.first));
    match reader.read(at, stands..opening.committed.offset) {
        Ok(erased) => {
            tracing::info!(partition = number, customers = erased.len(), "read who is erased before the state is made anew");
            options.safekeeping.keep_erased(number, erased);
        }
        // What comes of it is the same: they are folded once more, and erased again.
        Err(error) => tracing::warn!(partition = number, %error, "who is erased could not be read before the state is made anew"),
    }
}

fn patiently(number: u16, mut restore: impl FnMut() -> Result<Restored, SnapshotError>) -> Result<Restored, SnapshotError> {
    for tries in 1.. {
        match restore() {
            Err(error) if error.is_retriable() && tries < MAX_TRIES => {
                tracing::warn!(partition = number, %error, tries, "a restore is tried again");
                thread::sleep(WAIT_BETWEEN_TRIES * tries);
            }
            ended => return ended,
        }
    }
    unreachable!("the last try ends it")
}

/// The next position there could be.
fn just_after(position: Position) -> Position {
    match position.customer.checked_add(1) {
        Some(customer) => Position { customer, ..position },
        None => Position { customer: 0, review_due: position.review_due.saturating_add(1), ..position },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_go_on() {
        let at = |offset, review_due, customer| Position { offset, review_due, customer };
        assert_eq!(just_after(at(7, 0, 0)), at(7, 0, 1));
        assert_eq!(just_after(at(7, 5, u128::MAX)), at(7, 6, 0));
    }
}
