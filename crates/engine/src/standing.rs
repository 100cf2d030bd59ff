//! What is open about a customer, as it would be told now: for whoever asks, not for the journal.

use crate::customer::Customer;
use crate::episode::{Episode, Phase};
use crate::evaluate::find_object;
use crate::lifecycle::Subject;
use crate::record_signal::signal;
use crate::rule::Mode;
use crate::rule_set::RuleSet;
use crate::signal::{Signal, Transition};
use crate::time::Time;

/// The open signals of a customer with their evidence as of `now`, each under the id of its raise, in the order of rules and objects.
///
/// Those of rules in shadow mode and those held out are left out: nobody was told of them. It changes nothing.
#[must_use]
pub fn open_signals(customer: &Customer, rules: &RuleSet, now: Time) -> Vec<Box<Signal>> {
    let open = customer.episodes.iter().filter(|episode| episode.phase == Phase::Open && !episode.held_out);
    let mut signals: Vec<Box<Signal>> = open.filter_map(|episode| open_signal(customer, rules, episode, now)).collect();
    signals.sort_unstable_by(|one, other| (&one.rule.name, &one.object).cmp(&(&other.rule.name, &other.object)));
    signals
}

fn open_signal(customer: &Customer, rules: &RuleSet, episode: &Episode, now: Time) -> Option<Box<Signal>> {
    let rule = rules.rules.iter().find(|rule| rule.hash == episode.rule && rule.mode == Mode::Live)?;
    let object = rule.object.and_then(|kind| find_object(customer, kind, &episode.object));
    let subject = Subject { customer, rules, rule, name: &episode.object, object, now, raised_at: Some(episode.raised_at) };
    // The raise is the first transition, so its id has the ordinal 0.
    let mut raise = episode.clone();
    raise.ordinal = 0;
    Some(signal(&subject, &raise, Transition::Raised))
}
