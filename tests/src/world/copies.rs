//! The same world once more: where a journal is written once and lived through many times, and where several processes share one log.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bellwether_live::metrics::Metrics;

use super::World;

impl World {
    /// A world of its own that stands where this one does, without its plan and its workers.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self {
            cluster: self.cluster.copy(),
            ingest_clock_ahead_ms: Arc::new(AtomicI64::new(self.ingest_clock_ahead_ms.load(Ordering::Relaxed))),
            ingest_metrics: Arc::new(Metrics::new()),
            ..self.of_another_process()
        }
    }

    /// The same log as another process sees it, whose workers share nothing but the log with those of this one.
    #[must_use]
    pub fn of_another_process(&self) -> Self {
        Self {
            cluster: self.cluster.clone(),
            max_watermark_drift: self.max_watermark_drift,
            batch_limits: self.batch_limits,
            write_behind: self.write_behind,
            states_bytes: self.states_bytes,
            poisoned: self.poisoned.clone(),
            rule_sets: self.rule_sets.clone(),
            safekeeping: Arc::default(),
            ingest_clock_ahead_ms: self.ingest_clock_ahead_ms.clone(),
            ingest_journal: self.ingest_journal.clone(),
            ingest_metrics: self.ingest_metrics.clone(),
        }
    }
}
