//! Inputs are journaled in step: one that is ahead waits for those behind, so that the journal has events in the order in which they happened.

use std::time::Duration;

use bellwether_engine::time::Time;
use bellwether_kafka::TopicPartition;

use super::watermark::Watermarks;

/// How far inputs may drift apart. Stream processors call it watermark alignment.
///
/// What is evaluated of a customer may depend on everything that happened to it before. So nothing is journaled far ahead of what other inputs
/// have not brought yet: it would be judged without that, and silences would be seen where there were none.
#[derive(Clone, Debug)]
pub(crate) struct Drift {
    max_ms: i64,
    /// Records that arrived later wait.
    limit: Time,
}

impl Drift {
    /// The limit as things are. `latest` has the latest arrival that this worker has read of each of its partitions; of one that is stopped
    /// nothing counts as read.
    pub fn new<'p>(max: Duration, watermarks: &'p Watermarks, latest: impl Fn(&'p TopicPartition) -> Option<Time>) -> Self {
        let known_until = watermarks.all().map(|(at, journaled)| latest(at).unwrap_or(Time::MIN).max(journaled.until));
        let max_ms = i64::try_from(max.as_millis()).unwrap_or(i64::MAX);
        Self { max_ms, limit: known_until.min().map_or(Time::NEVER, |until| until.plus_ms(max_ms)) }
    }

    /// Whether a record of this arrival has to wait.
    pub fn is_ahead(&self, arrival: Time) -> bool {
        arrival > self.limit
    }

    /// A source was stopped at a record of this arrival, which is not journaled.
    pub fn stopped_at(&mut self, arrival: Time) {
        self.limit = self.limit.min(arrival.plus_ms(self.max_ms));
    }
}

#[cfg(test)]
mod tests {
    use super::super::watermark::Journaled;
    use super::*;

    #[test]
    fn the_input_that_is_behind_holds_the_others_back() {
        let at = |partition| TopicPartition::new("events", partition);
        let until = |time| Journaled { until: Time(time), ..Journaled::default() };
        let mut watermarks = Watermarks::default();
        let max = Duration::from_millis(10);
        assert!(!Drift::new(max, &watermarks, |_| None).is_ahead(Time(1 << 60)), "there is nobody to wait for");
        watermarks.assigned(at(0), until(5));
        watermarks.committed([(at(1), until(40))].into_iter());
        let ahead = |drift: &Drift| [15, 16, 50, 51].map(|time| drift.is_ahead(Time(time)));
        assert_eq!(ahead(&Drift::new(max, &watermarks, |_| None)), [false, true, true, true]);
        let mut drift = Drift::new(max, &watermarks, |known| (*known == at(0)).then_some(Time(90)));
        assert_eq!(ahead(&drift), [false, false, false, true], "what was read is no hindrance");
        drift.stopped_at(Time(6));
        assert_eq!(ahead(&drift), [false, false, true, true]);
        watermarks.committed([(at(1), Journaled::default())].into_iter());
        assert!(Drift::new(max, &watermarks, |_| None).is_ahead(Time(0)), "nobody knows what an input brings that was never read");
    }
}
