//! Metrics of the pipeline beside Kafka: what its parts tell as facts, and what an operator sees of them.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bellwether_kafka::{ClientStatistics, TopicPartition};
use prometheus::{GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts};

use crate::client_metrics::{ClientMetrics, Told};
use crate::lag_metrics::LagMetrics;
use crate::registry::Registry;
use crate::restore_progress::RestoreProgress;
use crate::store_metrics::StoreGauges;

/// The two kinds of workers, as the label `role` names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worker {
    /// Input topics into the journal.
    Ingest,
    /// The journal into signals.
    Process,
}

impl Worker {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Ingest, Self::Process];

    /// Its name, as the label has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Worker::Ingest => "ingest",
            Worker::Process => "process",
        }
    }
}

/// How a transaction ended, as the label `outcome` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionOutcome {
    /// It counts.
    Committed,
    /// Nothing of it will ever be seen.
    Aborted,
    /// Nobody knew, and the truth was asked for.
    Unknown,
}

impl TransactionOutcome {
    const ALL: [Self; 3] = [Self::Committed, Self::Aborted, Self::Unknown];

    fn name(self) -> &'static str {
        match self {
            TransactionOutcome::Committed => "committed",
            TransactionOutcome::Aborted => "aborted",
            TransactionOutcome::Unknown => "unknown",
        }
    }
}

/// Labels are bounded by the partitions of the journal and the inputs, and by the sources of the configuration.
pub struct Pipeline {
    transactions: IntCounterVec,
    transaction_seconds: HistogramVec,
    last_commit_timestamp_seconds: IntGaugeVec,
    rebalanced_partitions: IntCounterVec,
    owned_partitions: IntGaugeVec,
    lag: LagMetrics,
    waiting_records: IntGauge,
    watermarks_ahead: IntCounter,
    arrivals_ahead: IntCounterVec,
    breaker_open: IntGaugeVec,
    source_events: IntCounterVec,
    late_events: IntCounterVec,
    skipped: IntCounter,
    ingest_seconds: Histogram,
    process_seconds: Histogram,
    end_to_end_seconds: Histogram,
    /// How the store is doing.
    pub store: StoreGauges,
    /// How far restores are.
    pub restores: RestoreProgress,
    clients: ClientMetrics,
    /// What was told of each client last.
    clients_told: Mutex<Told>,
}

const LATENCY_BUCKETS: [f64; 13] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0, 300.0];

impl Pipeline {
    /// Registers every metric.
    ///
    /// # Panics
    ///
    /// If two metrics have one name, which is a defect of this file.
    pub(crate) fn register(registry: &Registry) -> Self {
        let make = Make(registry);
        Self {
            transactions: make.counters(
                "transactions_total",
                "Kafka transactions, by role of the worker and outcome.",
                &["role", "outcome"],
            ),
            transaction_seconds: make.histograms("transaction_seconds", "Time that a Kafka transaction took, from begin to commit."),
            last_commit_timestamp_seconds: make.gauges(
                "last_commit_timestamp_seconds",
                "When a worker of the role last committed, seconds since 1970-01-01T00:00:00Z; 0: none has since the process began.",
                &["role"],
            ),
            rebalanced_partitions: make.counters(
                "rebalanced_partitions_total",
                "Partitions that came or went in rebalances.",
                &["role", "change"],
            ),
            owned_partitions: make.gauges("owned_partitions", "Partitions that this process owns.", &["role"]),
            lag: LagMetrics::register(&make),
            waiting_records: make.gauge(
                "waiting_records",
                "Input records that were read and wait, because another input is behind by more than `max_watermark_drift`.",
            ),
            watermarks_ahead: make.counter(
                "watermarks_ahead_total",
                "Journal records whose watermark was more than 5 minutes ahead of their append: it did not move time.",
            ),
            arrivals_ahead: make.counters(
                "arrivals_ahead_total",
                "Input records stamped more than 5 minutes ahead of the clock of the machine that took them in, which counts as their arrival.",
                &["source"],
            ),
            breaker_open: make.gauges(
                "breaker_open",
                "1 while the source is stopped because too many of its records are refused.",
                &["source"],
            ),
            source_events: make.counters("source_events_total", "Events journaled, by the source that delivered them.", &["source"]),
            late_events: make.counters("late_events_total", "Those of them that were dated over a day before they arrived.", &["source"]),
            skipped: make
                .counter("skipped_records_total", "Input records left out by the configuration: filters, tombstones, unknown types."),
            ingest_seconds: make.histogram("ingest_seconds", "Time from the arrival of an input record to its commit in the journal."),
            process_seconds: make.histogram("process_seconds", "Time from the append of a journal record to the commit of what it gave."),
            end_to_end_seconds: make
                .histogram("end_to_end_seconds", "Time from the arrival of an input record to the commit of what its event gave, of one in eight and the first of each commit."),
            store: StoreGauges::register(&make),
            restores: RestoreProgress::register(&make),
            clients: ClientMetrics::register(&make),
            clients_told: Mutex::default(),
        }
    }

    /// A transaction has ended, after so long.
    pub fn transaction(&self, worker: Worker, outcome: TransactionOutcome, took: Duration) {
        // All of the role begin with its first one: what begins with a failure does not increase, as Prometheus sees it.
        for any in TransactionOutcome::ALL {
            self.transactions.with_label_values(&[worker.name(), any.name()]).inc_by(u64::from(any == outcome));
        }
        if outcome == TransactionOutcome::Committed {
            self.transaction_seconds.with_label_values(&[worker.name()]).observe(took.as_secs_f64());
            self.last_commit_timestamp_seconds.with_label_values(&[worker.name()]).set(now_ms().div_euclid(1_000));
        }
    }

    /// Partitions came to a worker.
    pub fn assigned(&self, worker: Worker, count: usize) {
        self.rebalanced_partitions.with_label_values(&[worker.name(), "assigned"]).inc_by(count as u64);
        self.owned_partitions.with_label_values(&[worker.name()]).add(count as i64);
    }

    /// Partitions went from a worker.
    pub fn revoked(&self, worker: Worker, count: usize) {
        self.rebalanced_partitions.with_label_values(&[worker.name(), "revoked"]).inc_by(count as u64);
        self.owned_partitions.with_label_values(&[worker.name()]).sub(count as i64);
    }

    /// Workers of a role are about to start: whoever waits for their first commit sees that there is none.
    pub fn begin(&self, worker: Worker) {
        self.last_commit_timestamp_seconds.with_label_values(&[worker.name()]).add(0);
        self.owned_partitions.with_label_values(&[worker.name()]).add(0);
        if worker == Worker::Ingest {
            self.lag.begin_to_ingest();
        }
    }

    /// A journal partition is processed up to some records before its end; the last one was appended then.
    pub fn journal_lag(&self, partition: u16, records: u64, last_appended_ms: Option<i64>) {
        self.lag.journal(partition, records, last_appended_ms);
    }

    /// A journal partition is no longer this process's.
    pub fn journal_gone(&self, partition: u16) {
        self.lag.journal_gone(partition);
    }

    /// An input partition is journaled up to some records before its end, and up to this arrival; `i64::MIN`: nothing of it ever was.
    pub fn input_lag(&self, at: &TopicPartition, records: u64, until_ms: i64) {
        self.lag.input(at, records, known(until_ms));
    }

    /// An input partition is no longer this process's.
    pub fn input_gone(&self, at: &TopicPartition) {
        self.lag.input_gone(at);
    }

    /// The watermark is there; `i64::MIN`: some input has none yet.
    pub fn watermark(&self, watermark_ms: i64) {
        self.lag.watermark(known(watermark_ms));
    }

    /// Brings every age up to this moment.
    pub(crate) fn refresh(&self, now_ms: i64) {
        self.lag.refresh(now_ms);
    }

    /// So many more input records wait for inputs that are behind, or fewer.
    pub fn waiting(&self, change: i64) {
        self.waiting_records.add(change);
    }

    /// Journal records came from a clock ahead.
    pub fn clock_ahead(&self, records: u64) {
        self.watermarks_ahead.inc_by(records);
    }

    /// Records of a source were stamped ahead of our clock.
    pub fn arrived_ahead(&self, source: &str, records: u64) {
        self.arrivals_ahead.with_label_values(&[source]).inc_by(records);
    }

    /// A source is stopped by the breaker of a worker, or not.
    pub fn breaker(&self, source: &str, is_open: bool) {
        self.breaker_open.with_label_values(&[source]).set(i64::from(is_open));
    }

    /// Events of a source are journaled, some of them late.
    pub fn delivered(&self, source: &str, events: u64, late: u64) {
        self.source_events.with_label_values(&[source]).inc_by(events);
        self.late_events.with_label_values(&[source]).inc_by(late);
    }

    /// Input records were left out by the configuration.
    pub fn skipped(&self, records: u64) {
        self.skipped.inc_by(records);
    }

    /// Input records that arrived then are journaled now.
    pub fn journaled(&self, arrived_ms: &[i64]) {
        let now_ms = now_ms();
        arrived_ms.iter().for_each(|arrived_ms| self.ingest_seconds.observe(seconds_between(*arrived_ms, now_ms)));
    }

    /// What journal records gave is committed now. Each was appended then, and the event in it arrived then, as far as that is known.
    pub fn processed(&self, records: impl Iterator<Item = (Option<i64>, Option<i64>)>) {
        let now_ms = now_ms();
        let observe = |histogram: &Histogram, from_ms| histogram.observe(seconds_between(from_ms, now_ms));
        for (appended_ms, arrived_ms) in records {
            appended_ms.into_iter().for_each(|appended_ms| observe(&self.process_seconds, appended_ms));
            arrived_ms.into_iter().for_each(|arrived_ms| observe(&self.end_to_end_seconds, arrived_ms));
        }
    }

    /// How the client library is doing.
    pub fn clients(&self, statistics: &[ClientStatistics]) {
        let mut told = self.clients_told.lock().unwrap_or_else(PoisonError::into_inner);
        statistics.iter().for_each(|client| self.clients.tell(client, &mut told));
    }
}

/// A time that may be none yet.
fn known(milliseconds: i64) -> Option<i64> {
    (milliseconds != i64::MIN).then_some(milliseconds)
}

/// The present, milliseconds since the epoch.
pub(crate) fn now_ms() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}

/// From one time to another, seconds; 0 if it is not later.
pub(crate) fn seconds_between(from_ms: i64, until_ms: i64) -> f64 {
    until_ms.saturating_sub(from_ms).max(0) as f64 / 1_000.0
}

/// Makes metrics whose names begin with `bellwether_`, each registered once.
pub(crate) struct Make<'r>(&'r Registry);

impl Make<'_> {
    fn registered<M: prometheus::core::Collector + Clone + 'static>(&self, metric: prometheus::Result<M>) -> M {
        let metric = metric.expect("a valid name");
        self.0.register(Box::new(metric.clone())).expect("a name of its own");
        metric
    }

    fn options(name: &str, help: &str) -> Opts {
        Opts::new(format!("bellwether_{name}"), help)
    }

    fn counter(&self, name: &str, help: &str) -> IntCounter {
        self.registered(IntCounter::with_opts(Self::options(name, help)))
    }

    pub(crate) fn counters(&self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        self.registered(IntCounterVec::new(Self::options(name, help), labels))
    }

    pub(crate) fn gauge(&self, name: &str, help: &str) -> IntGauge {
        self.registered(IntGauge::with_opts(Self::options(name, help)))
    }

    pub(crate) fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
        self.registered(IntGaugeVec::new(Self::options(name, help), labels))
    }

    pub(crate) fn float_gauges(&self, name: &str, help: &str, labels: &[&str]) -> GaugeVec {
        self.registered(GaugeVec::new(Self::options(name, help), labels))
    }

    fn histogram(&self, name: &str, help: &str) -> Histogram {
        let options = HistogramOpts::from(Self::options(name, help)).buckets(LATENCY_BUCKETS.to_vec());
        self.registered(Histogram::with_opts(options))
    }

    fn histograms(&self, name: &str, help: &str) -> HistogramVec {
        let options = HistogramOpts::from(Self::options(name, help)).buckets(LATENCY_BUCKETS.to_vec());
        self.registered(HistogramVec::new(options, &["role"]))
    }
}
