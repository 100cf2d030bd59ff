//! Usage by the customer's own weeks, and what is normal for it.

use super::counts::Counts;
use super::packed::{PackedReader, PackedWriter};

/// Weeks kept: the current one, four against twelve, and one more for the check before.
pub const USAGE_WEEKS: usize = 18;

/// Whole weeks that are compared with what is normal.
const RECENT_WEEKS: usize = 4;

/// Weeks before those, whose median is the normal.
const BASELINE_WEEKS: usize = 12;

/// Uses in each of the last weeks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UsageWeeks {
    counts: Counts<USAGE_WEEKS>,
    /// The baselines as of the newest week and of the one before, kept because every use and login asks for them.
    baselines: [f64; 2],
}

impl UsageWeeks {
    /// Adds uses to a week. Returns the week's uses before, or `None` when the week is not kept any more.
    pub fn add(&mut self, week: i32, uses: u32) -> Option<u32> {
        let newest = self.counts.newest();
        let before = self.counts.add(week, uses);
        if week != newest {
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
    }

    /// Reads back what [`Self::pack`] wrote.
    pub(super) fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        let mut weeks = Self { counts: Counts::unpack_near(reader, reader.base().0.div_euclid(7))?, baselines: [0.0; 2] };
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
