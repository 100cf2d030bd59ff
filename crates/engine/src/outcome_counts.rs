//! Outcomes counted per rule: live precision, recall and lead time as integers that add up over partitions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::open_episodes::OpenEpisodes;
use crate::outcome::{Group, Outcome, Verdict};
use crate::time::DAY_MS;

/// Rules that are counted apart; what further ones do is counted under [`OTHER_RULES`]. Rules of old rule sets count too.
pub const MAX_COUNTED_RULES: usize = 256;

/// The name under which rules beyond the limit are counted.
pub const OTHER_RULES: &str = "other";

/// Upper bounds in days of the buckets of leads; a last bucket holds what is longer.
pub const LEAD_BUCKETS_DAYS: [i64; 5] = [7, 14, 30, 60, 90];

/// How long before its churn a customer was warned, in days: thresholds that are counted.
pub const WARNED_DAYS: [i64; 4] = [14, 30, 60, 90];

/// Outcomes of the signals of a partition; those of several partitions add up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeCounts {
    /// By name of the rule.
    pub rules: BTreeMap<String, RuleOutcomes>,
    /// Episodes whose end is still to come.
    pub open: OpenEpisodes,
    /// Churns, and warnings before them.
    pub churn: ChurnCounts,
    /// Ended episodes whose outcome will never be known, because a customer had too many of them.
    pub forgotten: u64,
    /// Feedback about signals that no episode of the customer has.
    pub unknown_feedback: u64,
}

/// Outcomes of one rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleOutcomes {
    /// Episodes by `Group` and `Outcome`; those held out are the control group.
    pub groups: [[u64; 3]; 3],
    /// Sum of the leads of true and late episodes, seconds; without those held out.
    pub lead_sum_seconds: u64,
    /// Those episodes by lead: a bucket for each of [`LEAD_BUCKETS_DAYS`], and one for the rest.
    pub leads: [u64; LEAD_BUCKETS_DAYS.len() + 1],
    /// People who said that a signal was useful.
    pub useful: u64,
    /// People who said that it was not.
    pub not_useful: u64,
}

/// Churns of customers that paid and were past the warm-up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChurnCounts {
    /// All of them.
    pub churned: u64,
    /// Those with a true at-risk episode.
    pub caught: u64,
    /// The same by rule.
    pub caught_by_rule: BTreeMap<String, u64>,
    /// Those warned at least so many of [`WARNED_DAYS`] before, by the earliest episode that was still open the least useful lead before.
    pub warned: [u64; WARNED_DAYS.len()],
}

impl OutcomeCounts {
    /// Counts an outcome.
    pub fn judged(&mut self, rule: &str, verdict: &Verdict) {
        let counts = entry(&mut self.rules, rule);
        counts.groups[verdict.group as usize][verdict.outcome as usize] += 1;
        if let Some(lead_ms) = verdict.lead_ms.filter(|_| verdict.outcome != Outcome::False && verdict.group != Group::HeldOut) {
            counts.lead_sum_seconds = counts.lead_sum_seconds.saturating_add(lead_ms.unsigned_abs() / 1_000);
            counts.leads[LEAD_BUCKETS_DAYS.iter().filter(|bound| lead_ms > **bound * DAY_MS).count()] += 1;
        }
    }

    /// Counts what somebody thought of a signal.
    pub fn rated(&mut self, rule: &str, useful: bool) {
        let counts = entry(&mut self.rules, rule);
        *(if useful { &mut counts.useful } else { &mut counts.not_useful }) += 1;
    }

    /// Adds those of another partition.
    pub fn add(&mut self, other: &OutcomeCounts) {
        for (rule, more) in &other.rules {
            let counts = entry(&mut self.rules, rule);
            counts.groups.iter_mut().zip(&more.groups).for_each(|(sums, more)| add_all(sums, more));
            add_all(&mut counts.leads, &more.leads);
            counts.lead_sum_seconds = counts.lead_sum_seconds.saturating_add(more.lead_sum_seconds);
            counts.useful += more.useful;
            counts.not_useful += more.not_useful;
        }
        self.open.merge(&other.open);
        self.churn.churned += other.churn.churned;
        self.churn.caught += other.churn.caught;
        add_all(&mut self.churn.warned, &other.churn.warned);
        other.churn.caught_by_rule.iter().for_each(|(rule, more)| *entry(&mut self.churn.caught_by_rule, rule) += more);
        self.forgotten += other.forgotten;
        self.unknown_feedback += other.unknown_feedback;
    }
}

impl ChurnCounts {
    /// Counts a churn with the warnings that still stood before it.
    pub(crate) fn add(&mut self, warnings: &[(&str, Verdict)]) {
        self.churned += 1;
        let mut rules: Vec<&str> = warnings.iter().filter(|(_, verdict)| verdict.outcome == Outcome::True).map(|(rule, _)| *rule).collect();
        rules.sort_unstable();
        rules.dedup();
        self.caught += u64::from(!rules.is_empty());
        rules.iter().for_each(|rule| *entry(&mut self.caught_by_rule, rule) += 1);
        let longest = warnings.iter().filter_map(|(_, verdict)| verdict.lead_ms).max().unwrap_or(-1);
        for (days, warned) in WARNED_DAYS.iter().zip(&mut self.warned) {
            *warned += u64::from(longest >= days * DAY_MS);
        }
    }
}

fn entry<'m, T: Default>(rules: &'m mut BTreeMap<String, T>, rule: &str) -> &'m mut T {
    let known = rules.contains_key(rule) || rules.len() < MAX_COUNTED_RULES;
    rules.entry(if known { rule } else { OTHER_RULES }.to_owned()).or_default()
}

fn add_all<const N: usize>(sums: &mut [u64; N], more: &[u64; N]) {
    sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
}
