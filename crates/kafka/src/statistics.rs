//! How the client library itself is doing.

/// What librdkafka has told last of one of its clients. A worker has a consumer and a producer of one name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClientStatistics {
    /// Its `client.id`.
    pub client: String,
    /// `consumer` or `producer`.
    pub kind: String,
    /// The 99th percentile of the time between a request and its answer, seconds, at the slowest broker.
    pub round_trip_p99_seconds: f64,
    /// Requests that wait to be sent, or for their answer.
    pub waiting_requests: i64,
    /// Records read ahead, or produced and not acknowledged.
    pub queued_records: i64,
    /// Their bytes.
    pub queued_bytes: i64,
    /// Requests without an answer in time, since the client was made.
    pub request_timeouts: i64,
    /// Requests that could not be sent and answers that could not be received, since the client was made.
    pub request_errors: i64,
    /// Connections that were made, since the client was.
    pub connects: i64,
    /// How a transactional producer stands, in librdkafka's words, such as `Ready` or `InTransaction`.
    pub transaction_state: Option<String>,
}
