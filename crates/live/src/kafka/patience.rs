//! How long a worker waits before it tries again: longer each time, until something succeeds.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bellwether_kafka::KafkaError;

use crate::error::LiveError;

const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How often a worker that waits looks whether it is to stop.
const BREATH: Duration = Duration::from_millis(20);

/// Waits, and counts how often in a row.
#[derive(Debug)]
pub(crate) struct Patience {
    first_wait: Duration,
    failures_in_a_row: u32,
    stop: Arc<AtomicBool>,
}

impl Patience {
    /// Waits so long at first, and not at all once `stop` is set.
    pub fn new(first_wait: Duration, stop: &Arc<AtomicBool>) -> Self {
        Self { first_wait, failures_in_a_row: 0, stop: stop.clone() }
    }

    /// Something has succeeded.
    pub fn restore(&mut self) {
        self.failures_in_a_row = 0;
    }

    /// Waits before the next try.
    ///
    /// # Errors
    ///
    /// The error itself, when no waiting helps; [`LiveError::Stopped`] when nobody is to wait any longer.
    pub fn wait(&mut self, error: &KafkaError) -> Result<(), LiveError> {
        if error.remedy.is_final() {
            return Err(error.clone().into());
        }
        let wait = self.next_wait();
        tracing::warn!(%error, wait_ms = wait.as_millis() as u64, "Kafka does not do what it is asked to");
        self.sleep(wait)
    }

    /// Something has failed that only time mends.
    ///
    /// # Errors
    ///
    /// [`LiveError::Stopped`] when nobody is to wait any longer.
    pub fn wait_longer(&mut self) -> Result<(), LiveError> {
        let wait = self.next_wait();
        self.sleep(wait)
    }

    fn next_wait(&mut self) -> Duration {
        let wait = self.first_wait.saturating_mul(1 << self.failures_in_a_row.min(10)).min(LONGEST_WAIT);
        self.failures_in_a_row += 1;
        wait
    }

    fn sleep(&self, wait: Duration) -> Result<(), LiveError> {
        let until = Instant::now() + wait;
        while !self.stop.load(Ordering::Relaxed) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            thread::sleep(left.min(BREATH));
        }
        Err(LiveError::Stopped)
    }
}

#[cfg(test)]
mod tests {
    use bellwether_kafka::Remedy;

    use super::*;

    #[test]
    fn nobody_waits_once_all_are_to_stop() {
        let stop = Arc::new(AtomicBool::new(false));
        let mut patience = Patience::new(Duration::from_millis(1), &stop);
        let error = KafkaError::new(Remedy::Retry, "asking", "nobody answers");
        assert!(patience.wait(&error).is_ok());
        stop.store(true, Ordering::Relaxed);
        patience.first_wait = Duration::from_secs(3_600);
        assert!(matches!(patience.wait(&error), Err(LiveError::Stopped)));
        assert!(matches!(patience.wait_longer(), Err(LiveError::Stopped)));
    }
}
