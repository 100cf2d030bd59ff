//! Signals against what was planted in a simulated company: recall and lead by story, lift, burden, and false alarms of groups that look odd.
//!
//! # Layout
//! - [`Truth`] and [`Episode`]: what was planted, and what was raised. `outcome`: what an alarm is worth. `table`: the figures of each story.
//!   `overall`: lift and burden. `own`: which rule is about which story.
//!   `sources`: which rules the alarms are from, and beside which.

mod outcome;
mod overall;
mod own;
mod sources;
mod table;

use std::collections::BTreeMap;

use bellwether_engine::rule::Kind;
use bellwether_engine::time::{DAY_MS, Time};

pub use outcome::{Outcome, outcome};
pub use overall::{Base, Overall, comings_at_risk_kcm, overall};
pub use own::{ACTIVITY_RULES, OwnStory, own_stories};
pub use sources::{alarms_by_rule, pairs_beside};
pub use table::{StoryRow, story_table};

/// One customer as it was planted. Dates are the first instants of UTC days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truth {
    /// What its life was about.
    pub story: String,
    /// Its first contract.
    pub start: Time,
    /// When it made up its mind to leave; none if it did not, or its invoices decided.
    pub decision: Option<Time>,
    /// Its notice, if it was not withdrawn.
    pub notice: Option<Time>,
    /// The end of its subscription.
    pub end: Option<Time>,
    /// When it first bought more.
    pub upsell: Option<Time>,
}

impl Truth {
    /// The time to which lead runs: notice or end, whichever is first.
    #[must_use]
    pub fn churn(&self) -> Option<Time> {
        self.notice.into_iter().chain(self.end).min()
    }

    /// What a warning should come before: the decision, or the churn of who decided nothing.
    #[must_use]
    pub fn decided(&self) -> Option<Time> {
        self.churn().map(|churn| self.decision.unwrap_or(churn))
    }
}

/// An episode of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Episode {
    /// Its customer.
    pub customer: String,
    /// Its rule.
    pub rule: String,
    /// The kind of the rule.
    pub kind: Kind,
    /// When it was raised.
    pub raised: Time,
    /// When it ended, if it did.
    pub ended: Option<Time>,
}

/// How alarms are judged: SIGNALS 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// A churn this long after an alarm is no merit of the alarm any more.
    pub horizon_ms: i64,
    /// The shortest lead that is of use.
    pub min_lead_ms: i64,
    /// Younger customers are not counted as missed.
    pub warm_up_ms: i64,
    /// The end of the log.
    pub log_end: Time,
}

impl Judgement {
    /// Horizon 90 days, lead 14, warm-up 28.
    #[must_use]
    pub fn until(log_end: Time) -> Self {
        Self { horizon_ms: 90 * DAY_MS, min_lead_ms: 14 * DAY_MS, warm_up_ms: 28 * DAY_MS, log_end }
    }
}

/// All customers by id.
pub type Company = BTreeMap<String, Truth>;

/// Customer-months: 30.4375 days each.
#[must_use]
pub fn customer_months(truths: impl Iterator<Item = impl std::borrow::Borrow<Truth>>, judgement: &Judgement) -> f64 {
    let days: i64 = truths
        .map(|truth| {
            let truth = truth.borrow();
            truth.end.unwrap_or(judgement.log_end).since_ms(truth.start).max(0)
        })
        .sum::<i64>()
        / DAY_MS;
    days as f64 / 30.4375
}

/// The middle of some numbers; none of none.
#[must_use]
pub fn median(mut numbers: Vec<f64>) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    match numbers.len() {
        0 => None,
        length if length % 2 == 1 => Some(numbers[middle]),
        _ => Some(f64::midpoint(numbers[middle - 1], numbers[middle])),
    }
}
