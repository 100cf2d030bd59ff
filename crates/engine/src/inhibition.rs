//! Inhibition: a rule is held back while a signal of another one that says as much stands open.

use std::sync::Arc;

use crate::customer::Customer;
use crate::episode::Phase;
use crate::lifecycle::Subject;
use crate::rule::{Mode, Rule, Severity};
use crate::rule_set::RuleSet;
use crate::time::Time;

/// The rule that holds another one back from being raised with a severity, and until when if it stays open.
///
/// One of those that `rule` names as `inhibited_by`, live and open, no less severe, and so for no longer than `settings.life.inhibition_ms`:
/// what was told longer ago is no reason to keep silent.
#[must_use]
pub fn inhibitor<'a>(customer: &Customer, rules: &'a RuleSet, rule: &Rule, severity: Severity, now: Time) -> Option<(&'a Rule, Time)> {
    if rule.inhibited_by.is_empty() {
        return None;
    }
    let is_open = |one: &&crate::episode::Episode| one.phase == Phase::Open && rule.inhibited_by.contains(&one.rule);
    let holding = customer.episodes.iter().filter(is_open).filter_map(|episode| {
        // Not from when it was raised: what was raised before a quiet start is raised once more after it.
        let until = episode.since.plus_ms(rules.settings.life.inhibition_ms);
        let named = rules.rules.iter().find(|known| known.hash == episode.rule && known.mode == Mode::Live)?;
        (episode.severity() >= severity && until > now).then_some((&**named, until))
    });
    holding.max_by_key(|(_, until)| *until)
}

/// For each rule of a set the rules that it holds back, one bit each. They stand behind it, so that it is settled when they are looked at.
pub(crate) fn inhibited(rules: &[Arc<Rule>]) -> Vec<u128> {
    let behind = |index: usize, hash: u32| {
        let named = rules.iter().enumerate().skip(index + 1).filter(|(_, rule)| rule.inhibited_by.contains(&hash));
        named.fold(0, |bits, (place, _)| bits | 1 << place)
    };
    rules.iter().enumerate().map(|(index, rule)| behind(index, rule.hash)).collect()
}

impl Subject<'_> {
    /// The reason of a decision, where another signal holds this one back.
    pub(crate) fn inhibited(&self, severity: Severity) -> Option<Arc<str>> {
        let (rule, _) = inhibitor(self.customer, self.rules, self.rule, severity, self.now)?;
        Some(format!("inhibited: {}", rule.name).into())
    }

    /// When that is over at the latest.
    pub(crate) fn inhibited_until(&self, severity: Severity) -> Option<Time> {
        inhibitor(self.customer, self.rules, self.rule, severity, self.now).map(|(_, until)| until)
    }
}
