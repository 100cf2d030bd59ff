//! How long things take, in whole days, with those that are not done yet: sums that add up, and their Kaplan-Meier median.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::time::{Day, Time};

/// Longer durations count as this many days.
pub const MAX_DURATION_DAYS: u16 = 730;

/// Durations of those who began in one month.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Durations {
    /// Done, by the days that it took.
    pub done: BTreeMap<u16, i64>,
    /// Given up before it was done, by the days until then: censored.
    pub given_up: BTreeMap<u16, i64>,
    /// Not done yet, by the day of its beginning: censored at the present.
    pub waiting: BTreeMap<Day, i64>,
}

/// One thing that takes time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duration {
    /// It took so many days.
    Done(u16),
    /// It was given up after so many days.
    GivenUp(u16),
    /// It goes on.
    Waiting,
}

impl Duration {
    /// From a beginning to an end, or to when it was given up.
    #[must_use]
    pub fn between(began: Time, done: Option<Time>, given_up: Option<Time>) -> Self {
        match (done, given_up) {
            (Some(done), _) => Self::Done(whole_days(began, done)),
            (None, Some(given_up)) => Self::GivenUp(whole_days(began, given_up)),
            (None, None) => Self::Waiting,
        }
    }
}

fn whole_days(from: Time, to: Time) -> u16 {
    (to.day().0.saturating_sub(from.day().0)).clamp(0, i32::from(MAX_DURATION_DAYS)) as u16
}

impl Durations {
    /// Adds one that began on a day, or takes it away again.
    pub(super) fn add(&mut self, began: Day, duration: Duration, sign: i64) {
        match duration {
            Duration::Done(days) => add(&mut self.done, days, sign),
            Duration::GivenUp(days) => add(&mut self.given_up, days, sign),
            Duration::Waiting => add(&mut self.waiting, began, sign),
        }
    }

    /// Adds those of another partition or month.
    pub fn merge(&mut self, other: &Self) {
        other.done.iter().for_each(|(days, count)| add(&mut self.done, *days, *count));
        other.given_up.iter().for_each(|(days, count)| add(&mut self.given_up, *days, *count));
        other.waiting.iter().for_each(|(day, count)| add(&mut self.waiting, *day, *count));
    }

    /// How many there are, done or not.
    #[must_use]
    pub fn count(&self) -> i64 {
        self.done.values().chain(self.given_up.values()).chain(self.waiting.values()).sum()
    }

    /// How many are done.
    #[must_use]
    pub fn done_count(&self) -> i64 {
        self.done.values().sum()
    }

    /// The Kaplan-Meier median in days as of a day: the first duration by which half are done, where those who are not count as long as they
    /// are known (Kaplan and Meier, 1958). `None` while fewer than half are.
    #[must_use]
    pub fn median_days(&self, today: Day) -> Option<u16> {
        let mut censored = self.given_up.clone();
        for (began, count) in &self.waiting {
            add(&mut censored, whole_days(began.start(), today.start()), *count);
        }
        let mut at_risk = self.count();
        let mut survival = 1.0;
        let mut passed = censored.iter().peekable();
        for (days, count) in &self.done {
            while let Some((_, gone)) = passed.next_if(|(until, _)| *until < days) {
                at_risk -= gone;
            }
            survival *= 1.0 - *count as f64 / at_risk.max(1) as f64;
            at_risk -= count;
            if survival <= 0.5 {
                return Some(*days);
            }
        }
        None
    }
}

/// Adds to a count, and forgets a count of nothing.
pub(super) fn add<K: Ord>(counts: &mut BTreeMap<K, i64>, key: K, amount: i64) {
    match counts.entry(key) {
        std::collections::btree_map::Entry::Occupied(mut entry) => {
            *entry.get_mut() = entry.get().saturating_add(amount);
            if *entry.get() == 0 {
                entry.remove();
            }
        }
        std::collections::btree_map::Entry::Vacant(entry) => {
            if amount != 0 {
                entry.insert(amount);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_counts_those_who_are_not_done() {
        let mut durations = Durations::default();
        for days in [5, 10, 20] {
            durations.add(Day(0), Duration::Done(days), 1);
        }
        assert_eq!(durations.median_days(Day(40)), Some(10));
        // Five who began on day 0 and are not done by day 40: 3 of 8 are done.
        durations.add(Day(0), Duration::Waiting, 5);
        assert_eq!((durations.median_days(Day(40)), durations.count()), (None, 8));
        // As of day 12 they are known for 12 days only: after the two who are done, one is left who took 20.
        assert_eq!(durations.median_days(Day(12)), Some(20));
        durations.add(Day(0), Duration::Waiting, -5);
        durations.add(Day(0), Duration::GivenUp(5), 2);
        // At day 5 all five are at risk: 4/5; then three are left: 4/5 * 1/2.
        assert_eq!(durations.median_days(Day(40)), Some(10));
        assert!(durations.waiting.is_empty());
    }
}
