//! How far behind everything is, beside Kafka. Ages are computed when somebody asks, so that they grow while a worker tells nothing.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bellwether_kafka::TopicPartition;
use prometheus::{GaugeVec, IntGauge, IntGaugeVec};

use crate::pipeline::{Make, now_ms, seconds_between};

/// Offsets that may be left of a journal when all of it is processed: it is written in transactions, and the last one ends with a mark.
const TRANSACTION_MARKS: u64 = 1;

/// A worker tells every few seconds. One that has not for so long may be anywhere: what it was told last counts no longer as the end.
const SILENT_AFTER_MS: i64 = 30_000;

/// The metrics, and what they are made from. There is a place for each partition that this process owns.
pub(crate) struct LagMetrics {
    journal_records: IntGaugeVec,
    journal_seconds: GaugeVec,
    input_records: IntGaugeVec,
    input_seconds: GaugeVec,
    watermark_age_seconds: IntGauge,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    journal: BTreeMap<u16, JournalPlace>,
    inputs: BTreeMap<TopicPartition, InputPlace>,
    /// The last watermark that was known; at first when this process began to ingest. None if it does not.
    watermark_ms: Option<i64>,
}

/// How far a journal partition was processed.
struct JournalPlace {
    told_at_ms: i64,
    records: u64,
    last_appended_ms: Option<i64>,
}

impl JournalPlace {
    fn behind_since_ms(&self, now_ms: i64) -> Option<i64> {
        let is_silent = now_ms.saturating_sub(self.told_at_ms) > SILENT_AFTER_MS;
        if self.records > TRANSACTION_MARKS {
            self.last_appended_ms.or(is_silent.then_some(self.told_at_ms))
        } else {
            is_silent.then_some(self.told_at_ms)
        }
    }
}

/// How far an input partition was journaled.
struct InputPlace {
    first_told_ms: i64,
    records: u64,
    until_ms: Option<i64>,
}

impl InputPlace {
    fn behind_since_ms(&self) -> Option<i64> {
        self.until_ms.or((self.records > 0).then_some(self.first_told_ms))
    }
}

impl LagMetrics {
    /// Registers every metric.
    pub fn register(make: &Make<'_>) -> Self {
        Self {
            journal_records: make.gauges(
                "journal_lag_records",
                "Offsets of the journal that are not processed yet; marks of transactions count.",
                &["partition"],
            ),
            journal_seconds: make.float_gauges(
                "journal_lag_seconds",
                "Age of the last processed record of the journal while there are more; 0 at the end. Of a worker that tells nothing for half a \
                 minute: how long it does not.",
                &["partition"],
            ),
            input_records: make.gauges(
                "input_lag_records",
                "Offsets of an input that are not journaled yet; marks of transactions count.",
                &["topic", "partition"],
            ),
            input_seconds: make.float_gauges(
                "input_lag_seconds",
                "How far behind the present the arrivals of an input are journaled; of one of which nothing was ever journaled, since when \
                 this process knows it.",
                &["topic", "partition"],
            ),
            watermark_age_seconds: make.gauge(
                "watermark_age_seconds",
                "How far the watermark is behind the present; it grows while time stands still. While there is none: since when this process \
                 ingests.",
            ),
            told: Mutex::default(),
        }
    }

    /// This process begins to ingest: from now on time passes, or stands still.
    pub fn begin_to_ingest(&self) {
        self.told().watermark_ms.get_or_insert_with(now_ms);
    }

    /// A journal partition is processed up to some records before its end; the last one was appended then.
    pub fn journal(&self, partition: u16, records: u64, last_appended_ms: Option<i64>) {
        self.journal_records.with_label_values(&[&partition.to_string()]).set(i64::try_from(records).unwrap_or(i64::MAX));
        self.told().journal.insert(partition, JournalPlace { told_at_ms: now_ms(), records, last_appended_ms });
    }

    /// A journal partition is no longer this process's.
    pub fn journal_gone(&self, partition: u16) {
        let mut told = self.told();
        told.journal.remove(&partition);
        // What was never told cannot be taken back, which is no harm.
        _ = self.journal_records.remove_label_values(&[&partition.to_string()]);
        _ = self.journal_seconds.remove_label_values(&[&partition.to_string()]);
    }

    /// An input partition is journaled up to some records before its end, and up to this arrival, if anything of it ever was.
    pub fn input(&self, at: &TopicPartition, records: u64, until_ms: Option<i64>) {
        let labels = [&*at.topic, &at.partition.to_string()];
        self.input_records.with_label_values(&labels).set(i64::try_from(records).unwrap_or(i64::MAX));
        let mut told = self.told();
        let first_told_ms = told.inputs.get(at).map_or_else(now_ms, |known| known.first_told_ms);
        told.inputs.insert(at.clone(), InputPlace { first_told_ms, records, until_ms });
    }

    /// An input partition is no longer this process's.
    pub fn input_gone(&self, at: &TopicPartition) {
        let mut told = self.told();
        told.inputs.remove(at);
        _ = self.input_records.remove_label_values(&[&*at.topic, &at.partition.to_string()]);
        _ = self.input_seconds.remove_label_values(&[&*at.topic, &at.partition.to_string()]);
    }

    /// The watermark is there. Where some input has none yet, time stands still since the last one.
    pub fn watermark(&self, watermark_ms: Option<i64>) {
        if let Some(watermark_ms) = watermark_ms {
            self.told().watermark_ms = Some(watermark_ms);
        }
    }

    /// Brings every age up to this moment.
    pub fn refresh(&self, now_ms: i64) {
        let told = self.told();
        let age_seconds = |since_ms: Option<i64>| since_ms.map_or(0.0, |since_ms| seconds_between(since_ms, now_ms));
        for (partition, place) in &told.journal {
            let behind_seconds = age_seconds(place.behind_since_ms(now_ms));
            self.journal_seconds.with_label_values(&[&partition.to_string()]).set(behind_seconds);
        }
        for (at, place) in &told.inputs {
            let labels = [&*at.topic, &at.partition.to_string()];
            self.input_seconds.with_label_values(&labels).set(age_seconds(place.behind_since_ms()));
        }
        self.watermark_age_seconds.set(age_seconds(told.watermark_ms) as i64);
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use bellwether_engine::time::{HOUR_MS, Time};

    use super::*;
    use crate::metrics::Metrics;
    use crate::pipeline::Worker;

    /// What a series is when somebody asks so long from now, seconds; none if it is not there.
    fn in_an_hour(metrics: &Metrics, series: &str) -> Option<f64> {
        at(metrics, series, now_ms() + HOUR_MS)
    }

    fn at(metrics: &Metrics, series: &str, now_ms: i64) -> Option<f64> {
        let text = metrics.render_at(Time(now_ms));
        let start = format!("bellwether_{series} ");
        text.lines().find_map(|line| line.strip_prefix(&start)?.parse().ok())
    }

    #[test]
    fn the_watermark_ages_while_nobody_tells_of_it() {
        let metrics = Metrics::new();
        let age = "watermark_age_seconds";
        assert_eq!(in_an_hour(&metrics, age), Some(0.0), "who does not ingest has no part in time");
        metrics.pipeline.begin(Worker::Ingest);
        assert!(in_an_hour(&metrics, age).is_some_and(|age| age >= 3_600.0), "nothing was ever known: since the beginning");
        let watermark_ms = now_ms() - HOUR_MS;
        metrics.pipeline.watermark(watermark_ms);
        assert!(in_an_hour(&metrics, age).is_some_and(|age| age >= 7_200.0));
        // An input of which nothing was ever committed.
        metrics.pipeline.watermark(i64::MIN);
        assert!(in_an_hour(&metrics, age).is_some_and(|age| age >= 7_200.0), "since the last one that was known");
    }

    #[test]
    fn an_input_of_which_nothing_was_ever_journaled_falls_behind() {
        let metrics = Metrics::new();
        let at = TopicPartition::new("tickets", 2);
        let lag = "input_lag_seconds{partition=\"2\",topic=\"tickets\"}";
        metrics.pipeline.input_lag(&at, 0, i64::MIN);
        assert_eq!(in_an_hour(&metrics, lag), Some(0.0), "there is nothing in it");
        metrics.pipeline.input_lag(&at, 7, i64::MIN);
        assert!(in_an_hour(&metrics, lag).is_some_and(|lag| lag >= 3_600.0));
        metrics.pipeline.input_lag(&at, 7, now_ms() - HOUR_MS);
        assert!(in_an_hour(&metrics, lag).is_some_and(|lag| lag >= 7_200.0));
        metrics.pipeline.input_gone(&at);
        assert_eq!(in_an_hour(&metrics, lag), None);
    }

    #[test]
    fn a_worker_that_tells_nothing_is_not_at_the_end() {
        let metrics = Metrics::new();
        let lag = "journal_lag_seconds{partition=\"3\"}";
        metrics.pipeline.journal_lag(3, TRANSACTION_MARKS, Some(now_ms() - HOUR_MS));
        assert_eq!(at(&metrics, lag, now_ms()), Some(0.0), "it is at the end");
        assert!(in_an_hour(&metrics, lag).is_some_and(|lag| (3_500.0..7_200.0).contains(&lag)), "and may be anywhere an hour later");
        metrics.pipeline.journal_lag(3, 9, Some(now_ms() - HOUR_MS));
        assert!(in_an_hour(&metrics, lag).is_some_and(|lag| lag >= 7_200.0), "as old as what it processed last");
        metrics.pipeline.journal_gone(3);
        assert_eq!(in_an_hour(&metrics, lag), None);
    }
}
