//! Usage by the customer's own weeks, and what is normal for it.

use std::ops::RangeInclusive;

use super::counts::Counts;
use super::packed::{PackedReader, PackedWriter};

/// Weeks kept: the current one, four against twelve, and one more for the check before.
pub const USAGE_WEEKS: usize = 18;

/// Whole weeks that are compared with what is normal.
const RECENT_WEEKS: usize = 4;

/// Weeks before those, whose median is the normal.
const BASELINE_WEEKS: usize = 12;

/// Whole weeks that are looked at for those with next to no usage: the ones that are compared with what is normal now or were so a week ago, and
/// one more, of which a rest may lie in them.
const CLOSED_WEEKS: i32 = RECENT_WEEKS as i32 + 2;

/// What there is of it at least in the weeks before somebody closes.
const OPEN_SHARE: f64 = 0.7;

/// With a smaller baseline, of a few sessions a week, a week without usage is chance.
const LEAST_BASELINE: f64 = 25.0;

/// Who is away for longer did not just close.
const MOST_CLOSED_WEEKS: u32 = 8;

/// What is left of the normal in a week in which nobody works.
const CLOSED_SHARE: f64 = 0.05;

/// Uses in each of the last weeks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UsageWeeks {
    counts: Counts<USAGE_WEEKS>,
    /// The baselines as of the newest week and of the one before, kept because every use and login asks for them.
    baselines: [f64; 2],
    /// Weeks with next to no usage, for more than a year: bit `i` is the week `i + 1` before the newest.
    closed: u64,
}

impl UsageWeeks {
    /// Adds uses to a week. Returns the week's uses before, or `None` when the week is not kept any more.
    pub fn add(&mut self, week: i32, uses: u32) -> Option<u32> {
        let newest = self.counts.newest();
        let before = self.counts.add(week, uses);
        if week != newest {
            self.note_closed(newest);
            self.keep_baselines();
        }
        before
    }

    /// Uses in a week.
    #[must_use]
    pub fn at(&self, week: i32) -> u32 {
        self.counts.at(week)
    }

    /// Mean weekly usage of the four whole weeks that end `skip` weeks before the current one.
    #[must_use]
    pub fn mean(&self, week: i32, skip: usize) -> f64 {
        self.counts.sum(week, 1 + skip, RECENT_WEEKS) as f64 / RECENT_WEEKS as f64
    }

    /// Median weekly usage of the twelve weeks before those four.
    #[must_use]
    pub fn baseline(&self, week: i32, skip: usize) -> f64 {
        match self.baselines.get(skip) {
            Some(baseline) if week == self.counts.newest() => *baseline,
            _ => self.median(week, skip),
        }
    }

    /// Whole weeks in a row, up to the last, each with less usage than the one before.
    #[must_use]
    pub fn falling(&self, week: i32) -> u32 {
        (1..USAGE_WEEKS as i32 - 1).take_while(|age| self.at(week - age) < self.at(week - age - 1)).count() as u32
    }

    /// How many of the last whole weeks had next to no usage, measured by a baseline, where that began at once: four weeks before were much as
    /// usual, without the one before them, since offices close on any day. Whose use fades away is not closed.
    #[must_use]
    pub fn closed(&self, week: i32, baseline: f64) -> u32 {
        let uses = |age: i32| f64::from(self.at(week - age));
        let is_closed = |age: &i32| uses(*age) <= CLOSED_SHARE * baseline;
        let began_at_once = |age: &i32| {
            let before = (*age..USAGE_WEEKS as i32 - 1).find(|age| !is_closed(age));
            before.is_some_and(|before| self.mean(week, before as usize) >= OPEN_SHARE * baseline)
        };
        if baseline < LEAST_BASELINE {
            return 0;
        }
        (1..=CLOSED_WEEKS).filter(is_closed).filter(began_at_once).count() as u32
    }

    /// Whether one of the weeks that lie between so many weeks back had next to no usage.
    #[must_use]
    pub fn was_closed(&self, week: i32, back: RangeInclusive<i32>) -> bool {
        let bit = |back: i32| u32::try_from(self.counts.newest() - 1 - (week - back)).ok().and_then(|place| self.closed.checked_shr(place));
        self.closed != 0 && back.into_iter().any(|back| bit(back).is_some_and(|bits| bits & 1 == 1))
    }

    /// The newest week is a later one than before: the weeks from that one on are whole, and those between have no usage at all. Weeks that are
    /// told late stay as they were seen then.
    fn note_closed(&mut self, before: i32) {
        let newest = self.counts.newest();
        let ahead = newest.saturating_sub(before).max(0) as u32;
        self.closed = self.closed.checked_shl(ahead).unwrap_or(0);
        if ahead > MOST_CLOSED_WEEKS + 1 || self.baselines[0] < LEAST_BASELINE {
            return;
        }
        for age in 1..=ahead {
            let is_closed = f64::from(self.at(newest - age as i32)) <= CLOSED_SHARE * self.baselines[0];
            self.closed |= u64::from(is_closed) << (age - 1);
        }
    }

    fn keep_baselines(&mut self) {
        let newest = self.counts.newest();
        self.baselines = [self.median(newest, 0), self.median(newest, 1)];
    }

    fn median(&self, week: i32, skip: usize) -> f64 {
        let mut weeks = [0_u32; BASELINE_WEEKS];
        let kept = self.counts.window(week, 1 + RECENT_WEEKS + skip, BASELINE_WEEKS);
        weeks[..kept.len()].copy_from_slice(kept);
        weeks.sort_unstable();
        f64::from(weeks[BASELINE_WEEKS / 2 - 1]) / 2.0 + f64::from(weeks[BASELINE_WEEKS / 2]) / 2.0
    }

    /// Packs it, its newest week told from that of the packed state.
    pub(super) fn pack(&self, writer: &mut PackedWriter) {
        self.counts.pack_near(writer, writer.base().0.div_euclid(7));
        writer.put(self.closed);
    }

    /// Reads back what [`Self::pack`] wrote.
    pub(super) fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        let counts = Counts::unpack_near(reader, reader.base().0.div_euclid(7))?;
        let mut weeks = Self { counts, baselines: [0.0; 2], closed: reader.take()? };
        weeks.keep_baselines();
        Some(weeks)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn kept_baselines_are_those_of_the_weeks(uses in prop::collection::vec((-20..3_i32, 0..3_i32, 0..60_u32), 0..120), ahead in -1..4_i32) {
            let (mut usage, mut week) = (UsageWeeks::default(), 2_900);
            for (late, on, uses) in uses {
                week += on / 2;
                usage.add(week + late.min(0), uses);
            }
            for skip in 0..2 {
                prop_assert_eq!(usage.baseline(week + ahead, skip), usage.median(week + ahead, skip));
                let mut of_each: Vec<u32> = (5..17).map(|age| usage.at(week + ahead - age - skip as i32)).collect();
                of_each.sort_unstable();
                prop_assert_eq!(usage.median(week + ahead, skip), f64::from(of_each[5] + of_each[6]) / 2.0);
            }
        }
    }
}
