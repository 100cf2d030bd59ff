//! What a processing worker tells the metrics from time to time: how much of the journal is left, and how large the store is.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bellwether_kafka::{Batch, Client, CommitError};
use bellwether_store::Store;

use super::open::number_of;
use super::owned::Owned;
use crate::metrics::Metrics;
use crate::pipeline::TransactionOutcome;

/// How often a worker asks where what it reads ends.
pub(crate) const TELL_INTERVAL: Duration = Duration::from_secs(5);

/// When it was told last, and what is known since.
#[derive(Debug, Default)]
pub(crate) struct Lag {
    /// When the last record of each partition was appended.
    last_appended_ms: BTreeMap<u16, i64>,
    told_at: Option<Instant>,
}

impl Lag {
    /// Takes note of a batch that is processed, and tells, if it is time to.
    pub fn tell(&mut self, batch: &Batch, client: &mut dyn Client, partitions: &BTreeMap<u16, Owned>, store: &Store, metrics: &Metrics) {
        for record in batch.records() {
            if let Some(appended) = record.timestamp_ms {
                self.last_appended_ms.insert(number_of(record.at), appended);
            }
        }
        if self.told_at.is_some_and(|told_at| told_at.elapsed() < TELL_INTERVAL) {
            return;
        }
        self.told_at = Some(Instant::now());
        for (number, owned) in partitions {
            // A broker that does not answer is noticed where it matters more.
            let Ok((_, end)) = client.bounds(&owned.at) else { break };
            let left = end.saturating_sub(owned.worker.position.offset);
            metrics.pipeline.journal_lag(*number, left, self.last_appended_ms.get(number).copied());
        }
        metrics.pipeline.clients(&client.statistics());
        metrics.pipeline.store.tell(|| store.metrics().ok());
    }
}

/// How a transaction ended, for the metrics.
pub(crate) fn outcome_of(committed: &Result<(), CommitError>) -> TransactionOutcome {
    match committed {
        Ok(()) => TransactionOutcome::Committed,
        Err(CommitError::NotCommitted(_)) => TransactionOutcome::Aborted,
        Err(CommitError::Lost(_)) => TransactionOutcome::Unknown,
    }
}
