//! Who owns which partition of the journal: workers write it beside what they commit, and each instance looks there.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bellwether_kafka::{Batch, Client, KafkaError, Remedy, TopicPartition};
use serde::{Deserialize, Serialize};

use super::metadata::owner_of;
use super::options::Turn;
use super::patience::Patience;
use crate::error::LiveError;
use crate::metrics::Metrics;

/// How often it looks. A partition that has just moved is told to be its former owner's for so long, and until its new one has committed.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);

/// How often it looks whether to stop.
const BREATH: Duration = Duration::from_millis(50);

/// An instance, as it tells others of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Its name.
    pub instance: String,
    /// Where others find its guarded listener, if it tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Looks who owns the partitions. Its client belongs to the group by name only.
pub(crate) struct Lookout {
    client: Box<dyn Client>,
    partitions: Vec<TopicPartition>,
    instance: String,
    metrics: Arc<Metrics>,
    patience: Patience,
}

impl Lookout {
    /// Looks at the partitions of the journal, for this instance.
    pub fn new(
        client: Box<dyn Client>,
        partitions: Vec<TopicPartition>,
        instance: &str,
        metrics: Arc<Metrics>,
        stop: &Arc<AtomicBool>,
    ) -> Self {
        Self { client, partitions, instance: instance.to_owned(), metrics, patience: Patience::new(Turn::default().retry_wait, stop) }
    }

    /// Looks until `stop` is set.
    ///
    /// # Errors
    ///
    /// When somebody has to act, such as that the group may not be read.
    pub fn run(&mut self, stop: &AtomicBool) -> Result<(), LiveError> {
        while !stop.load(Ordering::Relaxed) {
            match self.look() {
                Ok(owners) => {
                    self.patience.restore();
                    self.metrics.readers.owners(owners, &self.instance);
                    let until = Instant::now() + LOOK_INTERVAL;
                    while Instant::now() < until && !stop.load(Ordering::Relaxed) {
                        thread::sleep(BREATH);
                    }
                }
                Err(error) => {
                    self.patience.wait(&error)?;
                    if error.remedy == Remedy::Rebuild {
                        self.rebuild()?;
                    }
                }
            }
        }
        Ok(())
    }

    fn look(&mut self) -> Result<BTreeMap<u16, Owner>, KafkaError> {
        // What the client library tells of itself would pile up otherwise.
        match self.client.poll(&mut Batch::default(), 1, 1, Duration::ZERO) {
            Err(error) if error.remedy != Remedy::Retry => return Err(error),
            _ => {}
        }
        let committed = self.client.committed(&self.partitions)?;
        let owners = (0..).zip(committed).filter_map(|(number, committed)| Some((number, owner_of(&committed?)?)));
        Ok(owners.collect())
    }

    fn rebuild(&mut self) -> Result<(), LiveError> {
        while let Err(error) = self.client.rebuild() {
            self.patience.wait(&error)?;
        }
        Ok(())
    }
}
