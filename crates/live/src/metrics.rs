//! Metrics as named facts in one place: what happened, told once, exposed to Prometheus.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::http_metrics::HttpMetrics;
use crate::journey_metrics::JourneyMetrics;
use crate::kpi_metrics::KpiMetrics;
use crate::open_episode_metrics::OpenEpisodeMetrics;
use crate::outcome_metrics::OutcomeMetrics;
use crate::pipeline::{Pipeline, Worker, now_ms};
use crate::readers::Readers;
use crate::registry::{Described, Registry};
use crate::signal_metrics::SignalMetrics;
use crate::silence_metrics::SilenceMetrics;
use crate::state_event::StateEvent;
use bellwether_codec::rejection::RejectReason;
use bellwether_codec::rendered::SignalCounts;
use bellwether_engine::aggregates::Aggregates;
use bellwether_engine::partition::Header;
use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::time::Time;
use bellwether_store::Store;
use prometheus::{Encoder, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, TextEncoder};

/// All metrics of the process. Labels are bounded: rules, reasons, stages and currencies, never a customer.
pub struct Metrics {
    registry: Registry,
    events: IntCounter,
    rejected: IntCounterVec,
    signals: SignalMetrics,
    duplicates: IntGauge,
    too_late: IntGauge,
    limited: IntGauge,
    poisoned: IntGauge,
    stragglers: IntGauge,
    customers: IntGauge,
    active_customers: IntGauge,
    journey: JourneyMetrics,
    open_episodes: OpenEpisodeMetrics,
    silences: SilenceMetrics,
    /// Without labels, and without a series while there is no partition.
    journal_time_seconds: IntGaugeVec,
    partition_told: IntGaugeVec,
    journal_partitions: IntGauge,
    commit_seconds: Histogram,
    /// What the parts of a Kafka run tell.
    pub pipeline: Pipeline,
    state_events: IntCounterVec,
    snapshot_timestamp_seconds: IntGaugeVec,
    paused: IntGaugeVec,
    /// What came over HTTP.
    pub http: HttpMetrics,
    kpis: KpiMetrics,
    outcomes: OutcomeMetrics,
    /// What readers of committed states are told, by the same facts.
    pub readers: Readers,
    /// How each partition stands that this process owns, beside Kafka.
    board: Mutex<BTreeMap<u16, Header>>,
    /// Held while the metrics are rendered, for which series are taken back and told anew, and while a partition comes or goes: each is told as a
    /// whole or not at all.
    rendering: Mutex<()>,
}

impl Metrics {
    /// Registers every metric, each at its starting value.
    ///
    /// # Panics
    ///
    /// If two metrics have one name, which is a defect of this file.
    #[must_use]
    pub fn new() -> Self {
        let registry = Registry::new();
        let gauge = |name: &str, help: &str| {
            let gauge = IntGauge::new(name, help).expect("a valid name");
            registry.register(Box::new(gauge.clone())).expect("a name of its own");
            gauge
        };
        let gauges = |name: &str, help: &str, labels: &[&str]| {
            let gauges = IntGaugeVec::new(Opts::new(name, help), labels).expect("a valid name");
            registry.register(Box::new(gauges.clone())).expect("a name of its own");
            gauges
        };
        let counters = |name: &str, help: &str, labels: &[&str]| {
            let counters = IntCounterVec::new(Opts::new(name, help), labels).expect("a valid name");
            registry.register(Box::new(counters.clone())).expect("a name of its own");
            counters
        };
        let events = IntCounter::new("bellwether_events_total", "Input lines read by this process.").expect("a valid name");
        registry.register(Box::new(events.clone())).expect("a name of its own");
        let buckets = vec![0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0];
        let latency =
            HistogramOpts::new("bellwether_commit_seconds", "Time from the first prefetch of a batch to its commit.").buckets(buckets);
        let commit_seconds = Histogram::with_opts(latency).expect("a valid name");
        registry.register(Box::new(commit_seconds.clone())).expect("a name of its own");
        let rejected = counters("bellwether_rejected_total", "Input lines written to the dead letters, by reason.", &["reason"]);
        // Each is there from the start: what begins with its first burst does not increase, as Prometheus sees it.
        RejectReason::ALL.iter().for_each(|reason| rejected.with_label_values(&[reason.code()]).inc_by(0));
        let paused = gauges("bellwether_paused", "1 while somebody has paused the workers of the role in this process.", &["role"]);
        Worker::ALL.iter().for_each(|worker| paused.with_label_values(&[worker.name()]).set(0));
        Self {
            events,
            commit_seconds,
            rejected,
            signals: SignalMetrics::register(&registry),
            duplicates: gauge("bellwether_duplicate_events", "Events dropped as duplicates since the journal was created."),
            too_late: gauge("bellwether_too_late_events", "Events too old for their windows since the journal was created."),
            limited: gauge(
                "bellwether_limited_events",
                "Events that met a full table of a state, and evaluations that could open no further episode, since the journal was created.",
            ),
            poisoned: gauge("bellwether_poisoned_records", "Records and reviews left out because folding them panicked."),
            stragglers: gauge("bellwether_straggler_events", "Events dropped because they are dated before the erasure of their customer."),
            customers: gauge("bellwether_customers", "Customers ever seen."),
            active_customers: gauge("bellwether_active_customers", "Customers with a running subscription."),
            journey: JourneyMetrics::register(&registry),
            open_episodes: OpenEpisodeMetrics::register(&registry),
            silences: SilenceMetrics::register(&registry),
            journal_time_seconds: gauges("bellwether_journal_time_seconds", "Journal time, seconds since 1970-01-01T00:00:00Z.", &[]),
            partition_told: gauges(
                "bellwether_partition_told",
                "1 for each journal partition of whose customers this process tells: it owns it, and is where everything is published.",
                &["partition"],
            ),
            journal_partitions: gauge(
                "bellwether_journal_partitions",
                "Partitions of the journal, here or elsewhere; 0 while this process does not know, or has none to do with.",
            ),
            pipeline: Pipeline::register(&registry),
            outcomes: OutcomeMetrics::register(&registry),
            state_events: counters(
                "bellwether_state_events_total",
                "What happened to stored states beside their work: snapshots, restores, damage.",
                &["event"],
            ),
            snapshot_timestamp_seconds: gauges(
                "bellwether_snapshot_timestamp_seconds",
                "When the newest snapshot of a partition was taken, or last found to hold all there is, seconds since 1970-01-01T00:00:00Z; 0: \
                 none is known.",
                &["partition"],
            ),
            paused,
            http: HttpMetrics::register(&registry),
            kpis: KpiMetrics::register(&registry),
            readers: Readers::default(),
            board: Mutex::default(),
            rendering: Mutex::default(),
            registry,
        }
    }

    /// The exposition in Prometheus' text format.
    #[must_use]
    pub fn render(&self) -> String {
        self.render_at(Time(now_ms()))
    }

    /// The same, with ages as they are at a time.
    #[must_use]
    pub fn render_at(&self, now: Time) -> String {
        let _alone = self.alone();
        self.settle_board();
        self.kpis.refresh();
        self.pipeline.refresh(now.0);
        let mut text = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut text) {
            tracing::error!(%error, "metrics could not be rendered");
        }
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Every metric, also those without series.
    #[must_use]
    pub fn described(&self) -> Vec<Described> {
        self.registry.described()
    }

    /// Lines were taken in.
    pub fn took_in(&self, lines: u64) {
        self.events.inc_by(lines);
    }

    /// A line was rejected.
    pub fn rejected(&self, reason: &str) {
        self.rejected.with_label_values(&[reason]).inc();
    }

    /// Outputs were published.
    pub fn published(&self, counts: &SignalCounts) {
        self.signals.published(counts);
    }

    /// Something happened to a stored state that is not its daily work.
    pub fn state_event(&self, event: StateEvent) {
        self.state_events.with_label_values(&[event.name()]).inc();
    }

    /// Pauses the workers of a kind, or resumes them: they read nothing meanwhile and keep their partitions. An embedded run has one loop,
    /// which either of them pauses.
    pub fn pause(&self, worker: Worker, is_paused: bool) {
        self.paused.with_label_values(&[worker.name()]).set(i64::from(is_paused));
        self.readers.pause(worker, is_paused);
    }

    /// A batch was committed.
    pub fn committed(&self, latency: Duration) {
        self.commit_seconds.observe(latency.as_secs_f64());
    }

    /// The partitions stand so after a commit.
    pub fn settled<'a>(&self, headers: impl Iterator<Item = &'a Header>, watermark: Time) {
        let mut sums = Aggregates::default();
        headers.for_each(|header| sums.merge(&header.aggregates));
        self.outcomes.set(&sums.outcomes);
        let whole = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        self.duplicates.set(whole(sums.duplicates));
        self.too_late.set(whole(sums.too_late));
        self.limited.set(whole(sums.limited));
        self.poisoned.set(whole(sums.poisoned));
        self.stragglers.set(whole(sums.stragglers));
        self.customers.set(sums.customers);
        self.active_customers.set(sums.active_customers);
        if watermark != Time::MIN {
            self.kpis.stand(sums.kpis, sums.mrr_minor, watermark.day());
            self.journal_time_seconds.with_label_values::<&str>(&[]).set(watermark.0.div_euclid(1_000));
        }
    }

    /// A store is open, of a journal with so many partitions, of which a group is to give so many workers their share.
    pub fn opened(&self, store: &Arc<Store>, journal_partitions: u16, workers: usize) {
        self.journal_partitions.set(i64::from(journal_partitions));
        self.readers.opened(store, journal_partitions, workers);
    }

    /// A rule set is in force.
    pub fn rules_in_force(&self, rules: &RuleSet) {
        self.kpis.set_settings(&rules.settings.kpis);
        self.signals.begin(rules);
    }

    /// A partition that this process owns stands so after a commit, under these rules: all of it is told at once.
    pub fn partition_stands(&self, partition: u16, header: &Header, rules: &RuleSet) {
        let _alone = self.alone();
        self.partition_settled(partition, header);
        self.settled_under(partition, header, rules);
        self.rules_in_force(rules);
    }

    /// What is told in the words of the rules: a partition stands so after a commit, under these.
    pub fn settled_under(&self, partition: u16, header: &Header, rules: &RuleSet) {
        self.journey.settled(partition, header, rules);
        self.open_episodes.settled(partition, header, rules);
        self.silences.settled(partition, header);
        self.partition_told.with_label_values(&[&partition.to_string()]).set(1);
    }

    /// A partition that this process owns has nothing to tell of yet: nothing in it was ever folded.
    pub fn partition_stands_empty(&self, partition: u16, header: &Header) {
        let _alone = self.alone();
        self.partition_settled(partition, header);
        self.partition_told.with_label_values(&[&partition.to_string()]).set(1);
    }

    fn partition_settled(&self, partition: u16, header: &Header) {
        self.board().insert(partition, header.clone());
    }

    /// The newest snapshot of a partition is of this time. Only its owner tells.
    pub fn snapshot_stands(&self, partition: u16, newest: Time) {
        // Whoever takes snapshots may come too late with one of a partition that is gone: the board stays locked.
        let board = self.board();
        if board.contains_key(&partition) {
            self.snapshot_timestamp_seconds.with_label_values(&[&partition.to_string()]).set(newest.0.div_euclid(1_000));
        }
    }

    /// A partition is no longer this process's: its new owner tells about it.
    pub fn partition_gone(&self, partition: u16) {
        let _alone = self.alone();
        let mut board = self.board();
        board.remove(&partition);
        // What was never told cannot be taken back, which is no harm.
        _ = self.snapshot_timestamp_seconds.remove_label_values(&[&partition.to_string()]);
        _ = self.partition_told.remove_label_values(&[&partition.to_string()]);
        let is_empty = board.is_empty();
        drop(board);
        self.journey.gone(partition);
        self.open_episodes.gone(partition);
        self.silences.gone(partition);
        self.readers.gone(partition);
        if is_empty {
            self.settled([].iter(), Time::MIN);
            self.kpis.forget();
            self.journal_time_seconds.reset();
        } else {
            self.settle_board();
        }
    }

    /// Sums the partitions up, as of now; the slowest one says what journal time is.
    fn settle_board(&self) {
        let board = self.board();
        if !board.is_empty() {
            // Time has not begun in one in which nothing was folded.
            let times = board.values().map(|header| header.journal_time).filter(|time| *time != Time::MIN);
            self.settled(board.values(), times.min().unwrap_or(Time::MIN));
        }
    }

    fn alone(&self) -> std::sync::MutexGuard<'_, ()> {
        self.rendering.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn board(&self) -> std::sync::MutexGuard<'_, BTreeMap<u16, Header>> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Totals for a status line: lines taken in, customers, active customers.
    #[must_use]
    pub fn status(&self) -> (u64, i64, i64) {
        (self.events.get(), self.customers.get(), self.active_customers.get())
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
