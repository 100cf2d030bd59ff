//! Features that run with time, and the instant at which a comparison with one flips.

use crate::business_hours::BusinessHours;
use crate::expression::ComparisonOperator;
use crate::time::Time;

/// How a clock feature runs.
#[derive(Clone, Copy, Debug)]
pub enum Clock<'a> {
    /// Time since an instant, in units of so many milliseconds.
    Since(Time, i64),
    /// Time until an instant.
    Until(Time, i64),
    /// Business hours since an instant.
    BusinessHoursSince(Time, &'a BusinessHours),
}

impl Clock<'_> {
    /// Its value at an instant, in its unit.
    #[must_use]
    pub fn value(self, now: Time) -> f64 {
        match self {
            Clock::Since(origin, unit_ms) => now.since_ms(origin) as f64 / unit_ms as f64,
            Clock::Until(end, unit_ms) => end.since_ms(now) as f64 / unit_ms as f64,
            Clock::BusinessHoursSince(origin, hours) => hours.between(origin, now),
        }
    }

    /// The first instant after `now` at which `self operator threshold` changes; `None` when it has, or never does.
    #[must_use]
    pub fn next_flip(self, operator: ComparisonOperator, threshold: f64, now: Time) -> Option<Time> {
        if !threshold.is_finite() || threshold.abs() > MAX_THRESHOLD {
            return None;
        }
        let reaches = matches!(operator, ComparisonOperator::GreaterOrEqual | ComparisonOperator::Less);
        let flip = match self {
            // Rising: >= and < flip on reaching the threshold, > and <= on passing it.
            Clock::Since(origin, unit_ms) if reaches => origin.plus_ms((threshold * unit_ms as f64).ceil() as i64),
            Clock::Since(origin, unit_ms) => origin.plus_ms((threshold * unit_ms as f64).floor() as i64 + 1),
            // Falling: the other way round.
            Clock::Until(end, unit_ms) if reaches => end.plus_ms(1 - (threshold * unit_ms as f64).ceil() as i64),
            Clock::Until(end, unit_ms) => end.plus_ms(-((threshold * unit_ms as f64).floor() as i64)),
            Clock::BusinessHoursSince(_, _) if threshold < 0.0 => return None,
            Clock::BusinessHoursSince(origin, hours) if reaches => hours.after(origin, threshold),
            Clock::BusinessHoursSince(origin, hours) => hours.after(origin, threshold + MILLISECOND_HOURS),
        };
        (flip > now).then_some(flip)
    }
}

/// Thresholds beyond this many units are never reached.
const MAX_THRESHOLD: f64 = 1e9;

/// A millisecond in hours.
const MILLISECOND_HOURS: f64 = 1.0 / 3_600_000.0;
