//! Who of a group shall own which partition: evenly, and with as few moves as that takes.

use std::collections::{BTreeMap, BTreeSet};

use super::groups::{Member, MemberId};
use crate::batch::TopicPartition;

/// Sets the target of every member. The same members and partitions give the same targets.
pub(super) fn assign(members: &mut BTreeMap<MemberId, Member>, partitions: &BTreeSet<TopicPartition>) {
    let wants = |member: &Member, at: &TopicPartition| member.topics.iter().any(|topic| **topic == *at.topic);
    for member in members.values_mut() {
        let kept = std::mem::take(&mut member.target).into_iter();
        member.target = kept.filter(|at| partitions.contains(at) && wants(member, at)).collect();
    }
    for at in partitions {
        if members.values().any(|member| member.target.contains(at)) {
            continue;
        }
        let takers = members.values_mut().filter(|member| wants(member, at));
        if let Some(member) = takers.min_by_key(|member| member.target.len()) {
            member.target.insert(at.clone());
        }
    }
    while let Some((at, from, to)) = unfair(members, wants) {
        for (id, member) in members.iter_mut() {
            if *id == from {
                member.target.remove(&at);
            } else if *id == to {
                member.target.insert(at.clone());
            }
        }
    }
}

/// A partition whose move makes two members more even.
fn unfair(
    members: &BTreeMap<MemberId, Member>,
    wants: impl Fn(&Member, &TopicPartition) -> bool,
) -> Option<(TopicPartition, MemberId, MemberId)> {
    for (from, rich) in members {
        for (to, poor) in members.iter().filter(|(_, poor)| poor.target.len() + 1 < rich.target.len()) {
            if let Some(at) = rich.target.iter().rev().find(|at| wants(poor, at)) {
                return Some((at.clone(), *from, *to));
            }
        }
    }
    None
}
