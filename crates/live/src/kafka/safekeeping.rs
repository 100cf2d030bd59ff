//! What the workers of a process share about stored partition states: which are up to date, which are being replaced, and where copies are.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bellwether_engine::event::CustomerKey;

use super::erasures::ErasureReader;
use crate::snapshot::Repository;

/// How many records a state may be behind what is committed before a snapshot is looked for; folding fewer again is quicker.
pub const MAX_RECORDS_BEHIND: u64 = 50_000;

/// Where copies of partition states are kept, and when they are used.
#[derive(Debug)]
pub struct Snapshots {
    /// The place.
    pub repository: Repository,
    /// A directory for files on their way, on the store's file system.
    pub scratch: PathBuf,
    /// How often a partition is copied.
    pub every: Duration,
    /// Copies of each partition that are kept.
    pub keep: NonZeroUsize,
    /// A state further behind than so many records is replaced by a snapshot; see [`MAX_RECORDS_BEHIND`].
    pub max_records_behind: u64,
}

/// Shared by the workers of a process that have one store.
#[derive(Debug, Default)]
pub struct Safekeeping {
    /// Without any, what is lost is folded again from the journal's beginning.
    pub(crate) snapshots: Option<Snapshots>,
    /// Reads who is erased, before a lost state is folded again; without it, they are folded and then erased.
    pub(crate) erasures: Option<ErasureReader>,
    holdings: Mutex<BTreeMap<u16, Holding>>,
}

/// What is done with a partition in this process.
#[derive(Debug, Default)]
struct Holding {
    /// How often its stored state was replaced by something else than the next commit.
    generation: u64,
    is_being_replaced: bool,
    is_settled: bool,
    /// Customers that are erased further on, and where.
    erased: BTreeMap<CustomerKey, u64>,
}

impl Safekeeping {
    /// Nothing is at work yet.
    #[must_use]
    pub fn new(snapshots: Option<Snapshots>) -> Self {
        Self { snapshots, ..Self::default() }
    }

    /// The same, which reads who is erased before a lost state is folded again.
    #[must_use]
    pub fn reading_erasures(self, erasures: ErasureReader) -> Self {
        Self { erasures: Some(erasures), ..self }
    }

    /// Keeps who is erased at which offsets, until the partition is opened.
    pub(crate) fn keep_erased(&self, number: u16, erased: BTreeMap<CustomerKey, u64>) {
        self.holdings().entry(number).or_default().erased = erased;
    }

    /// Who is erased at which offsets, as far as a lost state has to know it.
    pub(crate) fn erased(&self, number: u16) -> BTreeMap<CustomerKey, u64> {
        self.holdings().entry(number).or_default().erased.clone()
    }

    /// How often the stored state of a partition was replaced; none while it is being. To be asked before the state is read: a working set
    /// that began under another generation is of no use.
    pub(crate) fn generation(&self, number: u16) -> Option<u64> {
        let mut holdings = self.holdings();
        let holding = holdings.entry(number).or_default();
        (!holding.is_being_replaced).then_some(holding.generation)
    }

    /// Begins to replace the stored state of a partition; none if somebody else is at it. Until the end, no worker opens it, and what one has
    /// in memory of it is of no use any more.
    #[must_use]
    pub fn replace(self: &Arc<Self>, number: u16) -> Option<Replacing> {
        let mut holdings = self.holdings();
        let holding = holdings.entry(number).or_default();
        if std::mem::replace(&mut holding.is_being_replaced, true) {
            return None;
        }
        holding.generation += 1;
        Some(Replacing { safekeeping: self.clone(), number })
    }

    /// A partition is where everything is published.
    pub(crate) fn settled(&self, number: u16) {
        let mut holdings = self.holdings();
        let holding = holdings.entry(number).or_default();
        holding.is_settled = true;
        holding.erased.clear();
    }

    /// A partition is not at work any more.
    pub(crate) fn gone(&self, number: u16) {
        self.holdings().entry(number).or_default().is_settled = false;
    }

    /// The partitions at work, without those that catch up.
    pub(crate) fn settled_partitions(&self) -> Vec<u16> {
        let holdings = self.holdings();
        holdings.iter().filter(|(_, holding)| holding.is_settled).map(|(number, _)| *number).collect()
    }

    fn holdings(&self) -> MutexGuard<'_, BTreeMap<u16, Holding>> {
        // Every change is whole before the next call, so a thread that panicked cannot have left one in between.
        self.holdings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to replace the stored state of a partition, until it is dropped.
#[derive(Debug)]
pub struct Replacing {
    safekeeping: Arc<Safekeeping>,
    number: u16,
}

impl Drop for Replacing {
    fn drop(&mut self) {
        self.safekeeping.holdings().entry(self.number).or_default().is_being_replaced = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_replaces_a_state_and_working_sets_know_it() {
        let safekeeping = Arc::new(Safekeeping::default());
        assert_eq!(safekeeping.generation(3), Some(0));
        let replacing = safekeeping.replace(3).expect("nobody is at it");
        assert!(safekeeping.replace(3).is_none() && safekeeping.replace(4).is_some());
        assert_eq!(safekeeping.generation(3), None);
        drop(replacing);
        assert_eq!((safekeeping.generation(3), safekeeping.generation(5)), (Some(1), Some(0)));
    }

    #[test]
    fn what_is_gone_is_not_settled() {
        let safekeeping = Safekeeping::default();
        [2, 1].into_iter().for_each(|number| safekeeping.settled(number));
        assert_eq!(safekeeping.settled_partitions(), [1, 2]);
        safekeeping.gone(1);
        assert_eq!(safekeeping.settled_partitions(), [2]);
    }
}
