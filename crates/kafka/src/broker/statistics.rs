//! From librdkafka's statistics to the few that matter.

use std::sync::Mutex;

use rdkafka::Statistics;

use crate::statistics::ClientStatistics;

/// How often librdkafka tells, milliseconds.
pub(super) const INTERVAL_MS: &str = "5000";

/// What was told last.
#[derive(Debug, Default)]
pub(super) struct Latest(Mutex<Option<ClientStatistics>>);

impl Clone for Latest {
    fn clone(&self) -> Self {
        Self(Mutex::new(self.get()))
    }
}

impl Latest {
    pub(super) fn put(&self, statistics: &Statistics) {
        *self.0.lock().expect("no holder panics") = Some(chosen(statistics));
    }

    pub(super) fn get(&self) -> Option<ClientStatistics> {
        self.0.lock().expect("no holder panics").clone()
    }
}

fn chosen(statistics: &Statistics) -> ClientStatistics {
    let brokers = || statistics.brokers.values();
    let fetched = || statistics.topics.values().flat_map(|topic| topic.partitions.values());
    let is_consumer = statistics.client_type == "consumer";
    let (queued_records, queued_bytes) = if is_consumer {
        (fetched().map(|one| one.fetchq_cnt).sum(), fetched().map(|one| one.fetchq_size).sum::<u64>())
    } else {
        (i64::try_from(statistics.msg_cnt).unwrap_or(i64::MAX), statistics.msg_size)
    };
    let slowest_us = brokers().filter_map(|broker| Some(broker.rtt.as_ref()?.p99)).max().unwrap_or_default();
    let counted = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    ClientStatistics {
        client: statistics.client_id.clone(),
        kind: statistics.client_type.clone(),
        round_trip_p99_seconds: slowest_us as f64 / 1e6,
        waiting_requests: brokers().map(|broker| broker.outbuf_cnt.max(0) + broker.waitresp_cnt.max(0)).sum(),
        queued_records,
        queued_bytes: counted(queued_bytes),
        request_timeouts: counted(brokers().map(|broker| broker.req_timeouts).sum()),
        request_errors: counted(brokers().map(|broker| broker.txerrs + broker.rxerrs).sum()),
        connects: brokers().filter_map(|broker| broker.connects).sum(),
        transaction_state: statistics.eos.as_ref().filter(|_| !is_consumer).map(|eos| eos.txn_state.clone()),
    }
}
