//! Up to where everything is settled, for each partition that is being read. Only so far a position is kept.

use std::collections::{BTreeMap, BTreeSet};

use crate::notice::Place;

/// The partitions at work.
#[derive(Debug, Default)]
pub(crate) struct Tracker {
    partitions: BTreeMap<i32, Partition>,
}

#[derive(Debug)]
struct Partition {
    generation: u64,
    /// Signals on their way, by offset.
    waiting: BTreeSet<u64>,
    /// Behind everything that was read.
    read_to: u64,
    /// The position that was kept last.
    kept: u64,
}

impl Tracker {
    /// A partition comes: reading begins at this offset, which is kept if `is_kept`.
    pub fn begin(&mut self, partition: i32, offset: u64, generation: u64, is_kept: bool) {
        let kept = if is_kept { offset } else { u64::MAX };
        self.partitions.insert(partition, Partition { generation, waiting: BTreeSet::new(), read_to: offset, kept });
    }

    /// Partitions go: what was read of them counts no more.
    pub fn forget(&mut self, partition: i32) {
        self.partitions.remove(&partition);
    }

    /// A signal was read and is on its way.
    pub fn sent(&mut self, place: Place) {
        if let Some(partition) = self.partitions.get_mut(&place.partition) {
            partition.waiting.insert(place.offset);
            partition.read_to = partition.read_to.max(place.next);
        }
    }

    /// Everything up to here was read and needs nothing.
    pub fn passed(&mut self, partition: i32, next: u64) {
        if let Some(partition) = self.partitions.get_mut(&partition) {
            partition.read_to = partition.read_to.max(next);
        }
    }

    /// A signal was delivered, or became a dead letter.
    pub fn settled(&mut self, place: Place) {
        if let Some(partition) = self.partitions.get_mut(&place.partition)
            && partition.generation == place.generation
        {
            partition.waiting.remove(&place.offset);
        }
    }

    /// Up to where everything is settled, and whether that is all that was read.
    pub fn settled_to(&self, partition: i32) -> Option<(u64, bool)> {
        self.partitions.get(&partition).map(|partition| (partition.settled_to(), partition.waiting.is_empty()))
    }

    /// Positions that are not kept yet.
    pub fn to_keep(&self) -> Vec<(i32, u64)> {
        let settled = self.partitions.iter().map(|(number, partition)| (*number, partition.settled_to(), partition.kept));
        settled.filter(|(_, settled, kept)| settled != kept).map(|(number, settled, _)| (number, settled)).collect()
    }

    /// These are kept now.
    pub fn kept(&mut self, positions: &[(i32, u64)]) {
        for (number, position) in positions {
            if let Some(partition) = self.partitions.get_mut(number) {
                partition.kept = *position;
            }
        }
    }
}

impl Partition {
    fn settled_to(&self) -> u64 {
        self.waiting.first().copied().unwrap_or(self.read_to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(offset: u64, generation: u64) -> Place {
        Place { partition: 0, offset, next: offset + 1, generation, appended_ms: None }
    }

    #[test]
    fn a_position_stands_before_the_first_signal_that_is_not_settled() {
        let mut tracker = Tracker::default();
        tracker.begin(0, 5, 1, true);
        assert_eq!(tracker.to_keep(), []);
        for offset in [5, 6, 8] {
            tracker.sent(place(offset, 1));
        }
        tracker.settled(place(6, 1));
        assert_eq!(tracker.to_keep(), []);
        tracker.settled(place(5, 1));
        assert_eq!(tracker.to_keep(), [(0, 8)]);
        tracker.kept(&[(0, 8)]);
        tracker.settled(place(8, 1));
        tracker.passed(0, 20);
        assert_eq!(tracker.to_keep(), [(0, 20)]);
    }

    #[test]
    fn what_was_read_under_an_earlier_assignment_settles_nothing() {
        let mut tracker = Tracker::default();
        tracker.begin(0, 0, 1, true);
        tracker.sent(place(0, 1));
        tracker.forget(0);
        tracker.settled(place(0, 1));
        tracker.begin(0, 0, 2, false);
        assert_eq!(tracker.to_keep(), [(0, 0)], "a new position is kept at once");
        tracker.kept(&[(0, 0)]);
        tracker.sent(place(0, 2));
        tracker.settled(place(0, 1));
        assert_eq!(tracker.to_keep(), []);
        tracker.settled(place(0, 2));
        assert_eq!(tracker.to_keep(), [(0, 1)]);
    }
}
