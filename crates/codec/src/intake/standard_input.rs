//! Standard input, read by a thread of its own so that a pause in it can be noticed.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Instant;

use super::stream::Filled;
use super::{CHUNK_BYTES, Progress, QUEUED_CHUNKS};

/// Chunks that arrive from a detached thread. The thread ends with its input, or at the first chunk that nobody wants;
/// a read that blocks meanwhile cannot be interrupted, which is why nobody waits for it.
pub(super) struct StandardInput {
    chunks: Receiver<io::Result<Vec<u8>>>,
    current: Vec<u8>,
    taken: usize,
    progress: Arc<Progress>,
}

impl StandardInput {
    pub fn spawn(input: Box<dyn Read + Send>, progress: Arc<Progress>) -> io::Result<Self> {
        let (sender, chunks) = sync_channel(QUEUED_CHUNKS);
        let forwarding = progress.clone();
        thread::Builder::new().name("standard-input".into()).spawn(move || forward(input, &sender, &forwarding))?;
        Ok(Self { chunks, current: Vec::new(), taken: 0, progress })
    }

    /// Copies what is there, waiting for it until the deadline.
    pub fn fill(&mut self, target: &mut [u8], deadline: Instant) -> io::Result<Filled> {
        if self.taken == self.current.len() {
            match self.chunks.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(chunk) => {
                    self.current = chunk?;
                    self.taken = 0;
                }
                Err(RecvTimeoutError::Timeout) => return Ok(Filled::Idle),
                // The thread ends when it is told to drain: that is no end of the input, after which files would be read on.
                Err(RecvTimeoutError::Disconnected) if self.progress.is_draining() => return Ok(Filled::Idle),
                Err(RecvTimeoutError::Disconnected) => return Ok(Filled::End),
            }
        }
        let rest = &self.current[self.taken..];
        let length = rest.len().min(target.len());
        target[..length].copy_from_slice(&rest[..length]);
        self.taken += length;
        Ok(Filled::Bytes(length))
    }
}

fn forward(mut input: Box<dyn Read + Send>, chunks: &SyncSender<io::Result<Vec<u8>>>, progress: &Progress) {
    while !progress.is_draining() {
        let mut chunk = vec![0; CHUNK_BYTES];
        let read = match input.read(&mut chunk) {
            Ok(0) => return,
            Ok(length) => {
                chunk.truncate(length);
                Ok(chunk)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let failed = read.is_err();
        if chunks.send(read).is_err() || failed {
            return;
        }
    }
}
