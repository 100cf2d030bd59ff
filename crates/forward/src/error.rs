//! What can stop the forwarding, and what to do about it.

use std::path::PathBuf;

use bellwether_kafka::{AdminError, KafkaError};

use crate::signature::KeyError;

/// A forwarding that had to stop. What was not settled is sent again by the next start.
#[derive(Debug, thiserror::Error)]
pub enum ForwardError {
    /// A file with a signing key.
    #[error("secret_file of the route {route}: {path}: {problem}")]
    SecretFile {
        /// The route.
        route: String,
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The signals file cannot be read.
    #[error("cannot read the signals file {path}: {error}")]
    Signals {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The signals file is not the one that was read before.
    #[error(
        "{path} is not the file that the route {route} has read {offset} bytes of: {problem}. Give the right file; or remove {state} to send all of this one"
    )]
    Changed {
        /// The file.
        path: PathBuf,
        /// The route.
        route: String,
        /// How far it was read.
        offset: u64,
        /// What is wrong.
        problem: String,
        /// Where the position is kept.
        state: PathBuf,
    },
    /// A file of our own.
    #[error("cannot write {path}: {error}; make room or mend the permissions, then start again")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// A file of our own that does not read back.
    #[error("{path} is damaged: {problem}; remove it to let its route begin anew")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// Kafka.
    #[error(transparent)]
    Kafka(#[from] KafkaError),
    /// The topic of signals.
    #[error(transparent)]
    Topic(#[from] AdminError),
    /// The operating system refused a thread.
    #[error("cannot start a thread: {0}")]
    Thread(#[source] std::io::Error),
}

impl ForwardError {
    /// A key file that is wrong.
    pub(crate) fn secret(route: &str, path: PathBuf, error: &KeyError) -> Self {
        Self::SecretFile { route: route.to_owned(), path, problem: error.to_string() }
    }
}
