//! Metrics of the Kafka client library, one row for each consumer and producer of a worker.

use bellwether_kafka::ClientStatistics;
use prometheus::{GaugeVec, IntGaugeVec};

use crate::pipeline::Make;

const LABELS: [&str; 2] = ["client", "kind"];

/// Labels are bounded: a worker has one consumer and one producer.
pub(crate) struct ClientMetrics {
    round_trip_p99_seconds: GaugeVec,
    waiting_requests: IntGaugeVec,
    queued_records: IntGaugeVec,
    queued_bytes: IntGaugeVec,
    request_timeouts: IntGaugeVec,
    request_errors: IntGaugeVec,
    connects: IntGaugeVec,
    transaction_state: IntGaugeVec,
}

impl ClientMetrics {
    pub fn register(make: &Make<'_>) -> Self {
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
            request_timeouts: gauges("request_timeouts", "Requests without an answer in time, since the client was made."),
            request_errors: gauges("request_errors", "Requests that could not be sent or received, since the client was made."),
            connects: gauges("connects", "Connections that were made, since the client was."),
            transaction_state: make.gauges(
                "kafka_client_transaction_state",
                "1 for the state of the transactional producer, in librdkafka's words.",
                &["client", "state"],
            ),
        }
    }

    pub fn tell(&self, statistics: &ClientStatistics, before: Option<&str>) {
        let labels = [statistics.client.as_str(), statistics.kind.as_str()];
        self.round_trip_p99_seconds.with_label_values(&labels).set(statistics.round_trip_p99_seconds);
        let values = [
            (&self.waiting_requests, statistics.waiting_requests),
            (&self.queued_records, statistics.queued_records),
            (&self.queued_bytes, statistics.queued_bytes),
            (&self.request_timeouts, statistics.request_timeouts),
            (&self.request_errors, statistics.request_errors),
            (&self.connects, statistics.connects),
        ];
        values.iter().for_each(|(gauges, value)| gauges.with_label_values(&labels).set(*value));
        if let Some(state) = &statistics.transaction_state {
            if let Some(before) = before.filter(|before| before != state) {
                _ = self.transaction_state.remove_label_values(&[labels[0], before]);
            }
            self.transaction_state.with_label_values(&[labels[0], state]).set(1);
        }
    }
}
