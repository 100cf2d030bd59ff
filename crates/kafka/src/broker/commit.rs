//! Writing: one transaction from begin to commit, or to abort.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::{Builder, sleep};
use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::consumer::{Consumer as _, ConsumerGroupMetadata};
use rdkafka::error::KafkaError as Cause;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer as _};
use rdkafka::types::RDKafkaErrorCode as Code;
use rdkafka::util::Timeout;

use super::classify::classify;
use super::lists::list_with_offsets;
use super::options::{MESSAGE_TIMEOUT, SENT_ONCE, TRANSACTION_TIMEOUT};
use super::session::Session;
use crate::batch::TopicPartition;
use crate::error::{CommitError, KafkaError, Remedy};
use crate::transaction::{Outgoing, Transaction};

/// How often a full queue is looked at.
const BREATH: Duration = Duration::from_millis(1);

/// How often open acknowledgements are looked at. The producer has a thread that takes them: polled from here, it would turn in a circle for as long
/// as it is to wait, on a processor that the brokers may need.
const ACKNOWLEDGEMENT_CHECK: Duration = Duration::from_micros(500);

/// How long to wait for what is under way before an abort, which must not overtake the first record of its transaction.
const SETTLE: Duration = Duration::from_secs(1);

/// A transaction that went wrong before its commit.
struct Failure {
    what: String,
    cause: Cause,
}

impl Session {
    pub(super) fn commit(&mut self, transaction: &Transaction) -> Result<(), CommitError> {
        if transaction.is_empty() {
            return Ok(());
        }
        self.owns(transaction).map_err(CommitError::NotCommitted)?;
        self.end_doubt()?;
        self.run(transaction)
    }

    /// Before a transaction: nothing of the last one may arrive any more and count.
    pub(super) fn end_doubt(&mut self) -> Result<(), CommitError> {
        // A producer that was fenced says so when it begins: one in its place would fence whoever has come under its name.
        if !self.is_doubtful || self.producer.client().fatal_error().is_some() {
            return Ok(());
        }
        self.renew_producer().map_err(|error| CommitError::Lost(rebuilt(error)))
    }

    /// From now on the producer notes where its records come to lie.
    pub(super) fn watch_places(&self) {
        self.producer.context().watch_places();
    }

    /// Where the records of the last transaction lie, and no more is noted.
    pub(super) fn take_places(&self) -> Vec<(TopicPartition, u64)> {
        self.producer.context().take_places()
    }

    fn run(&mut self, transaction: &Transaction) -> Result<(), CommitError> {
        self.producer.context().take_failed();
        self.producer.begin_transaction().map_err(|cause| self.lost("beginning a transaction", &cause))?;
        let written = self.write(transaction);
        let start = Instant::now();
        let outcome = match written.and_then(|()| self.send_offsets(transaction)) {
            Ok(()) => self.finish(),
            Err(failure) => Err(self.give_up(&failure)),
        };
        // A record that comes twice is known by its number. Offsets, or an end, that come twice would count in the next transaction.
        self.is_doubtful = start.elapsed() >= SENT_ONCE;
        outcome
    }

    /// Offsets are committed only by the one to whom the group has given their partitions.
    fn owns(&self, transaction: &Transaction) -> Result<(), KafkaError> {
        let rebalances = self.consumer.context().rebalances();
        let mut offsets = transaction.offsets().iter().map(|(at, _)| at);
        if let Some(at) = offsets.find(|at| !rebalances.reading.contains(at) && !rebalances.waiting.contains(at)) {
            return Err(KafkaError::new(Remedy::Retry, format!("committing an offset of {at}"), "the partition is not this client's"));
        }
        if !transaction.offsets().is_empty() && (self.place.is_none() || self.consumer.assignment_lost()) {
            return Err(KafkaError::new(Remedy::Retry, "committing offsets", "the group has given this client up"));
        }
        Ok(())
    }

    fn write(&self, transaction: &Transaction) -> Result<(), Failure> {
        let deadline = Instant::now() + MESSAGE_TIMEOUT + SETTLE;
        transaction.each(|record| self.produce(record, deadline))?;
        if !self.is_acknowledged(deadline) {
            let cause = Cause::MessageProduction(Code::MessageTimedOut);
            return Err(Failure { what: "waiting for acknowledgements".into(), cause });
        }
        if let Some((at, cause)) = self.producer.context().take_failed() {
            let what = format!("writing to {at}");
            // What waits is thrown away when a transaction can only be aborted. Why it can, is told to whoever goes on with it.
            if is_thrown_away(&cause) {
                self.send_offsets(transaction).map_err(|failure| Failure { what: what.clone(), ..failure })?;
            }
            return Err(Failure { what, cause });
        }
        Ok(())
    }

    /// Waits until brokers have answered for all that was written, or until the deadline; false if they have not.
    fn is_acknowledged(&self, deadline: Instant) -> bool {
        while self.producer.in_flight_count() > 0 {
            if Instant::now() > deadline {
                return false;
            }
            sleep(ACKNOWLEDGEMENT_CHECK);
        }
        true
    }

    fn produce(&self, record: &Outgoing<'_>, deadline: Instant) -> Result<(), Failure> {
        let mut outgoing = BaseRecord::<[u8], [u8]>::to(record.topic);
        (outgoing.partition, outgoing.key, outgoing.payload) = (record.partition, record.key, record.value);
        outgoing.timestamp = record.timestamp_ms;
        if !record.headers.is_empty() {
            let headers = OwnedHeaders::new_with_capacity(record.headers.len());
            let insert = |headers: OwnedHeaders, (key, value): &(&str, Option<&[u8]>)| headers.insert(Header { key, value: *value });
            outgoing.headers = Some(record.headers.iter().fold(headers, insert));
        }
        loop {
            match self.producer.send(outgoing) {
                Ok(()) => return Ok(()),
                Err((Cause::MessageProduction(Code::QueueFull), unsent)) if Instant::now() < deadline => {
                    outgoing = unsent;
                    sleep(BREATH);
                }
                Err((cause, _)) => return Err(Failure { what: format!("writing to {}", record.topic), cause }),
            }
        }
    }

    fn send_offsets(&self, transaction: &Transaction) -> Result<(), Failure> {
        let Some(place) = self.place.as_ref().filter(|_| !transaction.offsets().is_empty()) else {
            return Ok(());
        };
        let failure = |cause| Failure { what: "adding offsets to a transaction".into(), cause };
        let wrong = |_| failure(Cause::SetPartitionOffset(Code::InvalidArgument));
        let list = list_with_offsets(transaction.offsets().iter().map(|(at, committed)| (at, committed.offset))).map_err(wrong)?;
        for (mut element, (_, committed)) in list.elements().into_iter().zip(transaction.offsets()) {
            element.set_metadata(&committed.metadata);
        }
        let (list, deadline) = (Arc::new(list), Instant::now() + TRANSACTION_TIMEOUT);
        while let Err(cause) = self.send_list(&list, place, deadline) {
            if !again(&cause, deadline) {
                return Err(failure(cause));
            }
        }
        Ok(())
    }

    /// The call is made by a thread of its own, which is left behind if it does not return in time: librdkafka waits in it for an answer however
    /// long that takes. The thread ends with the call, or with the process.
    fn send_list(&self, list: &Arc<TopicPartitionList>, place: &Arc<ConsumerGroupMetadata>, deadline: Instant) -> Result<(), Cause> {
        let (producer, list, place) = (self.producer.clone(), list.clone(), place.clone());
        let (tell, told) = sync_channel(1);
        let call = move || {
            // Nobody may be there any more to hear it.
            _ = tell.send(producer.send_offsets_to_transaction(&list, &place, remaining(deadline)));
        };
        let spawned = Builder::new().name("send-offsets".to_owned()).spawn(call);
        let timed_out = || Cause::MessageProduction(Code::OperationTimedOut);
        if spawned.is_err() {
            sleep(BREATH);
            return Err(timed_out());
        }
        let wait = deadline.saturating_duration_since(Instant::now()) + SETTLE;
        told.recv_timeout(wait).unwrap_or_else(|_| Err(timed_out()))
    }

    fn finish(&self) -> Result<(), CommitError> {
        let deadline = Instant::now() + TRANSACTION_TIMEOUT;
        while let Err(cause) = self.producer.commit_transaction(remaining(deadline)) {
            if !again(&cause, deadline) {
                return Err(self.lost("committing a transaction", &cause));
            }
        }
        self.producer.context().troubles.forget();
        Ok(())
    }

    /// Ends a transaction that is not to be, which is known to be so unless the abort fails too.
    fn give_up(&self, failure: &Failure) -> CommitError {
        let verdict = classify(&failure.cause);
        // Unless the broker has refused something, what was given up on may still arrive there, and would belong to the next transaction of this
        // producer. A new producer ends this transaction when it starts.
        let refused = verdict.abort || verdict.remedy.is_final();
        if !refused || is_timeout(&failure.cause) || self.producer.client().fatal_error().is_some() {
            return self.lost(&failure.what, &failure.cause);
        }
        self.is_acknowledged(Instant::now() + SETTLE);
        let deadline = Instant::now() + TRANSACTION_TIMEOUT;
        while let Err(cause) = self.producer.abort_transaction(remaining(deadline)) {
            if !again(&cause, deadline) {
                // A transaction of which the broker has let nothing in cannot be aborted either; what somebody has to act on is the refusal.
                let is_refusal = verdict.remedy.is_final();
                return if is_refusal { self.lost(&failure.what, &failure.cause) } else { self.lost("aborting a transaction", &cause) };
            }
        }
        CommitError::NotCommitted(self.producer.context().troubles.explain(&failure.what, &failure.cause))
    }

    fn lost(&self, what: &str, cause: &Cause) -> CommitError {
        CommitError::Lost(rebuilt(self.producer.context().troubles.explain(what, cause)))
    }
}

/// A client of which nobody knows the state is built anew, unless somebody has to act first.
fn rebuilt(error: KafkaError) -> KafkaError {
    let remedy = if error.remedy.is_final() { error.remedy } else { Remedy::Rebuild };
    KafkaError { remedy, ..error }
}

fn again(cause: &Cause, deadline: Instant) -> bool {
    let verdict = classify(cause);
    verdict.remedy == Remedy::Retry && !verdict.abort && Instant::now() < deadline
}

/// Never for ever: a broker that is frozen keeps a call as long as it may.
fn remaining(deadline: Instant) -> Timeout {
    Timeout::After(deadline.saturating_duration_since(Instant::now()))
}

fn is_thrown_away(cause: &Cause) -> bool {
    matches!(cause.rdkafka_error_code(), Some(Code::PurgeQueue | Code::PurgeInflight))
}

fn is_timeout(cause: &Cause) -> bool {
    matches!(
        cause.rdkafka_error_code(),
        Some(
            Code::BrokerTransportFailure
                | Code::MessageTimedOut
                | Code::NetworkException
                | Code::OperationTimedOut
                | Code::RequestTimedOut
                | Code::TimedOutQueue
        )
    )
}
