//! The guards of a rule: the parts of its condition that few events can change. While one does not hold, the rule need not be looked at.
//!
//! A customer logs in and uses the product many times a day, and every midnight all windows move on. Most rules that read such features ask
//! for something rarer too. Where nothing is going on about a rule and one of its guards does not hold, the rule is asleep, until a feature
//! of that guard may have changed. It would have stayed idle and asked for no earlier review, so whether it is looked at makes no difference
//! to anything but the time it takes.

use crate::expression::{ComparisonOperator, Expression, Terms, Threshold};
use crate::feature::{Change, Feature, FeatureSet};
use crate::fold_features::{ACTIVE_DAY, LOGIN, LOGIN_BACK, LOGIN_DAY, USAGE, USER_DAY, USER_SHARES};
use crate::own_feature::FIRST_OWN_FEATURE;
use crate::time::Time;
use crate::view::View;

/// How often what guards read may change.
pub(crate) const RARITIES: usize = 3;

/// Terms belong to the guard of the rarest changes that has all of their features: events of certain kinds alone; weeks too; days too.
const CHANGES: [FeatureSet; RARITIES] = [
    SETTLED,
    SETTLED.union(FeatureSet::changing(Change::Week)),
    SETTLED.union(FeatureSet::changing(Change::Week)).union(FeatureSet::changing(Change::Day)),
];

/// Features that change only by events which tell so; where they are absent for lack of room, every rule is looked at when that is over.
const SETTLED: FeatureSet = FeatureSet::of(&[
    Feature::MilestonesReached,
    Feature::FirstValue,
    Feature::Mrr,
    Feature::TermDays,
    Feature::Seats,
    Feature::PaymentAttemptsFailed,
    Feature::QuotaUtilisation,
    Feature::CancelRequested,
    Feature::ChampionLoggedIn,
    Feature::MarketingConsent,
    Feature::SeriousIncidentOpen,
    Feature::GoalProgress,
]);

/// Counts over the days up to now: time alone only takes from them, so what asks for more waits for an event.
const SHRINKING: FeatureSet = FeatureSet::of(&[
    Feature::Tickets14d,
    Feature::Reopened90d,
    Feature::LowRatings56d,
    Feature::CancelSessions7d,
    Feature::CancelSessions28d,
    Feature::GatedFeatureHits14d,
    Feature::Incidents28d,
]);

/// Features that change with every login or use, or with the first of a day.
const BUSY: FeatureSet = LOGIN.union(LOGIN_BACK).union(LOGIN_DAY).union(USAGE).union(ACTIVE_DAY).union(USER_SHARES).union(USER_DAY);

/// Clocks since something that only ever happens later: an event starts them anew, and then what was not reached yet is further away.
const RESTARTING: FeatureSet = FeatureSet::of(&[Feature::DaysSinceLogin]);

/// When tenure begins otherwise, warm-ups end otherwise: then every rule is looked at.
const TENURE: FeatureSet = FeatureSet::of(&[Feature::TenureDays]);

/// A guard of a rule about the customer as a whole.
#[derive(Debug)]
pub(crate) struct Guard {
    kind: Kind,
    /// How rarely it changes, rarest first: below [`RARITIES`].
    pub rarity: usize,
    /// Features whose change may make it hold.
    pub changes: FeatureSet,
}

#[derive(Debug)]
enum Kind {
    /// A clock has not come so far yet. Only time makes it hold.
    Clock(Threshold),
    /// All terms whose features change so rarely.
    Terms(Terms),
}

impl Guard {
    /// The guards that a condition has, the rarest first.
    pub fn of(when: &Expression) -> Vec<Self> {
        let is_clock = |term: &Threshold| RESTARTING.has_number(term.feature) && asks_for_more(*term);
        let clock = when.thresholds().find(is_clock);
        let clock = clock.map(|clock| Self { kind: Kind::Clock(clock), rarity: 0, changes: TENURE });
        if clock.is_some() {
            return clock.into_iter().collect();
        }
        let terms = |rarity: usize| {
            let terms = when.terms(|features, threshold| rarity_of(features, threshold) == Some(rarity))?;
            let changes = FeatureSet(terms.features()).union(TENURE);
            Some(Self { kind: Kind::Terms(terms), rarity, changes })
        };
        (0..RARITIES).filter_map(terms).collect()
    }

    /// Until when time alone does not make it hold; `None` where it may hold already.
    pub fn asleep_until(&self, view: &View<'_>, now: Time) -> Option<Time> {
        match &self.kind {
            Kind::Clock(threshold) => view.clock(Feature::at(threshold.feature))?.next_flip(threshold.operator, threshold.constant, now),
            Kind::Terms(terms) => (!terms.hold(&|feature| view.value(feature))).then_some(Time::NEVER),
        }
    }
}

/// How rarely a term changes that reads these features; `None` for one that changes all the time, or with the clock.
fn rarity_of(features: u128, threshold: Option<Threshold>) -> Option<usize> {
    if threshold.is_some_and(|term| SHRINKING.has_number(term.feature) && asks_for_more(term)) {
        return Some(0);
    }
    let others = BUSY.0 | u128::MAX << FIRST_OWN_FEATURE;
    (0..RARITIES).find(|rarity| features & !(CHANGES[*rarity].0 & !others) == 0)
}

fn asks_for_more(term: Threshold) -> bool {
    matches!(term.operator, ComparisonOperator::GreaterOrEqual | ComparisonOperator::Greater)
}
