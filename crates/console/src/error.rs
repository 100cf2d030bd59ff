//! What keeps a listener from starting.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why there is no listener. It is for the operator to change the address or to make it free, or to mend the files.
#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    /// Somebody else listens there.
    #[error("the address {0} is taken, perhaps by another instance of bellwether")]
    Taken(SocketAddr),
    /// A certificate or key cannot be used.
    #[error("TLS: {path}: {problem}")]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The operating system refuses it.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Its reason.
        error: io::Error,
    },
}

impl ConsoleError {
    pub(crate) fn listening(address: SocketAddr, error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::AddrInUse { Self::Taken(address) } else { Self::Listen { address, error } }
    }
}
