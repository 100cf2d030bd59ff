//! What is remembered of one customer for an evaluation.

use std::sync::Arc;

use bellwether_engine::rule::Severity;
use bellwether_engine::signal::{Signal, Transition};
use bellwether_engine::time::Time;
use xxhash_rust::xxh3::xxh3_64;

use super::rows::FeatureRow;

/// Changes of what a customer pays that are remembered; later ones are left out and counted.
pub const MAX_CHANGES: usize = 4_096;
/// Episodes of a customer that are remembered; later ones are left out and counted.
pub const MAX_EPISODES: usize = 65_536;

/// Conversions of a customer that are remembered; later ones are left out and counted.
pub const MAX_CONVERSIONS: usize = 4_096;

/// The past of one customer, as far as an evaluation looks at it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// Changes of what the customer pays and of its notice, in the order of time.
    pub changes: Vec<Change>,
    /// Health at the first instant of each month, UTC, while the customer paid.
    pub scores: Vec<Score>,
    /// Its features at the dates that were asked for, while the customer paid.
    pub rows: Vec<FeatureRow>,
    /// Episodes in the order in which they were raised.
    pub episodes: Vec<ObservedEpisode>,
    /// When a campaign converted, or the customer spoke for us.
    pub conversions: Vec<Time>,
}

/// What a customer is like from an instant on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Since when: the time of the event, though never before the change before it.
    pub at: Time,
    /// MRR of its running subscriptions, in minor units of its main currency.
    pub mrr_minor: i64,
    /// Whether a subscription runs, paid or not.
    pub is_active: bool,
    /// The notice that stands, by when it was first given.
    pub notice_at: Option<Time>,
    /// Until when it has paid, of a customer whose subscriptions have all ended; else the beginning of time.
    pub paid_until: Time,
}

/// Health at the beginning of a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Score {
    /// The month, counted from January of the year 0.
    pub month: i32,
    /// Health in tenths, 0 to 1000; none when no component had data.
    pub health_tenths: Option<u16>,
}

/// One episode, from its raising to its end.
#[derive(Clone, Debug, PartialEq)]
pub struct ObservedEpisode {
    /// Index of the rule in its rule set.
    pub rule: u16,
    /// Hash of the object, to tell the episodes of one rule apart.
    pub object: u64,
    /// When it was raised.
    pub raised_at: Time,
    /// When it was cleared, expired or resolved; never, while it is open.
    pub closed_at: Time,
    /// Since when it warns of nothing: when it was cleared or expired. What a notice or an end resolved goes on to warn of the churn, whichever
    /// that turns out to be, until it is raised anew.
    pub over_at: Time,
    /// The worst severity that it had.
    pub severity: Severity,
    /// MRR when it was raised, minor units.
    pub mrr_minor: i64,
    /// Who looked after the customer.
    pub owner: Option<Arc<str>>,
}

impl History {
    /// Remembers a change, unless nothing has changed. False when there is no room.
    pub fn note_change(&mut self, mut change: Change) -> bool {
        if let Some(last) = self.changes.last() {
            change.at = change.at.max(last.at);
            // A notice that is given again is not given later.
            change.notice_at = change.notice_at.map(|notice| last.notice_at.map_or(notice, |first| first.min(notice)));
            if (Change { at: last.at, ..change }) == *last {
                return true;
            }
        }
        let has_room = self.changes.len() < MAX_CHANGES;
        if has_room {
            self.changes.push(change);
        }
        has_room
    }

    /// Remembers that a campaign converted, or that the customer spoke for us. False when there is no room.
    pub fn note_conversion(&mut self, at: Time) -> bool {
        let has_room = self.conversions.len() < MAX_CONVERSIONS;
        if has_room {
            self.conversions.push(at);
        }
        has_room
    }

    /// Gives back the room for what comes no more: of a million customers it would be the larger part.
    pub fn shrink(&mut self) {
        self.changes.shrink_to_fit();
        self.scores.shrink_to_fit();
        self.rows.shrink_to_fit();
        self.episodes.shrink_to_fit();
        self.conversions.shrink_to_fit();
    }

    /// Follows a transition of an episode. False when there is no room.
    pub fn note_transition(&mut self, rule: u16, signal: &Signal, owner: Option<Arc<str>>) -> bool {
        let object = xxh3_64(signal.object.as_bytes());
        let is_it = |known: &&mut ObservedEpisode| known.rule == rule && known.object == object;
        let mut last = self.episodes.iter_mut().rev().find(is_it);
        if let Some(last) = last.as_mut().filter(|_| signal.transition == Transition::Raised) {
            last.over_at = last.over_at.min(signal.time).max(last.closed_at);
        }
        match (signal.transition, last.filter(|last| last.closed_at == Time::NEVER)) {
            // What began in silence is raised again at the end of the silence, and is the same episode.
            (Transition::Raised, Some(_)) => {}
            (Transition::Raised, None) => {
                if self.episodes.len() >= MAX_EPISODES {
                    return false;
                }
                let (raised_at, severity, mrr_minor) = (signal.time, signal.severity, signal.mrr_minor);
                let (closed_at, over_at) = (Time::NEVER, Time::NEVER);
                self.episodes.push(ObservedEpisode { rule, object, raised_at, closed_at, over_at, severity, mrr_minor, owner });
            }
            (Transition::Escalated, Some(open)) => open.severity = open.severity.max(signal.severity),
            (Transition::Cleared | Transition::Expired, Some(open)) => (open.closed_at, open.over_at) = (signal.time, signal.time),
            (Transition::Resolved, Some(open)) => open.closed_at = signal.time,
            (Transition::Eased | Transition::Reminded, _) | (_, None) => {}
        }
        true
    }
}
