//! When a customer paid, and when it left: from the log, or from what a CRM says.

use bellwether_engine::life_settings;
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
    /// The end of the last paid period of subscriptions that have all ended.
    PaidEnd,
}

impl From<life_settings::Churn> for ChurnAt {
    /// What the settings of a rule file say.
    fn from(churn: life_settings::Churn) -> Self {
        match churn {
            life_settings::Churn::Notice => Self::Notice,
            life_settings::Churn::End => Self::End,
            life_settings::Churn::PaidEnd => Self::PaidEnd,
        }
    }
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
        // When service ends, with what was last: at once, or when it is no longer paid for.
        let mut ending: Option<(Time, Change)> = None;
        for change in changes {
            if let Some((from, _)) = open
                && let Some((end, last)) = ending.take_if(|(end, _)| *end <= change.at)
            {
                life.close(from, last, churn_at, end, end);
                open = None;
            }
            let is_served = change.is_active && (open.is_some() || change.mrr_minor > 0);
            match open {
                None if is_served => open = Some((change.at, *change)),
                None => {}
                Some((from, last)) if is_served => {
                    let mrr_minor = if change.mrr_minor > 0 { change.mrr_minor } else { last.mrr_minor };
                    open = Some((from, Change { mrr_minor, ..*change }));
                    ending = None;
                }
                Some((_, last)) => {
                    let end = if churn_at == ChurnAt::PaidEnd { change.at.max(change.paid_until) } else { change.at };
                    ending = Some((end, Change { notice_at: change.notice_at.or(last.notice_at), ..last }));
                }
            }
        }
        if let Some((from, last)) = open {
            match ending.filter(|(end, _)| *end <= log_end) {
                Some((end, last)) => life.close(from, last, churn_at, end, end),
                None => life.close(from, last, churn_at, log_end, Time::NEVER),
            }
        }
        life.spells.shrink_to_fit();
        life.churns.shrink_to_fit();
        life
    }

    /// The life under the outcomes of a CRM, in the order of time: these alone say who has churned, the log says who paid.
    #[must_use]
    pub fn from_outcomes(changes: &[Change], outcomes: &[Outcome], log_end: Time) -> Self {
        let log = Self::from_log(changes, ChurnAt::End, log_end);
        let mut life = Self::default();
        let mut from = Time::MIN;
        for outcome in outcomes {
            let Some(service) = log.spells.iter().find(|spell| spell.until > from) else { break };
            from = from.max(service.from);
            let Some(at) = outcome.churn_at().filter(|at| *at <= log_end && *at > from) else { continue };
            // Who says no more than that notice was given leaves the end of service to the log.
            let gone_at = outcome.end.map_or_else(|| log.service_ends(at), |end| if end <= log_end { end } else { Time::NEVER }).max(at);
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

    /// When the service of an instant ended; never, while it runs. Without service then, it was over.
    fn service_ends(&self, at: Time) -> Time {
        let Some(spell) = self.spells.iter().find(|spell| spell.from <= at && at <= spell.until) else { return at };
        let has_ended = self.churns.iter().any(|churn| churn.gone_at == spell.until);
        if has_ended { spell.until } else { Time::NEVER }
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
