//! The watermark: the smallest arrival that is not journaled yet, over all input partitions of all ingest workers.

use std::collections::BTreeMap;

use bellwether_engine::time::Time;
use bellwether_kafka::TopicPartition;

use super::arrivals::Arrivals;

/// What is journaled of an input partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journaled {
    /// Arrivals until here are; [`Time::MIN`] while nothing was read.
    pub until: Time,
    /// What they were like.
    pub arrivals: Arrivals,
}

impl Default for Journaled {
    fn default() -> Self {
        Self { until: Time::MIN, arrivals: Arrivals::default() }
    }
}

/// How far the arrivals of each input partition are journaled.
#[derive(Clone, Debug, Default)]
pub struct Watermarks {
    /// Those that this worker reads.
    own: BTreeMap<TopicPartition, Journaled>,
    /// What other workers have committed, as last asked; of partitions never read nothing is known.
    others: BTreeMap<TopicPartition, Journaled>,
}

impl Watermarks {
    /// Starts with a partition at what was committed for it.
    pub fn assigned(&mut self, at: TopicPartition, committed: Journaled) {
        self.others.remove(&at);
        self.own.insert(at, committed);
    }

    /// Another worker reads the partition now. Until its word comes, what this one committed holds.
    pub fn revoked(&mut self, at: &TopicPartition) {
        if let Some(journaled) = self.own.remove(at) {
            self.others.insert(at.clone(), journaled);
        }
    }

    /// What the group has committed for every input partition; partitions that are not named are gone.
    pub fn committed(&mut self, all: impl Iterator<Item = (TopicPartition, Journaled)>) {
        self.others = all.filter(|(at, _)| !self.own.contains_key(at)).collect();
    }

    /// What is journaled of a partition of this worker.
    #[must_use]
    pub fn of(&self, at: &TopicPartition) -> Option<&Journaled> {
        self.own.get(at)
    }

    /// What is known of every input partition.
    pub fn all(&self) -> impl Iterator<Item = (&TopicPartition, &Journaled)> {
        self.own.iter().chain(&self.others)
    }

    /// Nothing is journaled beyond the present: what says so was said by a clock that was ahead.
    pub fn not_after(&mut self, now: Time) {
        for journaled in self.own.values_mut().chain(self.others.values_mut()) {
            journaled.until = journaled.until.min(now);
            journaled.arrivals.not_after(now);
        }
    }

    /// A partition of this worker is journaled so far now; it never goes back, unless a clock was ahead.
    pub fn journaled(&mut self, at: &TopicPartition, journaled: Journaled) {
        if let Some(known) = self.own.get_mut(at) {
            *known = Journaled { until: journaled.until.max(known.until), arrivals: journaled.arrivals };
        }
    }

    /// The watermark: [`Time::MIN`] while nothing is known of some partition, or there is none.
    #[must_use]
    pub fn smallest(&self) -> Time {
        self.all().map(|(_, journaled)| journaled.until).min().unwrap_or(Time::MIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(partition: i32) -> TopicPartition {
        TopicPartition::new("logins", partition)
    }

    fn until(time: i64) -> Journaled {
        Journaled { until: Time(time), ..Journaled::default() }
    }

    #[test]
    fn the_slowest_partition_holds_time_back() {
        let mut watermarks = Watermarks::default();
        assert_eq!(watermarks.smallest(), Time::MIN);
        watermarks.assigned(at(0), until(10));
        watermarks.committed([(at(0), until(1)), (at(1), until(5))].into_iter());
        assert_eq!(watermarks.smallest(), Time(5));
        watermarks.committed([(at(0), until(1)), (at(1), until(50))].into_iter());
        assert_eq!(watermarks.smallest(), Time(10));
        watermarks.journaled(&at(0), until(30));
        watermarks.journaled(&at(0), until(20));
        watermarks.journaled(&at(1), until(99));
        assert_eq!((watermarks.smallest(), watermarks.of(&at(0))), (Time(30), Some(&until(30))));
    }

    #[test]
    fn what_a_clock_ahead_has_said_is_forgotten() {
        let mut watermarks = Watermarks::default();
        watermarks.assigned(at(0), until(900));
        watermarks.committed([(at(1), until(800)), (at(2), until(30))].into_iter());
        watermarks.not_after(Time(40));
        let known: Vec<Time> = watermarks.all().map(|(_, journaled)| journaled.until).collect();
        assert_eq!(known, [Time(40), Time(40), Time(30)]);
        watermarks.journaled(&at(0), until(50));
        assert_eq!(watermarks.of(&at(0)), Some(&until(50)));
    }

    #[test]
    fn a_partition_that_nobody_has_read_stops_time() {
        let mut watermarks = Watermarks::default();
        watermarks.assigned(at(0), until(10));
        watermarks.committed([(at(1), Journaled::default())].into_iter());
        assert_eq!(watermarks.smallest(), Time::MIN);
    }

    #[test]
    fn a_partition_that_goes_holds_its_place_until_its_new_reader_speaks() {
        let mut watermarks = Watermarks::default();
        watermarks.assigned(at(0), until(10));
        watermarks.assigned(at(1), until(40));
        watermarks.revoked(&at(0));
        assert_eq!((watermarks.smallest(), watermarks.of(&at(0))), (Time(10), None));
        watermarks.committed([(at(0), until(60)), (at(1), until(40))].into_iter());
        assert_eq!(watermarks.smallest(), Time(40));
    }
}
