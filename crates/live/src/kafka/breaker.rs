//! The breaker of a source: a flood of bad records stops it, loudly, before it fills the dead letters.

use std::collections::VecDeque;

/// When a flood is one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BreakerLimits {
    /// Share of bad records among the last `window`, 0 to 1.
    pub ratio: f64,
    /// Records looked back on; the ratio counts once there were so many.
    pub window: usize,
    /// Bad records in a row.
    pub consecutive: usize,
}

impl Default for BreakerLimits {
    fn default() -> Self {
        Self { ratio: 0.5, window: 1_000, consecutive: 200 }
    }
}

/// What became of the last records of a source.
#[derive(Clone, Debug)]
pub(crate) struct Breaker {
    limits: BreakerLimits,
    bad_of_window: VecDeque<bool>,
    bad: usize,
    in_a_row: usize,
    is_open: bool,
}

impl Breaker {
    pub fn new(limits: BreakerLimits) -> Self {
        Self { limits, bad_of_window: VecDeque::with_capacity(limits.window), bad: 0, in_a_row: 0, is_open: false }
    }

    /// Whether the source is stopped, until the process starts again.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// Counts a record. Returns whether the source has to stop with it.
    pub fn trips_on(&mut self, is_bad: bool) -> bool {
        if self.bad_of_window.len() >= self.limits.window.max(1) {
            self.bad -= usize::from(self.bad_of_window.pop_front() == Some(true));
        }
        self.bad_of_window.push_back(is_bad);
        self.bad += usize::from(is_bad);
        self.in_a_row = if is_bad { self.in_a_row + 1 } else { 0 };
        let full = self.bad_of_window.len() >= self.limits.window;
        self.is_open |=
            self.in_a_row >= self.limits.consecutive.max(1) || full && self.bad as f64 > self.limits.ratio * self.limits.window as f64;
        self.is_open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tripped_at(limits: BreakerLimits, bad: impl Fn(usize) -> bool) -> Option<usize> {
        let mut breaker = Breaker::new(limits);
        (0..100).find(|index| breaker.trips_on(bad(*index)))
    }

    #[test]
    fn bad_records_in_a_row_trip_it() {
        let limits = BreakerLimits { ratio: 1.0, window: 50, consecutive: 5 };
        assert_eq!(tripped_at(limits, |index| index >= 10), Some(14));
        assert_eq!(tripped_at(limits, |index| index % 5 != 0), None);
    }

    #[test]
    fn a_share_of_bad_records_trips_it_once_the_window_is_full() {
        let limits = BreakerLimits { ratio: 0.5, window: 10, consecutive: 100 };
        assert_eq!(tripped_at(limits, |index| index % 3 != 0), Some(9));
        assert_eq!(tripped_at(limits, |index| index % 2 == 0), None);
        assert_eq!(tripped_at(limits, |index| (20..26).contains(&index)), Some(25));
    }
}
