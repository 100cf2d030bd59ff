//! A plain reader for tools: a stretch of one partition, batch by batch.

use std::ops::Range;
use std::time::Instant;

use rdkafka::Message as _;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError as Cause, RDKafkaErrorCode as Code};

use super::callbacks::PlainCallbacks;
use super::classify::is_unknown;
use super::consume::{offset, push};
use super::lists::list_with_offsets;
use super::lookup::is_about_this;
use super::options::ConnectionOptions;
use super::troubles::{Troubles, patiently};
use crate::batch::{Batch, TopicPartition};
use crate::error::{KafkaError, Remedy};

/// Reads the committed records of a stretch of a partition. It belongs to no group and commits nothing.
pub struct Reader {
    consumer: BaseConsumer<PlainCallbacks>,
    connection: ConnectionOptions,
    at: TopicPartition,
    end: u64,
    /// Behind the last record that was read.
    next: u64,
    /// Everything has been read.
    done: bool,
}

/// Replaying is a race for throughput.
const QUEUE: [(&str, &str); 3] =
    [("queued.min.messages", "100000"), ("queued.max.messages.kbytes", "65536"), ("fetch.message.max.bytes", "4194304")];

/// A place in a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// An offset.
    Offset(u64),
    /// The first record of which the broker's time is this or later, milliseconds since the epoch.
    Time(i64),
}

impl Reader {
    /// Reads from the first offset of the range, which must exist or be the end of the partition, to the last one before its end, or to the end
    /// of the partition, whichever comes first.
    ///
    /// # Errors
    ///
    /// When the options are wrong.
    pub fn new(connection: ConnectionOptions, at: TopicPartition, offsets: Range<u64>) -> Result<Self, KafkaError> {
        let consumer = Self::consumer(&connection, &at)?;
        Self::start(consumer, connection, at, offsets)
    }

    /// Reads all that is committed as of now.
    ///
    /// # Errors
    ///
    /// When the options are wrong, the broker does not answer, or there is no such partition.
    pub fn of_all(connection: ConnectionOptions, at: TopicPartition) -> Result<Self, KafkaError> {
        Self::of_part(connection, at, None, None)
    }

    /// Reads what is committed as of now, from a place on and up to another one, which is not read itself; without one, from the start and to the end.
    /// Places outside of the partition are its bounds.
    ///
    /// # Errors
    ///
    /// When the options are wrong, the broker does not answer, or there is no such partition.
    pub fn of_part(connection: ConnectionOptions, at: TopicPartition, from: Option<Place>, to: Option<Place>) -> Result<Self, KafkaError> {
        let consumer = Self::consumer(&connection, &at)?;
        let troubles = &consumer.context().troubles;
        let explain = |what: &str, cause: &Cause| troubles.explain(format!("asking for {what} of {at}"), cause);
        // A partition that just changes its leader has none for a moment.
        let found = patiently(&connection, troubles, |timeout| consumer.fetch_watermarks(&at.topic, at.partition, timeout));
        let (first, end) = found.map_err(|cause| explain("the bounds", &cause))?;
        let (first, end) = (u64::try_from(first).unwrap_or_default(), u64::try_from(end).unwrap_or_default());
        let offset = |place: Option<Place>, without: u64| match place {
            None => Ok(without),
            Some(Place::Offset(offset)) => Ok(offset.clamp(first, end)),
            Some(Place::Time(milliseconds)) => {
                let asked = list_with_offsets([(&at, u64::try_from(milliseconds).unwrap_or_default())])?;
                let answer = patiently(&connection, troubles, |timeout| consumer.offsets_for_times(asked.clone(), timeout));
                let answer = answer.map_err(|cause| explain("an offset by time", &cause))?;
                // Behind the last record there is none of a later time.
                let found = answer.elements().first().and_then(|element| element.offset().to_raw()).and_then(|raw| u64::try_from(raw).ok());
                Ok(found.map_or(end, |offset| offset.clamp(first, end)))
            }
        };
        let offsets = offset(from, first)?..offset(to, end)?;
        Self::start(consumer, connection, at, offsets)
    }

    fn consumer(connection: &ConnectionOptions, at: &TopicPartition) -> Result<BaseConsumer<PlainCallbacks>, KafkaError> {
        let mut config = connection.reader_config(&connection.client_id)?;
        for (name, value) in QUEUE.iter().filter(|(name, _)| !connection.properties.contains_key(*name)) {
            config.set(*name, *value);
        }
        let wrong = |cause: Cause| Troubles::default().explain(format!("starting to read {at}"), &cause);
        config.create_with_context(PlainCallbacks::default()).map_err(wrong)
    }

    fn start(
        consumer: BaseConsumer<PlainCallbacks>,
        connection: ConnectionOptions,
        at: TopicPartition,
        offsets: Range<u64>,
    ) -> Result<Self, KafkaError> {
        let wrong = |cause: Cause| Troubles::default().explain(format!("starting to read {at}"), &cause);
        consumer.assign(&list_with_offsets([(&at, offsets.start)])?).map_err(wrong)?;
        Ok(Self { consumer, connection, at, end: offsets.end, next: offsets.start, done: offsets.is_empty() })
    }

    /// Reads more records into the batch, until it holds `max_records` or `max_bytes`. False when there are no more.
    ///
    /// # Errors
    ///
    /// When the broker does not answer in time, when the topic is missing or may not be read, or when its retention has deleted what is asked for.
    pub fn read(&mut self, batch: &mut Batch, max_records: usize, max_bytes: usize) -> Result<bool, KafkaError> {
        let mut deadline = Instant::now() + self.connection.timeout;
        while !self.done && batch.len() < max_records && batch.size_bytes() < max_bytes {
            let remaining = deadline.saturating_duration_since(Instant::now());
            match self.consumer.poll(remaining) {
                Some(Ok(message)) if offset(&message) < self.end => {
                    debug_assert_eq!(message.partition(), self.at.partition);
                    push(batch, &message);
                    self.next = offset(&message) + 1;
                    self.done = self.next == self.end;
                    if batch.len().is_multiple_of(DEADLINE_EVERY) {
                        deadline = Instant::now() + self.connection.timeout;
                    }
                }
                Some(Ok(_) | Err(Cause::PartitionEOF(_))) => self.done = true,
                Some(Err(cause)) if is_about_this(&cause) => return Err(self.explain(&cause)),
                None if remaining.is_zero() => return Err(self.explain(&Cause::MessageConsumption(Code::OperationTimedOut))),
                Some(Err(_)) | None => {}
            }
        }
        Ok(!self.done)
    }

    /// The offset behind the last record that was read; where reading began, if there was none.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.next
    }

    fn explain(&self, cause: &Cause) -> KafkaError {
        let what = format!("reading {}", self.at);
        let error = self.consumer.context().troubles.explain(what, cause);
        if is_unknown(cause) { KafkaError { remedy: Remedy::Stop, ..error } } else { error }
    }
}

/// The clock is not looked at for every record.
const DEADLINE_EVERY: usize = 1024;
