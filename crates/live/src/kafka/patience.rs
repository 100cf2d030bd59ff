//! How long a worker waits before it tries again: longer each time, until something succeeds.

use std::thread;
use std::time::Duration;

use bellwether_kafka::{KafkaError, Remedy};

use crate::error::LiveError;

const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Waits, and counts how often in a row.
#[derive(Debug)]
pub(crate) struct Patience {
    first_wait: Duration,
    failures_in_a_row: u32,
}

impl Patience {
    /// Waits so long at first.
    pub fn new(first_wait: Duration) -> Self {
        Self { first_wait, failures_in_a_row: 0 }
    }

    /// Something has succeeded.
    pub fn restore(&mut self) {
        self.failures_in_a_row = 0;
    }

    /// Waits before the next try.
    ///
    /// # Errors
    ///
    /// The error itself, when no waiting helps.
    pub fn wait(&mut self, error: &KafkaError) -> Result<(), LiveError> {
        if error.remedy == Remedy::Stop {
            return Err(error.clone().into());
        }
        let wait = self.next_wait();
        tracing::warn!(%error, wait_ms = wait.as_millis() as u64, "Kafka does not do what it is asked to");
        thread::sleep(wait);
        Ok(())
    }

    /// Something has failed: how long to wait before the next try.
    pub fn next_wait(&mut self) -> Duration {
        let wait = self.first_wait.saturating_mul(1 << self.failures_in_a_row.min(10)).min(LONGEST_WAIT);
        self.failures_in_a_row += 1;
        wait
    }
}
