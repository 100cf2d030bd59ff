//! Feedback: what people made of a signal, as marks on the episode that it told of.

use crate::customer::{Customer, Stamp};
use crate::episode::{Episode, Mark, Phase};
use crate::event::{Body, Event, FeedbackStep};
use crate::outcome_counts::OutcomeCounts;
use crate::rule::Rule;
use crate::rule_set::RuleSet;
use crate::signal::signal_id;
use crate::time::Time;

/// How many of an episode's last transitions feedback may name.
const MAX_TRANSITIONS: u16 = 64;

/// Marks the episode that the signal told of, and counts ratings. What no episode of the customer has told is counted as unknown.
pub(crate) fn take(customer: &mut Customer, event: &Event<'_>, identity: u64, now: Time, rules: &RuleSet, counts: &mut OutcomeCounts) {
    let Body::Feedback { step, signal, until, useful, .. } = &event.body else { return };
    let Some((index, rule)) = u128::from_str_radix(signal, 16).ok().and_then(|id| find(customer, rules, id)) else {
        counts.unknown_feedback += 1;
        return;
    };
    useful.iter().for_each(|useful| counts.rated(&rule.name, *useful));
    let until = until.unwrap_or(event.time.plus_ms(rules.settings.life.snooze_ms));
    let mark = match step {
        FeedbackStep::Acknowledged => Mark::Acknowledged,
        FeedbackStep::Dismissed => Mark::Dismissed,
        FeedbackStep::Snoozed if until > now => Mark::Snoozed(until),
        FeedbackStep::Snoozed | FeedbackStep::Rated => return,
    };
    let episode = &mut customer.episodes[index];
    if episode.phase != Phase::Open {
        return;
    }
    let is_set = episode.mark.set(Stamp::of(event, event.event_type(), identity), mark);
    if let (Mark::Snoozed(until), true) = (mark, is_set) {
        customer.clock_due = customer.clock_due.min(until);
    }
}

/// The episode that a signal told of, with its rule: open or ended, as long as the state holds it.
fn find<'r>(customer: &Customer, rules: &'r RuleSet, id: u128) -> Option<(usize, &'r Rule)> {
    let told = |episode: &Episode, rule: &Rule| {
        let ordinals = episode.ordinal.saturating_sub(MAX_TRANSITIONS)..episode.ordinal;
        ordinals.rev().any(|ordinal| signal_id(&customer.id, &rule.name, &episode.object, episode.raised_at, ordinal) == id)
    };
    customer.episodes.iter().enumerate().find_map(|(index, episode)| {
        let rule = rules.rules.iter().find(|rule| rule.hash == episode.rule)?;
        told(episode, rule).then_some((index, &**rule))
    })
}
