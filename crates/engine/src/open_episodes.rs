//! Open episodes counted per rule, moved by the difference when an episode opens, ends or changes its severity.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::episode::{Episode, Phase};
use crate::rule::Severity;

/// Numbers of open episodes by severity, in the order of [`Severity::ALL`].
pub type BySeverity = [u64; Severity::ALL.len()];

/// Open episodes of a partition; those of several partitions add up. A rule without any is not in it, so that there are never more entries than
/// rules in the rule set in force and the one before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenEpisodes {
    /// By `Rule::hash`.
    rules: BTreeMap<u32, RuleEpisodes>,
}

/// Open episodes of one rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleEpisodes {
    /// Those not held out: told, unless the rule is in shadow mode.
    pub told: BySeverity,
    /// Those held out to compare with.
    pub held_out: BySeverity,
}

/// How an episode is counted while it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    held_out: bool,
    severity: Severity,
}

impl Counted {
    /// `None` unless it is open.
    pub fn of(episode: &Episode) -> Option<Self> {
        (episode.phase == Phase::Open).then(|| Self { held_out: episode.held_out, severity: episode.severity() })
    }
}

impl OpenEpisodes {
    /// The rules with open episodes, by `Rule::hash`.
    pub fn rules(&self) -> impl Iterator<Item = (u32, RuleEpisodes)> {
        self.rules.iter().map(|(rule, episodes)| (*rule, *episodes))
    }

    /// Counts an episode as it is.
    pub fn add(&mut self, episode: &Episode) {
        self.moved(episode.rule, None, Counted::of(episode));
    }

    /// An episode that is forgotten counts no longer.
    pub(crate) fn remove(&mut self, episode: &Episode) {
        self.moved(episode.rule, Counted::of(episode), None);
    }

    /// An episode of a rule counted so before, and counts so now.
    pub(crate) fn moved(&mut self, rule: u32, before: Option<Counted>, after: Option<Counted>) {
        if before == after {
            return;
        }
        let episodes = self.rules.entry(rule).or_default();
        if let Some(before) = before {
            let count = episodes.count(before);
            *count = count.saturating_sub(1);
        }
        if let Some(after) = after {
            *episodes.count(after) += 1;
        }
        if *episodes == RuleEpisodes::default() {
            self.rules.remove(&rule);
        }
    }

    /// Adds those of another partition.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (rule, more) in &other.rules {
            let episodes = self.rules.entry(*rule).or_default();
            episodes.told.iter_mut().zip(more.told).for_each(|(sum, more)| *sum += more);
            episodes.held_out.iter_mut().zip(more.held_out).for_each(|(sum, more)| *sum += more);
        }
    }
}

impl RuleEpisodes {
    fn count(&mut self, counted: Counted) -> &mut u64 {
        let group = if counted.held_out { &mut self.held_out } else { &mut self.told };
        &mut group[counted.severity as usize]
    }
}
