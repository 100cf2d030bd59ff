//! A machine beside a log in memory: a disk, one process on it, and snapshots that it shares with others.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bellwether_engine::time::Time;
use bellwether_kafka::KafkaError;
use bellwether_live::kafka::{Copier, Processor, Safekeeping, Snapshots};
use bellwether_live::metrics::Metrics;
use bellwether_live::snapshot::Repository;
use bellwether_store::{Position, Store};
use tempfile::TempDir;

use crate::world::{JOURNAL_ID, PARTITIONS, States, World, states_in, store_in};

/// A disk and what a process has in memory besides its workers.
pub struct Machine {
    /// The store.
    pub store: Arc<Store>,
    /// What the workers share about it.
    pub safekeeping: Arc<Safekeeping>,
    metrics: Arc<Metrics>,
    copier: Copier,
    disk: TempDir,
}

/// Everything that the fold has made: positions and headers, states, timers.
pub type Everything = (Vec<Option<(Position, Vec<u8>)>>, States, Vec<(u16, i64, u128)>);

impl Machine {
    /// An empty disk; snapshots are kept in a directory, if one is given.
    ///
    /// # Panics
    ///
    /// When directories cannot be made.
    #[must_use]
    pub fn new(snapshots: Option<&Path>) -> Self {
        let disk = TempDir::new().expect("a directory");
        let store = store_in(&disk.path().join("state"));
        let snapshots = snapshots.map(|path| Snapshots {
            repository: Repository::create(path.to_str().expect("it is text")).expect("the place can be made"),
            scratch: disk.path().join("scratch"),
            every: Duration::from_millis(1),
            keep: NonZeroUsize::new(1_000).expect("it is not zero"),
            max_records_behind: 10,
        });
        let (safekeeping, metrics) = (Arc::new(Safekeeping::new(snapshots)), Arc::new(Metrics::new()));
        let copier = Copier::new(store.clone(), safekeeping.clone(), JOURNAL_ID.to_owned(), metrics.clone());
        Self { store, safekeeping, metrics, copier, disk }
    }

    /// A worker of the process.
    ///
    /// # Panics
    ///
    /// When the plan has it so.
    #[must_use]
    pub fn processor(&self, world: &World, name: &str) -> Processor {
        self.try_processor(world, name).expect("nothing is planned")
    }

    /// A worker of the process, whose first steps may fail.
    ///
    /// # Errors
    ///
    /// When the plan has it so.
    pub fn try_processor(&self, world: &World, name: &str) -> Result<Processor, KafkaError> {
        world.processor_with(name, &self.store, 40, &self.safekeeping, &self.metrics)
    }

    /// Takes the snapshots that are due.
    pub fn copy(&mut self, now_ms: i64) {
        self.copier.round(Time(now_ms), &AtomicBool::new(false));
    }

    /// How often an event has happened to stored states.
    ///
    /// # Panics
    ///
    /// When the metric is no number.
    #[must_use]
    pub fn events(&self, event: &str) -> u64 {
        self.count(&format!("bellwether_state_events_total{{event=\"{event}\"}}"))
    }

    /// The value of a series; 0 if there is none.
    ///
    /// # Panics
    ///
    /// When it is no whole number.
    #[must_use]
    pub fn count(&self, series: &str) -> u64 {
        let text = self.metrics.render();
        let value = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        value.map_or(0, |count| count.parse().expect("it is a whole number"))
    }

    /// What its store holds.
    ///
    /// # Panics
    ///
    /// When it cannot be read.
    #[must_use]
    pub fn everything(&self) -> Everything {
        let header = |number| self.store.header(number).expect("the store reads").map(|header| (header.position, header.body));
        let timers = (0..PARTITIONS).flat_map(|number| {
            self.store.timers(number).map(move |timer| timer.map(|(due, customer)| (number, due, customer)).expect("the store reads"))
        });
        ((0..PARTITIONS).map(header).collect(), states_in(&self.store), timers.collect())
    }

    /// The disk.
    #[must_use]
    pub fn disk(&self) -> &Path {
        self.disk.path()
    }
}
