//! What a state does not know for lack of room: the features of a collection that was too full are absent until nothing is missing any more.

use crate::customer::{Customer, RATINGS_WINDOW_DAYS, SESSIONS_WINDOW_DAYS};
use crate::feature::Feature;
use crate::settings::Settings;
use crate::time::{Day, Time};

/// What is missing for good.
const NEVER: Day = Day(i32::MAX);

/// Days of the shorter windows of sessions and of ratings.
const SHORT_SESSIONS_DAYS: i32 = 7;
const LOW_RATINGS_DAYS: i32 = 56;

/// Whether nothing that a feature is made from is missing.
pub(crate) fn knows(customer: &Customer, settings: &Settings, feature: Feature, today: Day) -> bool {
    let (billing, activity) = (&customer.billing, &customer.activity);
    let (support, relation) = (customer.support.as_deref(), customer.relation.as_deref());
    let (leaving, onboarding) = (customer.leaving.as_deref(), customer.onboarding.as_deref());
    let is_since = |day: Option<Day>| day.is_none_or(|day| today >= day);
    let subscriptions = || is_since(Some(billing.subscriptions.known_from()));
    let features = || is_since(Some(activity.features.known_from()));
    match feature {
        Feature::Mrr
        | Feature::MrrChange90d
        | Feature::DaysSinceContraction
        | Feature::DaysSinceExpansion
        | Feature::Subscriptions
        | Feature::TermDays
        | Feature::DaysToRenewal
        | Feature::Seats
        | Feature::SeatUtilisation => subscriptions(),
        Feature::PaymentAttemptsFailed | Feature::OverdueDays => is_since(Some(billing.invoices.known_from())),
        Feature::FeaturesUsed28d | Feature::CoreFeaturesDropped => features(),
        Feature::UnusedEntitlements => subscriptions() && features(),
        Feature::TicketsOpen | Feature::OldestUrgentTicketHours | Feature::FirstResponseHours | Feature::SlowFirstResponses28d => {
            is_since(support.map(|support| support.tickets.known_from()))
        }
        Feature::Csat84d | Feature::Ces84d => is_since(support.map(|support| support.ratings_known_from(RATINGS_WINDOW_DAYS))),
        Feature::LowRatings56d => is_since(support.map(|support| support.ratings_known_from(LOW_RATINGS_DAYS))),
        Feature::CancelSessions7d => is_since(leaving.map(|leaving| leaving.sessions_known_from(SHORT_SESSIONS_DAYS))),
        Feature::CancelSessions28d => is_since(leaving.map(|leaving| leaving.sessions_known_from(SESSIONS_WINDOW_DAYS))),
        Feature::FeatureRequestsOpen | Feature::OldestFeatureRequestDays | Feature::RiskNotesOpen => {
            is_since(relation.map(|relation| relation.notes.known_from()))
        }
        Feature::SeriousIncidentOpen | Feature::DaysSinceIncidentEnd => is_since(relation.map(|relation| relation.incidents.known_from())),
        Feature::QuotaUtilisation => is_since(relation.map(|relation| relation.quotas.known_from())),
        Feature::ContactChangedDays => is_since(relation.map(|relation| relation.contacts.known_from())),
        Feature::ChampionDaysSinceLogin | Feature::ChampionLoggedIn => {
            relation.is_none_or(|relation| relation.contacts.are_known(&activity.users, today))
        }
        Feature::MarketingConsent => {
            relation.is_none_or(|relation| relation.consent.get().is_some() || today >= relation.consents_known_from())
        }
        Feature::PendingActivations | Feature::OldestPendingActivationDays | Feature::NextActivationExpiryHours => {
            is_since(onboarding.map(|onboarding| onboarding.invitations_known_from()))
        }
        Feature::MilestonesReached | Feature::DaysSinceMilestone => onboarding.is_none_or(|onboarding| onboarding.knows_milestones()),
        Feature::FirstValue => onboarding.is_none_or(|onboarding| {
            onboarding.knows_milestones() || settings.first_value.is_some_and(|name| onboarding.has_reached(name))
        }),
        _ => true,
    }
}

impl Customer {
    /// Takes down from when on nothing is missing, after a collection was too full.
    pub(crate) fn note_missing(&mut self) {
        self.known_from = self.known_from_days().max().unwrap_or(Day(0));
    }

    /// The first midnight from now on at which something is known again.
    pub(crate) fn next_known(&self, now: Time) -> Time {
        let today = now.day();
        if today >= self.known_from {
            return Time::NEVER;
        }
        let ahead = self.known_from_days().filter(|day| *day > today && *day != NEVER);
        ahead.min().map_or(Time::NEVER, Day::start)
    }

    /// For everything that may be missing, the day from which on it is known.
    fn known_from_days(&self) -> impl Iterator<Item = Day> {
        let (billing, activity) = (&self.billing, &self.activity);
        let always = [
            billing.subscriptions.known_from(),
            billing.invoices.known_from(),
            activity.features.known_from(),
            activity.users.known_from(),
        ];
        let support = self.support.iter().flat_map(|support| {
            [support.tickets.known_from(), support.ratings_known_from(LOW_RATINGS_DAYS), support.ratings_known_from(RATINGS_WINDOW_DAYS)]
        });
        let leaving = self
            .leaving
            .iter()
            .flat_map(|leaving| [leaving.sessions_known_from(SHORT_SESSIONS_DAYS), leaving.sessions_known_from(SESSIONS_WINDOW_DAYS)]);
        let relation = self.relation.iter().flat_map(|relation| {
            let tables = [relation.notes.known_from(), relation.incidents.known_from(), relation.quotas.known_from()];
            tables.into_iter().chain([relation.contacts.known_from(), relation.consents_known_from()])
        });
        let onboarding = self
            .onboarding
            .iter()
            .flat_map(|onboarding| [onboarding.invitations_known_from(), if onboarding.knows_milestones() { Day(0) } else { NEVER }]);
        always.into_iter().chain(support).chain(leaving).chain(relation).chain(onboarding)
    }
}
