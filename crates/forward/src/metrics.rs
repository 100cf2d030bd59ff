//! Metrics of the forwarding, by route: what happened, told once, exposed to Prometheus.

use std::time::Duration;

use bellwether_live::registry::{Described, Registry};
use prometheus::{Encoder as _, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, TextEncoder};

use crate::source::Lag;

/// All metrics of the process. Routes come from the configuration, so labels are bounded.
pub struct ForwardMetrics {
    registry: Registry,
    delivered: IntCounterVec,
    passed: IntCounterVec,
    retries: IntCounterVec,
    dead_letters: IntCounterVec,
    waiting: IntGaugeVec,
    oldest_seconds: IntGaugeVec,
    lag_records: IntGaugeVec,
    lag_seconds: IntGaugeVec,
    lag_bytes: IntGaugeVec,
    delivery_seconds: HistogramVec,
}

/// Why a message became a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeadReason {
    /// The receiver said that it never will take it.
    Refused,
    /// All attempts failed.
    Attempts,
    /// It is no signal.
    Unreadable,
}

impl DeadReason {
    pub fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Attempts => "attempts",
            Self::Unreadable => "unreadable",
        }
    }
}

impl Default for ForwardMetrics {
    fn default() -> Self {
        Self::new()
    }
}

impl ForwardMetrics {
    /// Registers every metric.
    ///
    /// # Panics
    ///
    /// If two metrics have one name, which is a defect of this file.
    #[must_use]
    pub fn new() -> Self {
        let registry = Registry::new();
        let counters = |name: &str, help: &str, labels: &[&str]| {
            let counters = IntCounterVec::new(Opts::new(name, help), labels).expect("a valid name");
            registry.register(Box::new(counters.clone())).expect("a name of its own");
            counters
        };
        let labelled_gauges = |name: &str, help: &str, labels: &[&str]| {
            let gauges = IntGaugeVec::new(Opts::new(name, help), labels).expect("a valid name");
            registry.register(Box::new(gauges.clone())).expect("a name of its own");
            gauges
        };
        let gauges = |name: &str, help: &str| labelled_gauges(name, help, &["route"]);
        let buckets = vec![0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1_800.0, 7_200.0];
        let options = HistogramOpts::new("bellwether_forward_delivery_seconds", "Time from reading a signal to its delivery, by route.");
        let delivery_seconds = HistogramVec::new(options.buckets(buckets), &["route"]).expect("a valid name");
        registry.register(Box::new(delivery_seconds.clone())).expect("a name of its own");
        Self {
            delivered: counters("bellwether_forward_delivered_total", "Messages that a receiver has taken, by route.", &["route"]),
            passed: counters("bellwether_forward_passed_total", "Signals that were read and that the route does not take.", &["route"]),
            retries: counters("bellwether_forward_retries_total", "Attempts that failed and are repeated, by route.", &["route"]),
            dead_letters: counters(
                "bellwether_forward_dead_letters_total",
                "Messages written to the dead letters, by route and reason.",
                &["route", "reason"],
            ),
            waiting: gauges("bellwether_forward_waiting_signals", "Signals that were read and are not settled yet, by route."),
            oldest_seconds: gauges(
                "bellwether_forward_oldest_waiting_seconds",
                "How long the signal that waits longest has waited, by route.",
            ),
            lag_records: labelled_gauges(
                "bellwether_forward_lag_records",
                "Offsets of the signals topic behind what a route has settled, by partition; marks of transactions count while there is more.",
                &["route", "partition"],
            ),
            lag_seconds: gauges(
                "bellwether_forward_lag_seconds",
                "Age of the oldest record of the signals topic that the route has not settled, since its append; 0 at the end.",
            ),
            lag_bytes: gauges("bellwether_forward_lag_bytes", "Bytes of the signals file behind what a route has settled."),
            delivery_seconds,
            registry,
        }
    }

    /// The exposition in Prometheus' text format.
    ///
    /// # Panics
    ///
    /// Never: text is written to memory.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text).expect("text is written to memory");
        String::from_utf8(text).expect("the encoder writes UTF-8")
    }

    /// All metrics, by name.
    #[must_use]
    pub fn described(&self) -> Vec<Described> {
        self.registry.described()
    }

    /// Gives a route its series, so that its counters begin at zero.
    pub(crate) fn route(&self, route: &str) {
        for counters in [&self.delivered, &self.passed, &self.retries] {
            counters.with_label_values(&[route]).inc_by(0);
        }
        for reason in [DeadReason::Refused, DeadReason::Attempts, DeadReason::Unreadable] {
            self.dead_letters.with_label_values(&[route, reason.name()]).inc_by(0);
        }
        self.stands(route, 0, Duration::ZERO);
    }

    /// How far a route is behind the end of what it reads. Partitions that it has lost tell nothing any more.
    pub(crate) fn lags(&self, route: &str, lag: &Lag, before: &Lag) {
        if let Some(bytes) = lag.bytes {
            self.lag_bytes.with_label_values(&[route]).set(i64::try_from(bytes).unwrap_or(i64::MAX));
            return;
        }
        for gone in before.records.keys().filter(|partition| !lag.records.contains_key(partition)) {
            // What was never told cannot be taken back, which is no harm.
            _ = self.lag_records.remove_label_values(&[route, &gone.to_string()]);
        }
        for (partition, records) in &lag.records {
            self.lag_records.with_label_values(&[route, &partition.to_string()]).set(i64::try_from(*records).unwrap_or(i64::MAX));
        }
        self.lag_seconds.with_label_values(&[route]).set(i64::try_from(lag.age.as_secs()).unwrap_or(i64::MAX));
    }

    pub(crate) fn delivered(&self, route: &str, took: Duration) {
        self.delivered.with_label_values(&[route]).inc();
        self.delivery_seconds.with_label_values(&[route]).observe(took.as_secs_f64());
    }

    pub(crate) fn passed(&self, route: &str) {
        self.passed.with_label_values(&[route]).inc();
    }

    pub(crate) fn retried(&self, route: &str) {
        self.retries.with_label_values(&[route]).inc();
    }

    pub(crate) fn died(&self, route: &str, reason: DeadReason) {
        self.dead_letters.with_label_values(&[route, reason.name()]).inc();
    }

    pub(crate) fn stands(&self, route: &str, waiting: usize, oldest: Duration) {
        self.waiting.with_label_values(&[route]).set(i64::try_from(waiting).unwrap_or(i64::MAX));
        self.oldest_seconds.with_label_values(&[route]).set(i64::try_from(oldest.as_secs()).unwrap_or(i64::MAX));
    }
}
