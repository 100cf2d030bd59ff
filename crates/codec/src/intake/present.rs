//! The present, as far as a merge needs it: what is dated after it will be refused, and does not tell how far its input has come.

use bellwether_engine::time::Time;

use super::MAX_AHEAD_OF_CLOCK_MS;

/// The latest time that events may have, by the clock against which they are sequenced.
pub(crate) struct Present {
    clock: Box<dyn Fn() -> Option<Time> + Send>,
    /// The latest time by the clock when it was last asked, which is only when a line is dated later.
    latest_ms: i64,
}

impl Present {
    /// By this clock; without one, all times are in order.
    pub fn new(clock: impl Fn() -> Option<Time> + Send + 'static) -> Self {
        Self { clock: Box::new(clock), latest_ms: i64::MIN }
    }

    /// Whether an event of this time will not be refused as dated after the present.
    pub fn admits(&mut self, time_ms: i64) -> bool {
        if time_ms > self.latest_ms {
            self.latest_ms = (self.clock)().map_or(i64::MAX, |now| now.0.saturating_add(MAX_AHEAD_OF_CLOCK_MS));
        }
        time_ms <= self.latest_ms
    }
}
