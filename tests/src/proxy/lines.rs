//! The connections that go through a proxy, all of which can be cut at once.

use std::collections::BTreeMap;
use std::net::{Shutdown, TcpStream};

/// The clients that are connected.
#[derive(Debug, Default)]
pub(super) struct Lines {
    is_cut: bool,
    connected: BTreeMap<u64, TcpStream>,
    so_far: u64,
}

impl Lines {
    /// Notes a client and gives its number; none if nobody is let through.
    pub(super) fn add(&mut self, client: &TcpStream) -> Option<u64> {
        let client = client.try_clone().ok().filter(|_| !self.is_cut)?;
        self.so_far += 1;
        self.connected.insert(self.so_far, client);
        Some(self.so_far)
    }

    /// A client has hung up, or was hung up on.
    pub(super) fn remove(&mut self, number: u64) {
        self.connected.remove(&number);
    }

    pub(super) fn cut(&mut self) -> usize {
        self.is_cut = true;
        let cut = std::mem::take(&mut self.connected);
        cut.values().for_each(|client| _ = client.shutdown(Shutdown::Both));
        cut.len()
    }

    pub(super) fn mend(&mut self) {
        self.is_cut = false;
    }
}
