//! Settings of the life of a signal: outcomes, expiry, hold-out, silences, and how much an owner is told in a week.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::customer::Customer;
use crate::rule::Rule;
use crate::time::{DAY_MS, Day, Time};

/// Silences that a rule set may hold.
pub const MAX_SILENCES: usize = 256;

/// How episodes end, are measured and are held back.
#[derive(Clone, Debug, PartialEq)]
pub struct LifeSettings {
    /// What counts as the churn of a customer.
    pub churn: Churn,
    /// The horizon H: an episode is false when nothing has come of it so long after it was raised.
    pub horizon_ms: i64,
    /// The least useful lead L: an at-risk episode raised later than this before the churn is late.
    pub min_lead_ms: i64,
    /// Age at which an open episode expires, where its rule does not say otherwise.
    pub expires_ms: i64,
    /// How long a snooze lasts that does not say until when.
    pub snooze_ms: i64,
    /// Customers of whom nothing is sent, so that there is something to compare with.
    pub hold_out: HoldOut,
    /// Signals raised per customer in a week (from Monday, UTC) that its owner is told of; critical ones always are. `None`: all.
    pub owner_cap: Option<u32>,
    /// How long after it was raised an open signal holds back those that name it as `inhibited_by`.
    pub inhibition_ms: i64,
    /// What is not to be told for a while.
    pub silences: Vec<Silence>,
}

impl Default for LifeSettings {
    fn default() -> Self {
        Self {
            churn: Churn::Notice,
            horizon_ms: 90 * DAY_MS,
            min_lead_ms: 14 * DAY_MS,
            expires_ms: 180 * DAY_MS,
            snooze_ms: 7 * DAY_MS,
            hold_out: HoldOut::default(),
            owner_cap: None,
            inhibition_ms: 28 * DAY_MS,
            silences: Vec::new(),
        }
    }
}

/// What counts as the churn of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Churn {
    /// The notice that stands, or the end of the last subscription, whichever is first.
    Notice,
    /// The end of the last subscription.
    End,
    /// The end of the last paid period of subscriptions that have all ended.
    PaidEnd,
}

impl Churn {
    /// Every choice with its name in rule files.
    pub const ALL: [(&'static str, Churn); 3] = [("notice", Self::Notice), ("end", Self::End), ("paid_end", Self::PaidEnd)];
}

/// A share of the customers, chosen by a hash: the same in every run, and independent of everything that customers do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HoldOut {
    /// Share of the customers, 0 to 1.
    pub share: f64,
    /// Another salt chooses others.
    pub salt: String,
}

impl HoldOut {
    /// Whether a customer belongs to the share.
    #[must_use]
    pub fn contains(&self, customer: &str) -> bool {
        if self.share <= 0.0 {
            return false;
        }
        let hash = xxh3_64_with_seed(customer.as_bytes(), xxh3_64(self.salt.as_bytes()));
        // 53 bits, so that the quotient is exact and below one.
        ((hash >> 11) as f64 / (1_u64 << 53) as f64) < self.share
    }
}

/// Something that is not to be told for a while; of what it does not name, everything is meant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Silence {
    /// Its name, by which decisions tell it.
    pub name: String,
    /// A rule.
    pub rule: Option<String>,
    /// A customer id.
    pub customer: Option<String>,
    /// Who looks after the customer.
    pub owner: Option<String>,
    /// A market segment.
    pub segment: Option<String>,
    /// When it begins; `Time::MIN` is from the beginning.
    pub from: Time,
    /// When it is over.
    pub until: Time,
    /// Why, in words.
    pub reason: String,
}

impl Silence {
    /// Whether it is about a rule of a customer at an instant.
    #[must_use]
    pub fn is_about(&self, customer: &Customer, rule: &Rule, now: Time) -> bool {
        let account = &customer.account;
        let is = |wanted: &Option<String>, found: Option<&str>| wanted.as_deref().is_none_or(|wanted| found == Some(wanted));
        self.from <= now
            && now < self.until
            && is(&self.rule, Some(&rule.name))
            && is(&self.customer, Some(&customer.id))
            && is(&self.owner, account.owner.get().map(|owner| &**owner))
            && is(&self.segment, account.segment.get().map(|segment| &**segment))
    }
}

/// The week of a day, counted from the one that began on Monday, 1969-12-29.
#[must_use]
pub fn week_of(day: Day) -> i32 {
    day.0.saturating_add(3).div_euclid(7)
}

/// When a week is over.
#[must_use]
pub fn end_of_week(week: i32) -> Time {
    Day(week.saturating_add(1).saturating_mul(7).saturating_sub(3)).start()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_out_has_its_share_and_another_salt_has_others() {
        let chosen = |share: f64, salt: &str| {
            let hold_out = HoldOut { share, salt: salt.to_owned() };
            (0..10_000).filter(|number| hold_out.contains(&format!("c-{number}"))).collect::<Vec<_>>()
        };
        assert_eq!((chosen(0.0, "a").len(), chosen(1.0, "a").len()), (0, 10_000));
        let (one, other) = (chosen(0.1, "a"), chosen(0.1, "b"));
        assert!((900..1_100).contains(&one.len()) && (900..1_100).contains(&other.len()), "{} {}", one.len(), other.len());
        assert!(one.iter().filter(|number| other.contains(number)).count() < 200);
        assert!(one.iter().all(|number| chosen(0.2, "a").contains(number)), "a larger share only adds customers");
    }

    #[test]
    fn weeks_begin_on_monday() {
        // 2024-01-01 was a Monday: day 19,723.
        assert_eq!([19_722, 19_723, 19_729, 19_730].map(|day| week_of(Day(day)) - week_of(Day(19_723))), [-1, 0, 0, 1]);
        assert_eq!(end_of_week(week_of(Day(19_723))), Day(19_730).start());
    }
}
