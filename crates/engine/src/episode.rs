//! Episodes: what a customer's state remembers of each rule that has something going on.

use serde::{Deserialize, Serialize};

use crate::rule::Severity;
use crate::time::Time;

/// Objects that one rule may have episodes about, per customer.
pub const MAX_OBJECTS_PER_RULE: usize = 8;

/// Where an episode stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// The condition holds, but not long enough yet.
    Pending,
    /// It would be open, but a suppression holds it back.
    Held,
    /// Raised, and not over.
    Open,
    /// Over.
    Closed,
}

/// One (rule, object) of a customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Episode {
    /// `Rule::hash`.
    pub rule: u32,
    /// The thing within the customer, or empty.
    pub object: Box<str>,
    /// Where it stands.
    pub phase: Phase,
    /// Since when it stands there.
    pub since: Time,
    /// When it was last raised.
    pub raised_at: Time,
    /// How often it was raised.
    pub number: u32,
    /// Transitions told since it was raised.
    pub ordinal: u16,
    /// `Severity` as its number.
    severity: u8,
    /// Whether it counts as an at-risk episode.
    pub is_at_risk: bool,
    /// After the end: whether the condition has been false since, so that a new one may begin.
    pub armed: bool,
    /// While open: since when the end condition holds; never, when it does not.
    pub clearing_since: Time,
}

impl Episode {
    /// A pending episode that was never raised.
    #[must_use]
    pub fn pending(rule: u32, object: &str, is_at_risk: bool, now: Time) -> Self {
        Self {
            rule,
            object: object.into(),
            phase: Phase::Pending,
            since: now,
            raised_at: now,
            number: 0,
            ordinal: 0,
            severity: 0,
            is_at_risk,
            armed: true,
            clearing_since: Time::NEVER,
        }
    }

    /// Its severity.
    #[must_use]
    pub fn severity(&self) -> Severity {
        Severity::ALL[usize::from(self.severity).min(2)]
    }

    /// Sets its severity.
    pub fn set_severity(&mut self, severity: Severity) {
        self.severity = severity as u8;
    }

    /// Moves it to a phase.
    pub fn enter(&mut self, phase: Phase, now: Time) {
        self.phase = phase;
        self.since = now;
        self.clearing_since = Time::NEVER;
    }
}

/// The at-risk flag: how many at-risk episodes are open, and when the last one ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AtRisk {
    open: u16,
    ended_at: Option<Time>,
}

impl AtRisk {
    /// An at-risk episode was raised.
    pub fn raised(&mut self) {
        self.open = self.open.saturating_add(1);
    }

    /// An at-risk episode ended.
    pub fn ended(&mut self, now: Time) {
        self.open = self.open.saturating_sub(1);
        self.ended_at = Some(now);
    }

    /// How many are open.
    #[must_use]
    pub fn open(&self) -> u16 {
        self.open
    }

    /// When the last one ended, if none is open.
    #[must_use]
    pub fn ended_at(&self) -> Option<Time> {
        self.ended_at.filter(|_| self.open == 0)
    }
}
