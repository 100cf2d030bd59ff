//! When a customer paid, and when it left: from the log, or from what a CRM says.

use bellwether_engine::time::Time;

use crate::observe::{Change, ObservedCustomer};
use crate::outcomes::Outcome;

/// What counts as the moment at which a customer has churned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChurnAt {
    /// The notice that stands when service ends, or at the end of the log; without one, the end of the last subscription.
    #[default]
    Notice,
    /// The end of the last subscription, whatever was said before.
    End,
    /// The end of paid service, even if a free subscription runs on.
    PaidEnd,
}

/// The life of a customer as far as churn is concerned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Life {
    /// When it was served for money, in order.
    pub spells: Vec<Spell>,
    /// When it churned, in order; at most once in a spell.
    pub churns: Vec<Churn>,
}

/// A time of service, from the first payment on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spell {
    /// When it began.
    pub from: Time,
    /// When it ended; the end of the log while it lasts.
    pub until: Time,
}

/// A churn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Churn {
    /// The churn time, to which leads run.
    pub at: Time,
    /// When service ended; never, while a notice runs.
    pub gone_at: Time,
    /// What the customer paid last, minor units.
    pub mrr_minor: i64,
}

impl Life {
    /// The life that the log tells of.
    #[must_use]
    pub fn from_log(changes: &[Change], churn_at: ChurnAt, log_end: Time) -> Self {
        let mut life = Self::default();
        let mut open: Option<(Time, Change)> = None;
        for change in changes {
            let is_served = match churn_at {
                ChurnAt::PaidEnd => change.mrr_minor > 0,
                ChurnAt::Notice | ChurnAt::End => change.is_active && (open.is_some() || change.mrr_minor > 0),
            };
            match open {
                None if is_served => open = Some((change.at, *change)),
                None => {}
                Some((from, last)) if is_served => {
                    let mrr_minor = if change.mrr_minor > 0 { change.mrr_minor } else { last.mrr_minor };
                    open = Some((from, Change { mrr_minor, ..*change }));
                }
                Some((from, last)) => {
                    let notice_at = change.notice_at.or(last.notice_at);
                    life.close(from, Change { notice_at, ..last }, churn_at, change.at, change.at);
                    open = None;
                }
            }
        }
        if let Some((from, last)) = open {
            life.close(from, last, churn_at, log_end, Time::NEVER);
        }
        life.spells.shrink_to_fit();
        life.churns.shrink_to_fit();
        life
    }

    /// The life under the outcomes of a CRM, in the order of time: these alone say who has churned, the log says who paid.
    #[must_use]
    pub fn from_outcomes(changes: &[Change], outcomes: &[Outcome], log_end: Time) -> Self {
        let log = Self::from_log(changes, ChurnAt::End, log_end);
        let Some(first) = log.spells.first() else { return Self::default() };
        let mut life = Self::default();
        let mut from = first.from;
        for outcome in outcomes {
            let Some(at) = outcome.churn_at().filter(|at| *at <= log_end && *at > from) else { continue };
            let gone_at = outcome.end.filter(|end| *end <= log_end).unwrap_or(Time::NEVER).max(at);
            let last = changes.iter().rev().find(|change| change.at <= at && change.mrr_minor > 0);
            life.spells.push(Spell { from, until: gone_at.min(log_end) });
            life.churns.push(Churn { at, gone_at, mrr_minor: last.map_or(0, |change| change.mrr_minor) });
            from = gone_at;
        }
        // Whoever is on the log after leaving has come back.
        let rest = log.spells.iter().filter(|spell| spell.until > from);
        life.spells.extend(rest.map(|spell| Spell { from: spell.from.max(from), until: spell.until }));
        life
    }

    fn close(&mut self, from: Time, last: Change, churn_at: ChurnAt, until: Time, gone_at: Time) {
        self.spells.push(Spell { from, until });
        let notice = last.notice_at.filter(|notice| churn_at == ChurnAt::Notice && *notice >= from && *notice <= until);
        let at = notice.unwrap_or(gone_at);
        if at < Time::NEVER {
            self.churns.push(Churn { at, gone_at, mrr_minor: last.mrr_minor });
        }
    }

    /// The churn that a customer was heading for at an instant, or was in the notice period of.
    #[must_use]
    pub fn churn_after(&self, time: Time) -> Option<&Churn> {
        self.churns.iter().find(|churn| churn.gone_at.max(churn.at) >= time)
    }

    /// Whether the customer was served at an instant, and had not said that it leaves.
    #[must_use]
    pub fn is_customer(&self, time: Time) -> bool {
        self.spells.iter().any(|spell| spell.from <= time && time < spell.until)
            && self.churn_after(time).is_none_or(|churn| churn.at > time)
    }
}

impl Churn {
    /// Whether the customer was one for long enough that a rule could have known it.
    #[must_use]
    pub fn is_eligible(&self, customer: &ObservedCustomer, warm_up_ms: i64, from: Time) -> bool {
        self.at >= from && self.at.since_ms(customer.since) >= warm_up_ms
    }
}
