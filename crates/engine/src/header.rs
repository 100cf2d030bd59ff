//! What a partition remembers beside its customers, and the end of each of its days.

use serde::{Deserialize, Serialize};

use crate::aggregates::Aggregates;
use crate::erasure::Erasures;
use crate::kpi::{KpiDay, Month};
use crate::rule_set::RuleSet;
use crate::silence::SilentSources;
use crate::time::{Day, Time};

/// What a partition remembers beside its customers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Journal time: the largest watermark seen.
    pub journal_time: Time,
    /// Number of the rule set in force.
    pub rule_set: u32,
    /// Sources whose silence is no customer's.
    pub silent: SilentSources,
    /// Sums over the customers.
    pub aggregates: Aggregates,
    /// Customers that were erased.
    pub erasures: Erasures,
    /// When the UTC day of journal time ends; then the sums are told.
    pub day_end: Time,
}

impl Default for Header {
    fn default() -> Self {
        Self {
            journal_time: Time::MIN,
            rule_set: 0,
            silent: SilentSources::default(),
            aggregates: Aggregates::default(),
            erasures: Erasures::default(),
            day_end: Time::MIN,
        }
    }
}

impl Header {
    /// Brings the sums over the end of a UTC day that is over by `next`. Returns how they stood then; before the first day, nothing did.
    pub(crate) fn end_day(&mut self, next: Time, rules: &RuleSet) -> Option<Box<KpiDay>> {
        rules.settings.poison.take_day_end(self.day_end);
        let is_first = self.day_end == Time::MIN;
        let today = self.next_day(next);
        let ended_month = Month::of(today.before());
        if !is_first && Month::of(today) != ended_month {
            self.aggregates.kpis.end_month(ended_month);
        }
        let ended = (!is_first).then(|| {
            let stages = rules.settings.stage_names().into_iter().map(Box::from).collect();
            let (settings, aggregates) = (rules.settings.kpis.clone(), self.aggregates.clone());
            Box::new(KpiDay { day: today.before(), rule_set: rules.number, settings, stages, aggregates })
        });
        self.day_end = today.next().start();
        self.aggregates.enter(today);
        ended
    }

    /// Goes over the end of a UTC day that is over by `next`, and leaves the sums alone.
    pub(crate) fn pass_day_end(&mut self, next: Time) {
        self.day_end = self.next_day(next).next().start();
    }

    fn next_day(&self, next: Time) -> Day {
        if self.day_end == Time::MIN { next.day() } else { self.day_end.day() }
    }
}
