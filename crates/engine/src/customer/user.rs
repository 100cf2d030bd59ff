//! One user of a customer: since when it is active without a long pause, and how much it does.

use super::block_counts::{BlockCounts, block};
use super::packed::{Packed, PackedReader, PackedWriter};
use crate::event::UserToken;
use crate::time::Day;

/// Length in days of the windows that count users: the last one, and the one before.
pub(super) const WINDOW_DAYS: i32 = 28;

/// Both windows together: the longest look back at a user.
pub(super) const LONGEST_WINDOW_DAYS: i32 = 2 * WINDOW_DAYS;

/// One user.
///
/// Of its active days only those are kept that can decide whether a window of [`WINDOW_DAYS`] holds one. Between two active days that are no
/// further apart than that, no window fits; so a stretch of such days is as good as its ends, and of all before it only the last counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The pseudonym.
    pub token: UserToken,
    /// The latest active day.
    pub newest: Day,
    /// Days from the first day of the latest stretch to `newest`; at most [`WINDOW_DAYS`], since every window reaches at least so far back.
    stretch: u8,
    /// Days from the last active day before that stretch to `newest`; 0 where no window can reach it any more.
    before: u8,
    pub(super) counts: BlockCounts,
}

/// What an activity of a user changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marked {
    /// Nothing but counters.
    Counted,
    /// It is the first on a day later than all before.
    Later,
    /// A late one, which a window may hold where it held none.
    Earlier,
}

impl User {
    /// A user seen for the first time.
    pub(super) fn new(token: UserToken, day: Day) -> Self {
        Self { token, newest: day, stretch: 0, before: 0, counts: BlockCounts::one(block(day)) }
    }

    /// Counts an activity.
    pub(super) fn mark(&mut self, day: Day) -> Marked {
        self.counts.add(block(day));
        let ahead = day.0.saturating_sub(self.newest.0);
        match ahead {
            0 => Marked::Counted,
            1.. => {
                self.advance(ahead);
                self.newest = day;
                Marked::Later
            }
            _ => self.mark_late(ahead.saturating_neg()),
        }
    }

    fn advance(&mut self, days: i32) {
        if days > WINDOW_DAYS {
            (self.stretch, self.before) = (0, reachable(days));
        } else {
            self.before = if self.before > 0 { reachable(i32::from(self.before) + days) } else { 0 };
            self.stretch = (i32::from(self.stretch) + days).min(WINDOW_DAYS) as u8;
        }
    }

    /// An activity so many days before the newest.
    fn mark_late(&mut self, age: i32) -> Marked {
        let (stretch, before) = (i32::from(self.stretch), i32::from(self.before));
        if age <= stretch || age >= LONGEST_WINDOW_DAYS {
            return Marked::Counted;
        }
        if age - stretch > WINDOW_DAYS {
            let known = before > 0 && before <= age;
            self.before = if known { self.before } else { age as u8 };
            return if known { Marked::Counted } else { Marked::Earlier };
        }
        // The stretch begins earlier; it may now reach what was before it.
        let joins = before > 0 && before - age <= WINDOW_DAYS;
        self.stretch = (if joins { before } else { age }).min(WINDOW_DAYS) as u8;
        self.before = if joins { 0 } else { self.before };
        Marked::Earlier
    }

    /// The first day of the latest stretch, where that is not before `from`.
    pub(super) fn stretch_from(&self, from: Day) -> Option<Day> {
        Some(Day(self.newest.0 - i32::from(self.stretch))).filter(|first| *first >= from)
    }

    /// Whether it was active within a window before that day, which is no longer than two windows ago.
    pub(super) fn was_active_before(&self, day: Day) -> bool {
        let window = day.0 - WINDOW_DAYS..day.0;
        let (stretch, before) = (i32::from(self.stretch), i32::from(self.before));
        let reaches = self.newest >= day && self.newest.0 - stretch < day.0;
        reaches || window.contains(&self.newest.0) || before > 0 && window.contains(&(self.newest.0 - before))
    }

    /// Whether it was active in the window before the last one; no day that it was active on is after `today`.
    pub(super) fn is_in_previous_window(&self, today: Day) -> bool {
        let age = today.0 - self.newest.0;
        let reaches = |days: u8| age + i32::from(days) < LONGEST_WINDOW_DAYS;
        reaches(0) && age + i32::from(self.stretch) >= WINDOW_DAYS || self.before > 0 && reaches(self.before)
    }
}

/// A distance from the newest day that the longest window reaches, or else 0.
fn reachable(days: i32) -> u8 {
    if days < LONGEST_WINDOW_DAYS { days as u8 } else { 0 }
}

/// Ages from this on do not fit beside the other distances in two bytes.
const OLD: u64 = (1 << 6) - 1;

/// Five bits each for the stretch and what is before it, six for the age; the block of the counts is that of the newest day.
impl Packed for User {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.bytes.extend_from_slice(&self.token.0.to_le_bytes());
        let before = self.before.saturating_sub(WINDOW_DAYS as u8);
        let age = u64::try_from(i64::from(writer.base().0) - i64::from(self.newest.0)).map_or(OLD, |age| age.min(OLD));
        let packed = u16::from(self.stretch) | u16::from(before) << 5 | (age as u16) << 10;
        writer.bytes.extend_from_slice(&packed.to_le_bytes());
        if age == OLD {
            writer.put_day(self.newest);
        }
        self.counts.pack(writer);
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        let token = UserToken(u64::from_le_bytes(reader.take_array()?));
        let packed = u16::from_le_bytes(reader.take_array()?);
        let age = u64::from(packed >> 10);
        let newest = if age == OLD { reader.take_day()? } else { Day(reader.base().0.checked_sub(age as i32)?) };
        let before = packed >> 5 & 31;
        Some(Self {
            token,
            newest,
            stretch: (packed & 31) as u8,
            before: if before > 0 { before as u8 + WINDOW_DAYS as u8 } else { 0 },
            counts: BlockCounts::unpack(reader, block(newest))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn windows_are_those_of_all_active_days(steps in prop::collection::vec((0..45_i32, 0..4_u8, 0..80_i32), 1..60)) {
            let mut today = Day(19_000);
            let mut user = User::new(UserToken(7), today);
            let mut days = vec![today];
            for (pause, kind, late) in steps {
                today = Day(today.0 + if kind == 0 { pause } else { pause / 12 });
                let day = Day(if kind == 3 { today.0 - late } else { today.0 });
                let (before, newest) = (user.clone(), user.newest);
                let marked = user.mark(day);
                days.push(day);
                prop_assert_eq!(marked == Marked::Later, day > newest);
                prop_assert_eq!(user.newest, days.iter().copied().max().unwrap_or_default());
                let mut turned = false;
                for later in (0..60).map(|ahead| Day(today.0 + ahead)) {
                    let active = days.iter().any(|day| (later.0 - 55..=later.0 - 28).contains(&day.0));
                    prop_assert_eq!(user.is_in_previous_window(later), active, "{:?} at {:?}", user, later);
                    turned |= before.is_in_previous_window(later) != active;
                }
                prop_assert!(!turned || marked != Marked::Counted);
            }
        }
    }
}
