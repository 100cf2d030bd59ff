//! What can go wrong with Kafka, whose fault it is, and what to do.

use std::fmt;

/// What helps against an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// The same call again, later: the broker does not answer, or not yet.
    Retry,
    /// A new client: this one is fenced, or its state is no longer known.
    Rebuild,
    /// Somebody has to change the configuration, the topics or the permissions.
    Stop,
    /// Another client has come under the same name and taken over: to come back would take its work away again.
    Leave,
}

impl Remedy {
    /// Whether nothing that this process does helps.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Stop | Self::Leave)
    }
}

/// A call to Kafka that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {cause}{}", Hint(*remedy))]
pub struct KafkaError {
    /// What was being done, such as `reading from journal/3`.
    pub what: String,
    /// What Kafka said.
    pub cause: String,
    /// What helps.
    pub remedy: Remedy,
}

impl KafkaError {
    /// An error of this kind.
    pub fn new(remedy: Remedy, what: impl Into<String>, cause: impl fmt::Display) -> Self {
        Self { what: what.into(), cause: cause.to_string(), remedy }
    }
}

struct Hint(Remedy);

impl fmt::Display for Hint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.0 {
            Remedy::Retry => " (it is tried again)",
            Remedy::Rebuild => " (the client is built anew)",
            Remedy::Stop => "",
            Remedy::Leave => " (another process has come under the same name and taken over)",
        })
    }
}

/// A transaction that was not committed, or nobody knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// It was aborted: nothing of it will be seen, and the client goes on. Its offsets stand where they stood.
    #[error("the transaction was aborted: {0}")]
    NotCommitted(KafkaError),
    /// The outcome is unknown, or the client is fenced: rebuild it, then read what is committed.
    #[error("the outcome of the transaction is unknown: {0}")]
    Lost(KafkaError),
}
