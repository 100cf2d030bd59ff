//! Reading: polls, and the answers to rebalances.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::Message as _;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::KafkaError as Cause;
use rdkafka::message::BorrowedMessage;
use rdkafka::types::RDKafkaErrorCode as Code;

use super::classify::is_unknown;
use super::headers;
use super::lists::{list, list_with_offsets, partition};
use super::session::Session;
use crate::batch::{Batch, TopicPartition};
use crate::client::Polled;
use crate::error::{KafkaError, Remedy};

impl Session {
    pub(super) fn poll(
        &mut self,
        batch: &mut Batch,
        max_records: usize,
        max_bytes: usize,
        timeout: Duration,
    ) -> Result<Polled, KafkaError> {
        let (deadline, before) = (Instant::now() + timeout, batch.len());
        // Errors may have waited here for long: only what is so at the end counts.
        let mut is_down = None;
        // What is there is taken without a look at the clock for each record.
        let mut wait = Duration::ZERO;
        let polled = loop {
            let mut nothing = false;
            match self.consumer.poll(wait) {
                Some(Ok(message)) => {
                    if self.positions.read(message.topic(), message.partition(), offset(&message)) {
                        push(batch, &message);
                    }
                }
                Some(Err(cause)) if cause.rdkafka_error_code() == Some(Code::AllBrokersDown) => is_down = Some(cause),
                Some(Err(cause)) => self.judge(&cause)?,
                None => nothing = true,
            }
            if let Some(polled) = self.rebalanced(batch)? {
                break polled;
            }
            wait = if nothing { deadline.saturating_duration_since(Instant::now()) } else { Duration::ZERO };
            if batch.len() >= max_records || batch.size_bytes() >= max_bytes || (nothing && wait.is_zero()) {
                break Polled::Records;
            }
        };
        if let Some(cause) = is_down.filter(|_| polled == Polled::Records && batch.len() == before) {
            return Err(self.consumer.context().troubles.explain("reading", &cause));
        }
        // The order matters: if the place was gone when it was asked for, then the assignment was lost by then.
        self.place = self.consumer.group_metadata().map(Arc::new);
        if self.consumer.assignment_lost() {
            self.place = None;
        }
        Ok(polled)
    }

    /// Tells the worker of partitions that went or came, in this order: those that went may be given to somebody else by now.
    fn rebalanced(&mut self, batch: &mut Batch) -> Result<Option<Polled>, KafkaError> {
        let callbacks = self.consumer.context();
        let mut rebalances = callbacks.rebalances();
        if let Some(cause) = rebalances.failure.take() {
            return Err(KafkaError::new(Remedy::Rebuild, "answering a rebalance", cause));
        }
        if !rebalances.gone.is_empty() {
            let gone: Vec<_> = std::mem::take(&mut rebalances.gone).into_iter().collect();
            self.positions.forget(&gone);
            batch.forget(&gone);
            drop(rebalances);
            // librdkafka would remember it, should they come back.
            self.resume(&gone)?;
            return Ok(Some(Polled::Revoked(gone)));
        }
        if !rebalances.came.is_empty() {
            let came = std::mem::take(&mut rebalances.came);
            rebalances.waiting.extend(came.iter().cloned());
            return Ok(Some(Polled::Assigned(came.into_iter().collect())));
        }
        Ok(None)
    }

    pub(super) fn has_assignment(&self) -> bool {
        let rebalances = self.consumer.context().rebalances();
        rebalances.is_assigned && rebalances.came.is_empty() && rebalances.gone.is_empty()
    }

    /// Errors of single connections pass.
    fn judge(&self, cause: &Cause) -> Result<(), KafkaError> {
        let troubles = &self.consumer.context().troubles;
        if troubles.refused() {
            return Err(troubles.explain("reading", cause));
        }
        if is_unknown(cause) {
            return Err(KafkaError::new(Remedy::Retry, "reading", cause));
        }
        match cause.rdkafka_error_code() {
            Some(Code::BrokerTransportFailure | Code::Resolve | Code::OperationTimedOut | Code::Authentication | Code::SSL) => Ok(()),
            // The revocation comes as such.
            Some(Code::PollExceeded) => Ok(()),
            _ => Err(troubles.explain("reading", cause)),
        }
    }

    pub(super) fn assign(&mut self, starts: &[(TopicPartition, u64)]) -> Result<(), KafkaError> {
        let over = || KafkaError::new(Remedy::Retry, "starting to read", "the assignment is over already");
        let callbacks = self.consumer.context().clone();
        let mut rebalances = callbacks.rebalances();
        // librdkafka takes what is added to a lost assignment, and forgets that it was lost.
        if self.consumer.assignment_lost() || starts.iter().any(|(at, _)| !rebalances.waiting.contains(at)) {
            return Err(over());
        }
        let list = list_with_offsets(starts.iter().map(|(at, offset)| (at, *offset)))?;
        self.consumer.incremental_assign(&list).map_err(|cause| KafkaError::new(Remedy::Rebuild, "starting to read", cause))?;
        for (at, offset) in starts {
            rebalances.waiting.remove(at);
            rebalances.reading.insert(at.clone());
            self.positions.start(at, *offset);
        }
        Ok(())
    }

    pub(super) fn pause(&mut self, partitions: &[TopicPartition]) -> Result<(), KafkaError> {
        let reading: Vec<TopicPartition> = {
            let rebalances = self.consumer.context().rebalances();
            partitions.iter().filter(|at| rebalances.reading.contains(*at) && !self.paused.contains(*at)).cloned().collect()
        };
        if !reading.is_empty() {
            let paused = self.consumer.pause(&list(&reading));
            paused.map_err(|cause| KafkaError::new(Remedy::Rebuild, "pausing the reading of partitions", cause))?;
            self.paused.extend(reading);
        }
        Ok(())
    }

    /// Only of paused ones: otherwise librdkafka drops what it has read ahead, and goes on behind it.
    pub(super) fn resume(&mut self, partitions: &[TopicPartition]) -> Result<(), KafkaError> {
        let paused: Vec<TopicPartition> = partitions.iter().filter_map(|at| self.paused.take(at)).collect();
        if paused.is_empty() {
            return Ok(());
        }
        self.consumer.resume(&list(&paused)).map_err(|cause| KafkaError::new(Remedy::Rebuild, "going on reading paused partitions", cause))
    }

    pub(super) fn seek(&mut self, starts: &[(TopicPartition, u64)], timeout: Duration) -> Result<(), KafkaError> {
        let what = || format!("going on reading at other offsets of {} partitions", starts.len());
        if starts.is_empty() {
            return Ok(());
        }
        {
            let rebalances = self.consumer.context().rebalances();
            if let Some((at, _)) = starts.iter().find(|(at, _)| !rebalances.reading.contains(at)) {
                return Err(KafkaError::new(Remedy::Retry, what(), format!("{at} is not being read any more")));
            }
        }
        let list = list_with_offsets(starts.iter().map(|(at, offset)| (at, *offset)))?;
        let failed = |cause: Cause| KafkaError::new(Remedy::Rebuild, what(), cause);
        let done = self.consumer.seek_partitions(list, timeout).map_err(failed)?;
        for element in done.elements() {
            element
                .error()
                .map_err(|cause| KafkaError::new(Remedy::Rebuild, format!("going on reading {}", partition(&element)), cause))?;
        }
        for (at, offset) in starts {
            self.positions.start(at, *offset);
        }
        Ok(())
    }
}

pub(super) fn offset(message: &BorrowedMessage<'_>) -> u64 {
    u64::try_from(message.offset()).unwrap_or_default()
}

pub(super) fn push(batch: &mut Batch, message: &BorrowedMessage<'_>) {
    let at = (message.topic(), message.partition());
    batch.push(at, offset(message), message.timestamp().to_millis(), message.key(), message.payload());
    headers::push(batch, message);
}
