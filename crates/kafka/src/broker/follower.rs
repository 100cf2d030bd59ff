//! A reader that goes on: what is committed to some partitions, as it comes.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError as Cause, RDKafkaErrorCode as Code};

use super::callbacks::PlainCallbacks;
use super::consume::push;
use super::lists::list_with_offsets;
use super::lookup::is_about_this;
use super::options::ConnectionOptions;
use super::troubles::Troubles;
use crate::batch::{Batch, TopicPartition};
use crate::error::{KafkaError, Remedy};

/// Reads the committed records of partitions for as long as somebody asks. It belongs to no group and commits nothing.
pub struct Follower {
    consumer: BaseConsumer<PlainCallbacks>,
}

impl Follower {
    /// Reads each partition from an offset on; from its first record, where that is later, and from its end, where that is earlier.
    ///
    /// # Errors
    ///
    /// When the options are wrong, the broker does not answer, or there is no such partition.
    pub fn new(connection: &ConnectionOptions, starts: &[(TopicPartition, u64)]) -> Result<Self, KafkaError> {
        let wrong = |cause: Cause| Troubles::default().explain("starting to follow partitions", &cause);
        let config = connection.reader_config(&connection.client_id)?;
        let consumer = config.create_with_context(PlainCallbacks::default()).map_err(wrong)?;
        let follower = Self { consumer };
        let mut bounded = Vec::with_capacity(starts.len());
        for (at, start) in starts {
            let found = follower.consumer.fetch_watermarks(&at.topic, at.partition, connection.timeout);
            let (first, end) = found.map_err(|cause| follower.explain(&format!("asking for the bounds of {at}"), &cause))?;
            let (first, end) = (u64::try_from(first).unwrap_or_default(), u64::try_from(end).unwrap_or_default());
            bounded.push((at, (*start).clamp(first, end.max(first))));
        }
        follower.consumer.assign(&list_with_offsets(bounded)?).map_err(wrong)?;
        Ok(follower)
    }

    /// Reads what is there by now into the batch, until it holds `max_records` or `max_bytes`; waits for the first record at most so long.
    ///
    /// # Errors
    ///
    /// When a topic is missing or may not be read. When a retention has deleted what comes next, a new follower goes on behind that.
    pub fn read(&mut self, batch: &mut Batch, max_records: usize, max_bytes: usize, wait: Duration) -> Result<(), KafkaError> {
        let deadline = Instant::now() + wait;
        while batch.len() < max_records && batch.size_bytes() < max_bytes {
            let remaining = if batch.is_empty() { deadline.saturating_duration_since(Instant::now()) } else { Duration::ZERO };
            match self.consumer.poll(remaining) {
                Some(Ok(message)) => push(batch, &message),
                Some(Err(cause)) if is_gone(&cause) => {
                    let error = self.explain("following partitions", &cause);
                    return Err(KafkaError { remedy: Remedy::Retry, ..error });
                }
                Some(Err(cause)) if !matches!(cause, Cause::PartitionEOF(_)) && is_about_this(&cause) => {
                    return Err(self.explain("following partitions", &cause));
                }
                None if remaining.is_zero() => break,
                Some(Err(_)) | None => {}
            }
        }
        Ok(())
    }

    fn explain(&self, what: &str, cause: &Cause) -> KafkaError {
        self.consumer.context().troubles.explain(what, cause)
    }
}

/// Whether the place to go on at is outside of its partition.
fn is_gone(cause: &Cause) -> bool {
    matches!(cause.rdkafka_error_code(), Some(Code::AutoOffsetReset | Code::OffsetOutOfRange))
}
