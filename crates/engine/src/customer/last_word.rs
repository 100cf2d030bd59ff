//! Registers: the event with the largest (time, type rank, id) has the last word, whatever the order of arrival.

use crate::event::Event;
use crate::event_type::EventType;
use crate::time::Time;

/// The place of an event in the order of last words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// Event time.
    pub time: Time,
    /// Type rank in the high byte, the low bits of the event's identity below.
    pub(super) tie: u32,
}

impl Stamp {
    /// The stamp of an event of which only time and type count.
    pub(crate) fn new(time: Time, kind: EventType) -> Stamp {
        Self::of_rank(time, kind as u8)
    }

    /// The stamp of an event by its time and the rank of its type.
    pub(crate) fn of_rank(time: Time, rank: u8) -> Stamp {
        Stamp { time, tie: u32::from(rank) << 24 }
    }

    /// The rank of the type.
    pub(crate) fn rank(self) -> u8 {
        (self.tie >> 24) as u8
    }

    /// The same without the identity of the event.
    pub(crate) fn without_identity(self) -> Stamp {
        Self::of_rank(self.time, self.rank())
    }

    /// The stamp of an event.
    #[must_use]
    pub fn of(event: &Event<'_>, kind: EventType, identity: u64) -> Stamp {
        Stamp { time: event.time, tie: (kind as u32) << 24 | (identity as u32 & 0x00ff_ffff) }
    }
}

/// A value that the latest event to speak of it has set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastWord<T>(Option<(Stamp, T)>);

impl<T> Default for LastWord<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> LastWord<T> {
    /// The register of a value that an event has set.
    pub(crate) fn from_entry(stamp: Stamp, value: T) -> Self {
        Self(Some((stamp, value)))
    }

    /// Stamp and value.
    pub(crate) fn entry(&self) -> Option<&(Stamp, T)> {
        self.0.as_ref()
    }
}

impl<T: Clone> LastWord<T> {
    /// Sets the value unless a later event has spoken. Returns whether it was set.
    pub fn set(&mut self, stamp: Stamp, value: T) -> bool {
        let wins = self.0.as_ref().is_none_or(|(known, _)| stamp >= *known);
        if wins {
            self.0 = Some((stamp, value));
        }
        wins
    }

    /// Sets the value if the event carries one.
    pub fn set_some(&mut self, stamp: Stamp, value: Option<T>) -> bool {
        value.is_some_and(|value| self.set(stamp, value))
    }

    /// The value, if any event has set it.
    #[must_use]
    pub fn get(&self) -> Option<&T> {
        self.0.as_ref().map(|(_, value)| value)
    }

    /// Event time of the last word.
    #[must_use]
    pub fn time(&self) -> Option<Time> {
        self.0.as_ref().map(|(stamp, _)| stamp.time)
    }
}
