//! Silent sources as a metric: in how many partitions each counts as silent, so that rules which need it neither raise nor clear.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use bellwether_engine::kpi::OTHER;
use bellwether_engine::partition::Header;
use bellwether_engine::silence::MAX_SILENT_SOURCES;
use prometheus::{IntGaugeVec, Opts};

use crate::registry::Registry;

/// The metric, and how each partition stands that this process owns.
pub struct SilenceMetrics {
    silent: IntGaugeVec,
    board: Mutex<Board>,
}

#[derive(Default)]
struct Board {
    partitions: BTreeMap<u16, Vec<String>>,
    /// Sources that were told: one that has resumed stays, at zero.
    told: BTreeSet<String>,
}

impl SilenceMetrics {
    /// Registers the metric.
    ///
    /// # Panics
    ///
    /// If another metric has its name, which is a defect of this file.
    #[must_use]
    pub fn register(registry: &Registry) -> Self {
        let help = "Journal partitions in which the source counts as silent: rules that need it neither raise nor clear anything there.";
        let options = Opts::new("bellwether_silent_source_partitions", help);
        let silent = IntGaugeVec::new(options, &["source"]).expect("a valid name");
        registry.register(Box::new(silent.clone())).expect("a name of its own");
        Self { silent, board: Mutex::default() }
    }

    /// A partition stands so after a commit.
    pub fn settled(&self, partition: u16, header: &Header) {
        let mut board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
        let sources = header.silent.names();
        let is_known = board.partitions.get(&partition).is_some_and(|known| known.iter().map(String::as_str).eq(sources));
        if !is_known {
            let sources = header.silent.names().map(str::to_owned).collect();
            board.partitions.insert(partition, sources);
            self.sum_up(&mut board);
        }
    }

    /// A partition is no longer this process's.
    pub fn gone(&self, partition: u16) {
        let mut board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
        if board.partitions.remove(&partition).is_some() {
            self.sum_up(&mut board);
        }
    }

    fn sum_up(&self, board: &mut Board) {
        let mut sums: BTreeMap<String, i64> = board.told.iter().map(|source| (source.clone(), 0)).collect();
        for source in board.partitions.values().flatten() {
            // Sources come and go with configurations; a partition remembers as many at once.
            let is_told = sums.contains_key(source) || sums.len() < MAX_SILENT_SOURCES;
            *sums.entry(if is_told { source.clone() } else { OTHER.to_owned() }).or_default() += 1;
        }
        sums.iter().for_each(|(source, partitions)| self.silent.with_label_values(&[source]).set(*partitions));
        board.told = sums.into_keys().collect();
    }
}

#[cfg(test)]
mod tests {
    use bellwether_engine::silence::Families;
    use prometheus::TextEncoder;

    use super::*;

    fn header(sources: &[&str]) -> Header {
        let mut header = Header::default();
        sources.iter().for_each(|source| header.silent.insert(source, Families::named(["usage"])));
        header
    }

    fn told(registry: &Registry) -> String {
        let text = TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
        let series = text.lines().filter_map(|line| line.strip_prefix("bellwether_silent_source_partitions"));
        series.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn partitions_add_up_and_a_source_that_has_resumed_is_at_zero() {
        let registry = Registry::new();
        let metrics = SilenceMetrics::register(&registry);
        metrics.settled(0, &header(&[]));
        assert_eq!(told(&registry), "");
        metrics.settled(0, &header(&["billing"]));
        metrics.settled(1, &header(&["billing", "crm"]));
        assert_eq!(told(&registry), r#"{source="billing"} 2 {source="crm"} 1"#);
        metrics.settled(0, &header(&[]));
        assert_eq!(told(&registry), r#"{source="billing"} 1 {source="crm"} 1"#);
        metrics.gone(1);
        assert_eq!(told(&registry), r#"{source="billing"} 0 {source="crm"} 0"#);
    }

    #[test]
    fn however_many_there_were_the_series_are_bounded() {
        let registry = Registry::new();
        let metrics = SilenceMetrics::register(&registry);
        for number in 0..10 * MAX_SILENT_SOURCES {
            metrics.settled(0, &header(&[&format!("source-{number}")]));
        }
        let series = told(&registry);
        assert_eq!(series.matches("source=").count(), MAX_SILENT_SOURCES + 1);
        assert!(series.contains(r#"{source="other"} 1"#), "{series}");
    }
}
