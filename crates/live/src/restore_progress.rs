//! How far restores are: the bytes of a snapshot that are here, while it is being fetched.

use prometheus::IntGaugeVec;

use crate::pipeline::Make;

/// Two gauges for each partition that is being restored; none for the others.
pub struct RestoreProgress {
    restored_bytes: IntGaugeVec,
    snapshot_bytes: IntGaugeVec,
}

impl RestoreProgress {
    pub(crate) fn register(make: &Make<'_>) -> Self {
        Self {
            restored_bytes: make.gauges(
                "restore_fetched_bytes",
                "Bytes of a snapshot that are fetched, while a partition is restored from it.",
                &["partition"],
            ),
            snapshot_bytes: make.gauges(
                "restore_snapshot_bytes",
                "Bytes of the snapshot from which a partition is being restored.",
                &["partition"],
            ),
        }
    }

    /// A restore of this partition begins. It is over when what this returns is dropped.
    #[must_use]
    pub fn begin(&self, partition: u16) -> Restore<'_> {
        Restore { of: self, partition: partition.to_string() }
    }
}

/// A restore that is under way.
pub struct Restore<'p> {
    of: &'p RestoreProgress,
    partition: String,
}

impl Restore<'_> {
    /// So many bytes of a snapshot are fetched, of so many.
    pub fn fetched(&self, bytes: u64, of_bytes: u64) {
        for (gauge, bytes) in [(&self.of.restored_bytes, bytes), (&self.of.snapshot_bytes, of_bytes)] {
            gauge.with_label_values(&[&self.partition]).set(i64::try_from(bytes).unwrap_or(i64::MAX));
        }
    }
}

impl Drop for Restore<'_> {
    fn drop(&mut self) {
        // A restore that found no snapshot has told nothing, which is no harm.
        _ = self.of.restored_bytes.remove_label_values(&[&self.partition]);
        _ = self.of.snapshot_bytes.remove_label_values(&[&self.partition]);
    }
}

#[cfg(test)]
mod tests {
    use crate::metrics::Metrics;

    #[test]
    fn a_restore_is_seen_while_it_lasts() {
        let metrics = Metrics::new();
        let told =
            || metrics.render().lines().filter(|line| line.starts_with("bellwether_restore_")).map(str::to_owned).collect::<Vec<_>>();
        let restore = metrics.pipeline.restores.begin(3);
        restore.fetched(5, 8);
        assert_eq!(told(), ["bellwether_restore_fetched_bytes{partition=\"3\"} 5", "bellwether_restore_snapshot_bytes{partition=\"3\"} 8"]);
        drop(restore);
        assert!(told().is_empty());
    }
}
