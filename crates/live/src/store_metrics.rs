//! What an operator sees of the store: how large it is, and whether it keeps up.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bellwether_store::StoreMetrics;
use prometheus::{IntGauge, IntGaugeVec};

use crate::pipeline::Make;

/// How often the store is asked.
const INTERVAL: Duration = Duration::from_secs(10);

/// The properties of RocksDB that matter.
pub struct StoreGauges {
    bytes: IntGaugeVec,
    level_zero_files: IntGauge,
    delayed_write_bytes_per_second: IntGauge,
    writes_stopped: IntGauge,
    background_errors: IntGauge,
    told_at: Mutex<Option<Instant>>,
}

impl StoreGauges {
    pub(crate) fn register(make: &Make<'_>) -> Self {
        Self {
            bytes: make.gauges(
                "store_bytes",
                "Bytes of the store: files, block cache, write buffers, table readers, and what waits for compaction.",
                &["part"],
            ),
            level_zero_files: make.gauge("store_level_zero_files", "Files of the store that wait for their first compaction."),
            delayed_write_bytes_per_second: make.gauge(
                "store_delayed_write_bytes_per_second",
                "Bytes per second to which writes to the store are slowed down until compaction catches up; 0 while they are not.",
            ),
            writes_stopped: make.gauge("store_writes_stopped", "1 while the store takes no writes until compaction catches up."),
            background_errors: make
                .gauge("store_background_errors", "Flushes and compactions of the store that have failed since it was opened."),
            told_at: Mutex::default(),
        }
    }

    /// The store is so; asked now and then only.
    pub fn tell(&self, read: impl FnOnce() -> Option<StoreMetrics>) {
        let mut told_at = self.told_at.lock().unwrap_or_else(PoisonError::into_inner);
        if told_at.is_some_and(|told_at| told_at.elapsed() < INTERVAL) {
            return;
        }
        *told_at = Some(Instant::now());
        let Some(metrics) = read() else { return };
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let parts = [
            ("files", metrics.files_bytes),
            ("block_cache", metrics.block_cache_bytes),
            ("write_buffers", metrics.write_buffers_bytes),
            ("table_readers", metrics.table_readers_bytes),
            ("pending_compaction", metrics.pending_compaction_bytes),
        ];
        for (part, bytes) in parts {
            self.bytes.with_label_values(&[part]).set(number(bytes));
        }
        self.level_zero_files.set(number(metrics.level_zero_files));
        self.delayed_write_bytes_per_second.set(number(metrics.delayed_write_bytes_per_second));
        self.writes_stopped.set(i64::from(metrics.writes_stopped));
        self.background_errors.set(number(metrics.background_errors));
    }
}

#[cfg(test)]
mod tests {
    use crate::metrics::Metrics;

    use super::*;

    #[test]
    fn what_rocksdb_says_is_told() {
        let metrics = Metrics::new();
        let store = StoreMetrics {
            level_zero_files: 21,
            delayed_write_bytes_per_second: 1_000,
            writes_stopped: true,
            background_errors: 2,
            files_bytes: 7,
            ..StoreMetrics::default()
        };
        metrics.pipeline.store.tell(|| Some(store));
        metrics.pipeline.store.tell(|| panic!("it was asked a moment ago"));
        let page = metrics.render();
        for line in [
            "bellwether_store_bytes{part=\"files\"} 7",
            "bellwether_store_level_zero_files 21",
            "bellwether_store_delayed_write_bytes_per_second 1000",
            "bellwether_store_writes_stopped 1",
            "bellwether_store_background_errors 2",
        ] {
            assert!(page.lines().any(|told| told == line), "{line} is not in\n{page}");
        }
    }
}
