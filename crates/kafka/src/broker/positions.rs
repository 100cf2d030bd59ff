//! Where this client stands in each partition that it reads.

use crate::batch::TopicPartition;

/// One entry for each partition that is being read: few, and records mostly come from the same one as the last.
#[derive(Debug, Default)]
pub(super) struct Positions {
    entries: Vec<Position>,
    last: usize,
}

/// How far one partition has been read.
#[derive(Clone, Debug)]
pub(super) struct Position {
    pub(super) at: TopicPartition,
    /// The next offset to read, as far as records tell: those that only mark transactions are not seen.
    pub(super) next: u64,
    /// Whether a record came since the reading was told where to start. Before, librdkafka's own position may be an old one.
    pub(super) moving: bool,
    /// The last found stretch without a record: from the next offset to this one.
    pub(super) nothing_before: u64,
}

impl Positions {
    /// Reading starts, or goes on, at this offset.
    pub(super) fn start(&mut self, at: &TopicPartition, next: u64) {
        let position = Position { at: at.clone(), next, moving: false, nothing_before: 0 };
        match self.entries.iter_mut().find(|entry| entry.at == *at) {
            Some(entry) => *entry = position,
            None => self.entries.push(position),
        }
    }

    /// A record was read. False if its partition is not being read any more.
    pub(super) fn read(&mut self, topic: &str, partition: i32, offset: u64) -> bool {
        let is_it = |entry: &Position| entry.at.partition == partition && &*entry.at.topic == topic;
        if !self.entries.get(self.last).is_some_and(is_it) {
            match self.entries.iter().position(is_it) {
                Some(found) => self.last = found,
                None => return false,
            }
        }
        let entry = &mut self.entries[self.last];
        (entry.next, entry.moving) = (offset + 1, true);
        true
    }

    pub(super) fn get_mut(&mut self, at: &TopicPartition) -> Option<&mut Position> {
        self.entries.iter_mut().find(|entry| entry.at == *at)
    }

    pub(super) fn forget(&mut self, gone: &[TopicPartition]) {
        self.entries.retain(|entry| !gone.contains(&entry.at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_follows_records_and_starts_anew() {
        let (a, b) = (TopicPartition::new("a", 0), TopicPartition::new("b", 1));
        let mut positions = Positions::default();
        positions.start(&a, 5);
        positions.start(&b, 7);
        assert!(positions.read("b", 1, 9) && positions.read("a", 0, 5) && !positions.read("a", 1, 5));
        let found = |positions: &mut Positions, at| positions.get_mut(at).map(|position| (position.next, position.moving));
        assert_eq!((found(&mut positions, &a), found(&mut positions, &b)), (Some((6, true)), Some((10, true))));
        positions.start(&b, 8);
        assert_eq!(found(&mut positions, &b), Some((8, false)));
        positions.forget(std::slice::from_ref(&a));
        assert_eq!(found(&mut positions, &a), None);
        assert!(!positions.read("a", 0, 6) && positions.read("b", 1, 8));
    }
}
