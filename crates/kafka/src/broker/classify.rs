//! What librdkafka's errors mean to us.

use rdkafka::error::KafkaError as Cause;
use rdkafka::types::RDKafkaErrorCode as Code;

use crate::error::Remedy;

/// What to do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) remedy: Remedy,
    /// The transaction has to be aborted, and the producer can go on afterwards.
    pub(super) abort: bool,
}

/// What an error of any shape means.
pub(super) fn classify(cause: &Cause) -> Verdict {
    match cause {
        Cause::Transaction(error) => {
            let flags = Flags { fatal: error.is_fatal(), abort: error.txn_requires_abort(), retriable: error.is_retriable() };
            judge(error.code(), flags)
        }
        Cause::MessageConsumptionFatal(code) => judge(*code, Flags { fatal: true, ..Flags::default() }),
        Cause::AdminOp(code) => Verdict { remedy: remedy(*code), abort: false },
        // The operator's words are wrong: a property, a topic's name, a pattern.
        Cause::ClientConfig(..) | Cause::ClientCreation(_) | Cause::Nul(_) | Cause::AdminOpCreation(_) | Cause::Subscription(_) => {
            Verdict { remedy: Remedy::Stop, abort: false }
        }
        Cause::NoMessageReceived => Verdict { remedy: Remedy::Retry, abort: false },
        _ => cause.rdkafka_error_code().map_or(Verdict { remedy: Remedy::Rebuild, abort: false }, |code| judge(code, Flags::default())),
    }
}

/// What librdkafka says about an error of a transaction, besides its code.
#[derive(Clone, Copy, Debug, Default)]
struct Flags {
    fatal: bool,
    abort: bool,
    retriable: bool,
}

fn judge(code: Code, flags: Flags) -> Verdict {
    let by_code = remedy(code);
    let remedy = match flags {
        // Nothing that is built anew gets permissions, or a name that somebody else has.
        _ if by_code.is_final() => by_code,
        Flags { fatal: true, .. } => Remedy::Rebuild,
        Flags { abort: true, .. } | Flags { retriable: true, .. } => Remedy::Retry,
        Flags { .. } => by_code,
    };
    Verdict { remedy, abort: flags.abort && !flags.fatal }
}

/// Whether a topic or a partition is not there, which may be so for a moment while the cluster changes.
pub(super) fn is_unknown(cause: &Cause) -> bool {
    matches!(cause.rdkafka_error_code(), Some(Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::UnknownPartition))
}

fn remedy(code: Code) -> Remedy {
    match code {
        // Authentication and TLS fail for a moment too, when a broker goes down amid a handshake: see `Troubles`.
        Code::AllBrokersDown
        | Code::AssignmentLost
        | Code::Authentication
        | Code::BrokerNotAvailable
        | Code::BrokerTransportFailure
        | Code::ConcurrentTransactions
        | Code::CoordinatorLoadInProgress
        | Code::CoordinatorNotAvailable
        | Code::FencedLeaderEpoch
        | Code::IllegalGeneration
        | Code::InProgress
        | Code::KafkaStorageError
        | Code::LeaderNotAvailable
        | Code::MessageTimedOut
        | Code::NetworkException
        | Code::NotController
        | Code::NotCoordinator
        | Code::NotEnoughReplicas
        | Code::NotEnoughReplicasAfterAppend
        | Code::NotLeaderForPartition
        | Code::OffsetNotAvailable
        | Code::OperationTimedOut
        | Code::Outdated
        | Code::PreferredLeaderNotAvailable
        | Code::QueueFull
        | Code::RebalanceInProgress
        | Code::ReplicaNotAvailable
        | Code::RequestTimedOut
        | Code::Resolve
        | Code::Retry
        | Code::SSL
        | Code::ThrottlingQuotaExceeded
        | Code::TimedOutQueue
        | Code::UnknownLeaderEpoch
        | Code::UnknownMemberId
        | Code::UnstableOffsetCommit
        | Code::WaitCache
        | Code::WaitingForCoordinator => Remedy::Retry,

        Code::AutoOffsetReset
        | Code::ClusterAuthorizationFailed
        | Code::GroupAuthorizationFailed
        | Code::GroupMaxSizeReached
        | Code::IllegalSASLState
        | Code::InconsistentGroupProtocol
        | Code::InvalidArgument
        | Code::InvalidCommitOffsetSize
        | Code::InvalidConfig
        | Code::InvalidGroupId
        | Code::InvalidMessageSize
        | Code::InvalidPartitions
        | Code::InvalidRecord
        | Code::InvalidReplicationFactor
        | Code::InvalidSessionTimeout
        | Code::InvalidTimestamp
        | Code::InvalidTopic
        | Code::InvalidTransactionTimeout
        | Code::MessageBatchTooLarge
        | Code::MessageSizeTooLarge
        | Code::NotImplemented
        | Code::OffsetMetadataTooLarge
        | Code::OffsetOutOfRange
        | Code::PolicyViolation
        | Code::SaslAuthenticationFailed
        | Code::SecurityDisabled
        | Code::TopicAlreadyExists
        | Code::TopicAuthorizationFailed
        | Code::TransactionalIdAuthorizationFailed
        | Code::UnknownPartition
        | Code::UnknownTopic
        | Code::UnknownTopicOrPartition
        | Code::UnsupportedCompressionType
        | Code::UnsupportedFeature
        | Code::UnsupportedForMessageFormat
        | Code::UnsupportedSASLMechanism
        | Code::UnsupportedVersion => Remedy::Stop,

        // A static member, whose name another one has joined with.
        Code::FencedInstanceId => Remedy::Leave,

        // Fenced, out of sequence, in a state that should not be, or unheard of: a new client reads the truth.
        _ => Remedy::Rebuild,
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;

    use rdkafka::types::RDKafkaConfRes;

    use super::*;

    #[test]
    fn the_flags_of_a_transaction_error_decide_unless_somebody_must_act() {
        let flags = |fatal, abort, retriable| Flags { fatal, abort, retriable };
        let cases = [
            (Code::InvalidTransactionalState, flags(true, false, false), Remedy::Rebuild, false),
            (Code::ProducerFenced, flags(true, false, false), Remedy::Rebuild, false),
            (Code::Fenced, flags(true, true, false), Remedy::Rebuild, false),
            (Code::TransactionalIdAuthorizationFailed, flags(true, false, false), Remedy::Stop, false),
            (Code::IllegalGeneration, flags(false, true, false), Remedy::Retry, true),
            (Code::FencedInstanceId, flags(false, true, false), Remedy::Leave, true),
            (Code::MessageSizeTooLarge, flags(false, true, false), Remedy::Stop, true),
            (Code::OperationTimedOut, flags(false, false, true), Remedy::Retry, false),
            (Code::InvalidProducerEpoch, flags(false, false, true), Remedy::Retry, false),
            // No flag at all is as bad as fatal, unless the code itself tells that it passes.
            (Code::State, Flags::default(), Remedy::Rebuild, false),
            (Code::InvalidTransactionalState, Flags::default(), Remedy::Rebuild, false),
            (Code::CoordinatorNotAvailable, Flags::default(), Remedy::Retry, false),
        ];
        for (code, flags, remedy, abort) in cases {
            assert_eq!(judge(code, flags), Verdict { remedy, abort }, "{code:?} {flags:?}");
        }
    }

    #[test]
    fn every_shape_of_error_has_a_meaning() {
        let nul = CString::new("a\0b").unwrap_err();
        let config = Cause::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_INVALID, "bad".into(), "key".into(), "value".into());
        let cases = [
            (config, Remedy::Stop),
            (Cause::ClientCreation("bad".into()), Remedy::Stop),
            (Cause::Nul(nul), Remedy::Stop),
            (Cause::AdminOpCreation("bad".into()), Remedy::Stop),
            (Cause::Subscription("bad".into()), Remedy::Stop),
            (Cause::NoMessageReceived, Remedy::Retry),
            (Cause::AdminOp(Code::NotController), Remedy::Retry),
            (Cause::AdminOp(Code::TopicAuthorizationFailed), Remedy::Stop),
            (Cause::Canceled, Remedy::Rebuild),
            (Cause::Seek("bad".into()), Remedy::Rebuild),
            (Cause::PauseResume("bad".into()), Remedy::Rebuild),
            (Cause::PartitionEOF(1), Remedy::Rebuild),
            // A commit may end in this one too, and it is no error of a transaction.
            (Cause::Flush(Code::OperationTimedOut), Remedy::Retry),
            (Cause::Global(Code::AllBrokersDown), Remedy::Retry),
            (Cause::MetadataFetch(Code::BrokerTransportFailure), Remedy::Retry),
            (Cause::OffsetFetch(Code::UnstableOffsetCommit), Remedy::Retry),
            (Cause::GroupListFetch(Code::GroupAuthorizationFailed), Remedy::Stop),
            (Cause::MessageConsumption(Code::AutoOffsetReset), Remedy::Stop),
            (Cause::MessageConsumption(Code::PollExceeded), Remedy::Rebuild),
            (Cause::MessageConsumptionFatal(Code::FencedInstanceId), Remedy::Leave),
            (Cause::MessageConsumptionFatal(Code::RequestTimedOut), Remedy::Rebuild),
            (Cause::MessageProduction(Code::QueueFull), Remedy::Retry),
            (Cause::MessageProduction(Code::UnknownTopic), Remedy::Stop),
            (Cause::ConsumerCommit(Code::Unknown), Remedy::Rebuild),
            (Cause::ConsumerQueueClose(Code::State), Remedy::Rebuild),
            (Cause::Rebalance(Code::Unknown), Remedy::Rebuild),
            (Cause::SetPartitionOffset(Code::InvalidArgument), Remedy::Stop),
            (Cause::StoreOffset(Code::Unknown), Remedy::Rebuild),
            (Cause::MockCluster(Code::Unknown), Remedy::Rebuild),
        ];
        for (cause, remedy) in cases {
            assert_eq!(classify(&cause), Verdict { remedy, abort: false }, "{cause:?}");
        }
    }
}
