//! A trial of other rules on the states that a replay has left: what would open, close and stay if they took effect now.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bellwether_engine::episode::Phase;
use bellwether_engine::event::CustomerKey;
use bellwether_engine::partition::Partition;
use bellwether_engine::rule_set::RuleSet;

/// What becomes of the episodes of one rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Would be raised.
    pub opens: u64,
    /// Would be cleared or resolved, since their condition is another one.
    pub clears: u64,
    /// Would expire, since their rule is gone.
    pub expires: u64,
    /// Stay open.
    pub keeps: u64,
}

/// What a trial comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trial {
    /// By rule; rules without episodes are left out.
    pub changes: BTreeMap<String, Change>,
    /// Customers that are in none of them, since evaluating them panics.
    pub left_out: u64,
}

/// An open episode: customer, hash of the rule, object.
type Open = BTreeSet<(CustomerKey, u32, Box<str>)>;

/// Puts rules into force in every partition, as publishing them does, and compares the open episodes by rule.
#[must_use]
pub fn trial(partitions: Vec<Partition>, rules: &Arc<RuleSet>) -> Trial {
    let Trial { mut changes, mut left_out } = Trial::default();
    for mut partition in partitions {
        let previous = partition.rules().clone();
        let names = names(&previous, rules);
        let mut before = open_episodes(&partition);
        partition.set_rules(rules.clone(), Some(previous));
        let mut keys: Vec<CustomerKey> = partition.customers().map(|customer| CustomerKey::of(&customer.id)).collect();
        keys.sort_unstable();
        let mut outputs = Vec::new();
        let mut is_left_out = BTreeSet::new();
        for key in keys {
            if partition.review_now(key, &mut outputs).is_poisoned() {
                is_left_out.insert(key);
            }
            outputs.clear();
        }
        left_out += is_left_out.len() as u64;
        let mut after = open_episodes(&partition);
        [&mut before, &mut after].into_iter().for_each(|open| open.retain(|(key, ..)| !is_left_out.contains(key)));
        let name = |rule: &u32| names.get(rule).cloned().unwrap_or_else(|| format!("rule {rule:08x}"));
        for (_, rule, _) in after.difference(&before) {
            changes.entry(name(rule)).or_default().opens += 1;
        }
        for (_, rule, _) in after.intersection(&before) {
            changes.entry(name(rule)).or_default().keeps += 1;
        }
        for (_, rule, _) in before.difference(&after) {
            let change = changes.entry(name(rule)).or_default();
            let is_gone = rules.rules.iter().all(|known| known.hash != *rule);
            *(if is_gone { &mut change.expires } else { &mut change.clears }) += 1;
        }
    }
    Trial { changes, left_out }
}

fn names(previous: &RuleSet, rules: &RuleSet) -> BTreeMap<u32, String> {
    let all = previous.rules.iter().chain(&rules.rules);
    all.map(|rule| (rule.hash, rule.name.clone())).collect()
}

fn open_episodes(partition: &Partition) -> Open {
    let of_customer = |customer: &bellwether_engine::customer::Customer| {
        let key = CustomerKey::of(&customer.id);
        let open = customer.episodes.iter().filter(|episode| episode.phase == Phase::Open);
        open.map(|episode| (key, episode.rule, episode.object.clone())).collect::<Vec<_>>()
    };
    partition.customers().flat_map(of_customer).collect()
}
