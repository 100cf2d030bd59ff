//! What readers beside the loops may see: the committed states of the partitions that this process owns and that are where everything is published.
//!
//! A reader goes to the store itself, so it sees whole commits and the loops never wait for it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bellwether_engine::rule_set::RuleSet;
use bellwether_store::Store;

use crate::kafka::Owner;
use crate::pipeline::Worker;

/// What the loops tell and readers ask. Both take a moment only.
#[derive(Default)]
pub struct Readers {
    open: Mutex<Option<Open>>,
    is_stateless: AtomicBool,
    /// By worker.
    paused: [AtomicBool; 2],
}

struct Open {
    store: Arc<Store>,
    journal_partitions: u16,
    /// Workers that the group has not given their share, which may be nothing.
    workers_without_share: usize,
    /// The partitions of this process; those with rules may be read.
    owned: BTreeMap<u16, Option<Arc<RuleSet>>>,
    owners: BTreeMap<u16, Owner>,
    instance: Option<String>,
}

/// The committed states as of now, to be read and let go of soon: the end of a run waits for it.
#[derive(Clone)]
pub struct Committed {
    /// The store.
    pub store: Arc<Store>,
    /// The number of partitions of the journal, here or elsewhere.
    pub journal_partitions: u16,
    /// The partitions of this process, with the rules in force in those that may be read. Others are not ready yet.
    pub owned: BTreeMap<u16, Option<Arc<RuleSet>>>,
    /// Who has committed last for each partition, as far as is known: for those of other instances, its owner but for a moment after it moved.
    pub owners: BTreeMap<u16, Owner>,
    /// The name of this instance, where it matters.
    instance: Option<String>,
}

impl Committed {
    /// Whether an owner is this very instance.
    #[must_use]
    pub fn is_own(&self, owner: &Owner) -> bool {
        self.instance.as_ref() == Some(&owner.instance)
    }

    /// The partitions that may be read, with their rules.
    pub fn readable(&self) -> impl Iterator<Item = (u16, &Arc<RuleSet>)> {
        self.owned.iter().filter_map(|(number, rules)| Some((*number, rules.as_ref()?)))
    }
}

impl Readers {
    /// A store is open, of a journal with so many partitions. So many workers wait for a group to give them their share of these.
    pub fn opened(&self, store: &Arc<Store>, journal_partitions: u16, workers: usize) {
        let (store, owned, owners) = (store.clone(), BTreeMap::new(), BTreeMap::new());
        *self.lock() = Some(Open { store, journal_partitions, workers_without_share: workers, owned, owners, instance: None });
    }

    /// A worker was given its share of the partitions, or waits for another one.
    pub(crate) fn shared(&self, is_given: bool) {
        if let Some(open) = &mut *self.lock() {
            let waiting = open.workers_without_share;
            open.workers_without_share = if is_given { waiting.saturating_sub(1) } else { waiting.saturating_add(1) };
        }
    }

    /// This process keeps no states: it only brings events into the journal.
    pub fn stateless(&self) {
        self.is_stateless.store(true, Ordering::Relaxed);
    }

    /// The store is about to be closed: nobody may begin to read.
    pub fn closed(&self) {
        *self.lock() = None;
    }

    /// Who owns the partitions, here and elsewhere, as this instance knows.
    pub(crate) fn owners(&self, owners: BTreeMap<u16, Owner>, instance: &str) {
        if let Some(open) = &mut *self.lock() {
            open.owners = owners;
            open.instance = Some(instance.to_owned());
        }
    }

    /// A partition came to this process, and is not to be read yet.
    pub fn assigned(&self, partition: u16) {
        if let Some(open) = &mut *self.lock() {
            open.owned.entry(partition).or_default();
        }
    }

    /// A partition is where everything is published, under these rules.
    pub fn settled(&self, partition: u16, rules: &Arc<RuleSet>) {
        if let Some(open) = &mut *self.lock() {
            open.owned.insert(partition, Some(rules.clone()));
        }
    }

    /// A partition is no longer this process's.
    pub fn gone(&self, partition: u16) {
        if let Some(open) = &mut *self.lock() {
            open.owned.remove(&partition);
        }
    }

    /// The committed states; nothing while no store is open.
    #[must_use]
    pub fn committed(&self) -> Option<Committed> {
        let open = self.lock();
        let Open { store, journal_partitions, owned, owners, instance, .. } = open.as_ref()?;
        let (store, journal_partitions) = (store.clone(), *journal_partitions);
        Some(Committed { store, journal_partitions, owned: owned.clone(), owners: owners.clone(), instance: instance.clone() })
    }

    /// Whether there is nothing to read yet, or not any more: no store is open.
    #[must_use]
    pub fn are_closed(&self) -> bool {
        !self.is_stateless.load(Ordering::Relaxed) && self.lock().is_none()
    }

    /// Whether a store is open, but a worker does not know yet which partitions are its own, and no other has any.
    #[must_use]
    pub fn are_unassigned(&self) -> bool {
        self.lock().as_ref().is_some_and(|open| open.workers_without_share > 0 && open.owned.is_empty())
    }

    /// Whether a store is open, every worker has its share of the partitions, and every partition of this process may be read; or whether there is
    /// nothing to read at all.
    #[must_use]
    pub fn are_ready(&self) -> bool {
        let is_ready = |open: &Open| open.workers_without_share == 0 && open.owned.values().all(Option::is_some);
        self.is_stateless.load(Ordering::Relaxed) || self.lock().as_ref().is_some_and(is_ready)
    }

    /// Asks the workers of a kind to read nothing until they are resumed; see [`Metrics::pause`](crate::metrics::Metrics::pause).
    pub(crate) fn pause(&self, worker: Worker, is_paused: bool) {
        self.paused[worker as usize].store(is_paused, Ordering::Relaxed);
    }

    /// Whether the workers of a kind are to read nothing.
    #[must_use]
    pub fn is_paused(&self, worker: Worker) -> bool {
        self.paused[worker as usize].load(Ordering::Relaxed)
    }

    /// The kinds of workers that are to read nothing.
    #[must_use]
    pub fn paused(&self) -> Vec<Worker> {
        Worker::ALL.into_iter().filter(|worker| self.is_paused(*worker)).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Open>> {
        // A thread that panicked cannot have left it half changed.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
