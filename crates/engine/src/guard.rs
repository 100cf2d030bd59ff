//! The guard of a rule: the part of its condition that few events can change. While it does not hold, the rule need not be looked at.
//!
//! A customer logs in and uses the product many times a day, and most rules that read logins or uses also ask for something rarer. Where
//! nothing is going on about a rule and its guard does not hold, the rule is asleep, until a feature of the guard may have changed. A rule
//! that is asleep would have stayed idle and asked for no earlier review, so whether it is looked at or not makes no difference to anything
//! but the time it takes.

use crate::clock::Clock;
use crate::expression::{ComparisonOperator, Expression, Terms, Threshold};
use crate::feature::{Change, Feature, FeatureSet};
use crate::fold_features::{ACTIVE_DAY, LOGIN, LOGIN_BACK, LOGIN_DAY, USAGE, USER_DAY, USER_SHARES};
use crate::own_feature::FIRST_OWN_FEATURE;
use crate::time::Time;
use crate::view::View;

/// Features that change with every login or use, or with the first of a day.
const BUSY: FeatureSet = LOGIN.union(LOGIN_BACK).union(LOGIN_DAY).union(USAGE).union(ACTIVE_DAY).union(USER_SHARES).union(USER_DAY);

/// Features of windows, of which every midnight or week asks whether they have changed.
const WINDOWS: FeatureSet = FeatureSet::changing(Change::Day).union(FeatureSet::changing(Change::Week));

/// Clocks since something that only ever happens later: an event starts them anew, and then what was not reached yet is further away.
const RESTARTING: FeatureSet = FeatureSet::of(&[Feature::DaysSinceLogin]);

/// When tenure begins otherwise, warm-ups end otherwise: then every rule is looked at.
const TENURE: FeatureSet = FeatureSet::of(&[Feature::TenureDays]);

/// The guard of a rule about the customer as a whole.
#[derive(Debug)]
pub(crate) struct Guard {
    kind: Kind,
    /// Features whose change may make it hold.
    pub changes: FeatureSet,
}

#[derive(Debug)]
enum Kind {
    /// A clock has not come so far yet. Only time makes it hold.
    Clock(Threshold),
    /// Terms that read features of windows only, and no busy one.
    Terms(Terms),
}

impl Guard {
    /// The guard that a condition has, if any.
    pub fn of(when: &Expression) -> Option<Self> {
        let rises = |operator| matches!(operator, ComparisonOperator::GreaterOrEqual | ComparisonOperator::Greater);
        let is_clock = |term: &Threshold| RESTARTING.has_number(term.feature) && rises(term.operator);
        if let Some(clock) = when.thresholds().find(is_clock) {
            return Some(Self { kind: Kind::Clock(clock), changes: TENURE });
        }
        let terms = when.terms(|feature| feature < FIRST_OWN_FEATURE && WINDOWS.has_number(feature) && !BUSY.has_number(feature))?;
        let changes = FeatureSet(terms.features()).union(TENURE);
        Some(Self { kind: Kind::Terms(terms), changes })
    }

    /// Until when time alone does not make it hold; `None` where it may hold already.
    pub fn asleep_until(&self, view: &View<'_>, now: Time) -> Option<Time> {
        match &self.kind {
            Kind::Clock(threshold) => {
                let clock: Clock<'_> = view.clock(Feature::at(threshold.feature))?;
                clock.next_flip(threshold.operator, threshold.constant, now)
            }
            Kind::Terms(terms) => (!terms.hold(&|feature| view.value(feature))).then_some(Time::NEVER),
        }
    }
}
