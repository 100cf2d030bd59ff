//! Metrics of the Kafka client library, one row for each consumer and producer of a worker.

use std::collections::BTreeMap;

use bellwether_kafka::ClientStatistics;
use prometheus::{GaugeVec, IntCounterVec, IntGaugeVec};

use crate::pipeline::Make;

const LABELS: [&str; 2] = ["client", "kind"];

/// Labels are bounded: a worker has one consumer and one producer.
pub(crate) struct ClientMetrics {
    round_trip_p99_seconds: GaugeVec,
    waiting_requests: IntGaugeVec,
    queued_records: IntGaugeVec,
    queued_bytes: IntGaugeVec,
    request_timeouts: IntCounterVec,
    request_errors: IntCounterVec,
    connects: IntCounterVec,
    transaction_state: IntGaugeVec,
}

impl ClientMetrics {
    pub fn register(make: &Make<'_>) -> Self {
        let counters = |name: &str, help: &str| make.counters(&format!("kafka_client_{name}_total"), help, &LABELS);
        let gauges = |name: &str, help: &str| make.gauges(&format!("kafka_client_{name}"), help, &LABELS);
        Self {
            round_trip_p99_seconds: make.float_gauges(
                "kafka_client_round_trip_p99_seconds",
                "Time between a request and its answer at the slowest broker, 99th percentile of the last seconds.",
                &LABELS,
            ),
            waiting_requests: gauges("waiting_requests", "Requests that wait to be sent, or for their answer."),
            queued_records: gauges("queued_records", "Records read ahead by a consumer, or not acknowledged yet to a producer."),
            queued_bytes: gauges("queued_bytes", "Bytes of those records."),
            request_timeouts: counters("request_timeouts", "Requests without an answer in time."),
            request_errors: counters("request_errors", "Requests that could not be sent, and answers that could not be received."),
            connects: counters("connects", "Connections that were made."),
            transaction_state: make.gauges(
                "kafka_client_transaction_state",
                "1 for the state of the transactional producer, in librdkafka's words.",
                &["client", "state"],
            ),
        }
    }

    pub fn tell(&self, statistics: &ClientStatistics, told: &mut Told) {
        let key = (statistics.client.clone(), statistics.kind.clone());
        let labels = [key.0.as_str(), key.1.as_str()];
        self.round_trip_p99_seconds.with_label_values(&labels).set(statistics.round_trip_p99_seconds);
        let gauges = [
            (&self.waiting_requests, statistics.waiting_requests),
            (&self.queued_records, statistics.queued_records),
            (&self.queued_bytes, statistics.queued_bytes),
        ];
        gauges.iter().for_each(|(gauges, value)| gauges.with_label_values(&labels).set(*value));
        let before = told.0.get(&key);
        let counters = [
            (&self.request_timeouts, statistics.request_timeouts, before.map(|before| before.request_timeouts)),
            (&self.request_errors, statistics.request_errors, before.map(|before| before.request_errors)),
            (&self.connects, statistics.connects, before.map(|before| before.connects)),
        ];
        for (counters, total, before) in counters {
            counters.with_label_values(&labels).inc_by(increase(total, before.unwrap_or_default()));
        }
        if let Some(state) = &statistics.transaction_state {
            if let Some(before) = before.and_then(|before| before.transaction_state.as_ref()).filter(|before| *before != state) {
                _ = self.transaction_state.remove_label_values(&[labels[0], before]);
            }
            self.transaction_state.with_label_values(&[labels[0], state]).set(1);
        }
        told.0.insert(key, statistics.clone());
    }
}

/// What each client, by name and kind, was told to be like.
#[derive(Debug, Default)]
pub(crate) struct Told(BTreeMap<(String, String), ClientStatistics>);

/// A client that was built anew begins at 0 again.
fn increase(total: i64, before: i64) -> u64 {
    let since = if total < before { total } else { total - before };
    u64::try_from(since).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Pipeline;
    use crate::registry::Registry;

    #[test]
    fn totals_go_on_when_a_client_is_built_anew_and_only_its_last_state_is_told() {
        let registry = Registry::new();
        let pipeline = Pipeline::register(&registry);
        for (connects, state) in [(3, "Ready"), (3, "InTransaction"), (5, "Ready"), (2, "Init"), (4, "InTransaction")] {
            let (client, kind) = ("bellwether-i1".to_owned(), "producer".to_owned());
            pipeline.clients(&[ClientStatistics {
                client,
                kind,
                connects,
                transaction_state: Some(state.to_owned()),
                ..Default::default()
            }]);
        }
        let gathered = registry.gather();
        let family = |name: &str| gathered.iter().find(|family| family.name() == name).unwrap_or_else(|| panic!("{name}"));
        let connects = family("bellwether_kafka_client_connects_total").get_metric();
        assert_eq!(connects.iter().map(|metric| metric.get_counter().get_value()).collect::<Vec<_>>(), [9.0]);
        let states = family("bellwether_kafka_client_transaction_state").get_metric();
        let state =
            |metric: &prometheus::proto::Metric| metric.get_label().iter().map(|label| label.value().to_owned()).collect::<Vec<_>>();
        assert_eq!(states.iter().map(state).collect::<Vec<_>>(), [["bellwether-i1", "InTransaction"]]);
    }
}
