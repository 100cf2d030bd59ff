//! How far a product is with what came: work has to go on between two mishaps, whatever the pace of the machine.

use std::thread::sleep;
use std::time::{Duration, Instant};

use bellwether_kafka::{BrokerClient, BrokerOptions, Client as _, TopicPartition};
use bellwether_tests::product::{Product, Tail};

use crate::fleet::Fleet;
use crate::support::{LONG, event_id};

/// Of so many events that came one is journaled before the next mishap, at least; and of so many offsets of the journal one is processed.
const SHARE: u64 = 2;

/// What is committed.
pub struct Progress {
    journal: Tail,
    signals: Tail,
    partitions: Vec<TopicPartition>,
    /// In the name of the processing workers, of whose group it is no member.
    asking: BrokerClient,
}

/// Records that are committed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Events in the journal.
    pub journaled: usize,
    /// Records in the topic of signals.
    pub published: usize,
}

impl Progress {
    pub fn of(product: &Product, partitions: u16) -> Self {
        let options = BrokerOptions {
            connection: product.connection(),
            group_id: format!("{}-process", product.application),
            group_instance_id: None,
            transactional_id: product.topic("asking"),
            subscription: Vec::new(),
        };
        Self {
            journal: product.tail("journal", partitions),
            signals: product.tail("signals", partitions),
            partitions: (0..partitions).map(|number| TopicPartition::new(product.topic("journal"), i32::from(number))).collect(),
            asking: BrokerClient::asking(options).unwrap_or_else(|error| panic!("{error}")),
        }
    }

    /// Counts what was committed since it was last counted.
    pub fn count(&mut self) -> Counts {
        let mut counts = Counts::default();
        self.journal.read_on(|record| counts.journaled += usize::from(event_id(record).is_some()));
        self.signals.read_on(|_| counts.published += 1);
        counts
    }

    /// Waits until a part of what came is journaled, and a part of that processed. To ask for offsets costs less than to read, and besides events
    /// there are few records in a journal.
    pub fn wait_for(&mut self, came: usize, fleet: &mut Fleet<'_>) {
        let started = Instant::now();
        loop {
            let (processed, journaled) = self.offsets();
            if journaled * SHARE >= came as u64 && processed * SHARE >= journaled {
                return;
            }
            fleet.assert_alive();
            let told = || format!("of {came}: {journaled} journaled, {processed} processed\n{}", fleet.logs());
            assert!(started.elapsed() < LONG, "work does not go on. {}", told());
            sleep(Duration::from_millis(300));
        }
    }

    /// Over all partitions of the journal: those up to where everything is processed, and all.
    fn offsets(&mut self) -> (u64, u64) {
        let Self { asking, partitions, .. } = self;
        let committed = asking.committed(partitions).unwrap_or_else(|error| panic!("{error}"));
        let ends = partitions.iter().map(|at| asking.bounds(at).unwrap_or_else(|error| panic!("{error}")).1);
        (committed.into_iter().flatten().map(|committed| committed.offset).sum(), ends.sum())
    }
}
