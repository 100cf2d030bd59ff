//! How long to wait before the next attempt: twice as long each time, less a random part, and never less than the receiver asks for.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use rand::RngExt as _;

/// A receiver that asks for more patience than this gets so much.
const LONGEST_ASKED_FOR: Duration = Duration::from_secs(3_600);

/// The first and the longest wait of a route.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    pub first: Duration,
    pub longest: Duration,
}

impl Backoff {
    /// The wait after so many failed attempts, of which there is at least one.
    pub fn wait(&self, failed: u32, asked_for: Option<Duration>) -> Duration {
        let full = self.full(failed);
        // Half of it is certain, so that a receiver in trouble has a rest; the other half spreads those that failed together.
        let spread = full.mul_f64(0.5 + 0.5 * rand::rng().random::<f64>());
        spread.max(asked_for.unwrap_or_default().min(LONGEST_ASKED_FOR))
    }

    fn full(&self, failed: u32) -> Duration {
        self.first.saturating_mul(1 << failed.saturating_sub(1).min(30)).min(self.longest)
    }
}

/// What Retry-After asks for (RFC 9110, 10.2.3): seconds, or a date.
pub(crate) fn asked_for(header: &str, now: Timestamp) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = rfc2822::parse(header).ok()?.timestamp();
    Some(Duration::try_from(until.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_are_spread() {
        let backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(60) };
        for (failed, full) in [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (100, 60)] {
            let full = Duration::from_secs(full);
            assert_eq!(backoff.full(failed), full);
            let waits: Vec<Duration> = (0..100).map(|_| backoff.wait(failed, None)).collect();
            assert!(waits.iter().all(|wait| (full / 2..=full).contains(wait)), "{failed}: {waits:?}");
            assert!(waits.iter().any(|wait| *wait != waits[0]), "{failed}");
        }
        assert_eq!(backoff.wait(1, Some(Duration::from_secs(90))), Duration::from_secs(90));
        assert_eq!(backoff.wait(1, Some(Duration::from_secs(90_000))), LONGEST_ASKED_FOR);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        assert_eq!(asked_for(" 120 ", now), Some(Duration::from_secs(120)));
        assert_eq!(asked_for("Sun, 01 Mar 2026 12:01:30 GMT", now), Some(Duration::from_secs(90)));
        assert_eq!(asked_for("Sun, 01 Mar 2026 11:00:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(asked_for("soon", now), None);
    }
}
