//! The values of features: a customer's state seen at an instant, and through one of its objects where a rule is about one.

use std::ops::RangeInclusive;

use crate::clock::Clock;
use crate::completeness;
use crate::customer::{ActiveCounts, Customer, Incident, Invitation, Invoice, Quota, Ticket};
use crate::event::{NoteKind, Priority, SurveyKind, UserToken};
use crate::feature::{Change, Feature, FeatureSet};
use crate::own_feature::FIRST_OWN_FEATURE;
use crate::settings::Settings;
use crate::time::{DAY_MS, Day, HOUR_MS, Time};

/// Onboarding is taken to be over after so many days.
const ONBOARDED_AFTER_DAYS: i32 = 90;

/// Tenure that a baseline of usage needs: sixteen whole weeks.
const BASELINE_TENURE_DAYS: i64 = 112;

/// Weeks back that are those of a year ago to a customer that is closed now, or has been for some weeks: from four weeks after to five before.
const A_YEAR_AGO_WEEKS: RangeInclusive<i32> = 48..=57;

/// Features that run with time.
const CLOCKS: FeatureSet = FeatureSet::changing(Change::Clock);

/// Days after which an unused entitlement counts.
const ENTITLEMENT_DAYS: i64 = 30;

/// A customer at an instant.
#[derive(Clone, Copy)]
pub struct View<'a> {
    customer: &'a Customer,
    settings: &'a Settings,
    now: Time,
    today: Day,
    object: Option<Object<'a>>,
    raised_at: Option<Time>,
}

/// The thing that a rule is about.
#[derive(Clone, Copy)]
pub enum Object<'a> {
    /// A pending or past invitation.
    Invitation(&'a Invitation),
    /// An invoice.
    Invoice(&'a Invoice),
    /// A ticket.
    Ticket(&'a Ticket),
    /// An incident.
    Incident(&'a Incident),
    /// A quota.
    Quota(&'a Quota),
}

impl<'a> View<'a> {
    /// The customer as a whole.
    #[must_use]
    pub fn new(customer: &'a Customer, settings: &'a Settings, now: Time) -> Self {
        Self { customer, settings, now, today: now.day(), object: None, raised_at: None }
    }

    /// The customer through one of its objects.
    #[must_use]
    pub fn through(self, object: Object<'a>) -> Self {
        Self { object: Some(object), ..self }
    }

    /// The customer as a rule sees it that has an episode open since then.
    #[must_use]
    pub fn raised_at(self, raised_at: Option<Time>) -> Self {
        Self { raised_at, ..self }
    }

    /// The value of a feature; NaN where it is absent.
    #[must_use]
    pub fn value(&self, feature: u16) -> f64 {
        if feature >= FIRST_OWN_FEATURE {
            return self.own(feature).unwrap_or(f64::NAN);
        }
        let feature = Feature::at(feature);
        self.get(feature).filter(|value| value.is_finite()).unwrap_or(f64::NAN)
    }

    /// Whether the feature is absent because a collection was too full.
    fn lacks(&self, feature: Feature) -> bool {
        self.today < self.customer.known_from && !completeness::knows(self.customer, self.settings, feature, self.today)
    }

    /// How a clock feature runs; `None` where it is absent.
    #[must_use]
    pub fn clock(&self, feature: Feature) -> Option<Clock<'a>> {
        if self.lacks(feature) {
            return None;
        }
        let days = |origin: Time| Clock::Since(origin, DAY_MS);
        let hours = |origin: Time| Clock::Since(origin, HOUR_MS);
        let customer = self.customer;
        let support = customer.support.as_deref();
        let leaving = customer.leaving.as_deref();
        let relation = customer.relation.as_deref();
        let onboarding = customer.onboarding.as_deref();
        match feature {
            Feature::DaysSinceLogin => customer.activity.last_login.map(days),
            Feature::TenureDays => Some(days(customer.since)),
            Feature::DaysSinceMilestone => onboarding?.stalled_since().map(days),
            Feature::OldestPendingActivationDays => onboarding?.pending().filter_map(|invitation| invitation.invited_at).min().map(days),
            Feature::NextActivationExpiryHours => {
                let expiry = onboarding?.pending().filter_map(|invitation| invitation.expires.get().copied()).min()?;
                Some(Clock::Until(expiry, HOUR_MS))
            }
            Feature::DaysSinceTicket => support?.last_opened.map(days),
            Feature::OldestUrgentTicketHours => {
                let urgent = support?.tickets.iter().filter(|ticket| ticket.is_unsolved() && ticket.priority() == Priority::Urgent);
                urgent.filter_map(|ticket| ticket.opened_at).min().map(hours)
            }
            Feature::DaysSinceGoodRating => support?.good_rating_at().map(days),
            Feature::DaysSinceNps => Some(days(support?.latest_nps()?.0)),
            Feature::DaysSinceContraction => customer.billing.contracted_at.map(days),
            Feature::DaysSinceExpansion => customer.billing.expanded_at.map(days),
            Feature::DaysSinceCancelView => leaving?.last_view().map(days),
            Feature::DaysSinceCancelRequest => customer.notice_at().map(days),
            Feature::CancelUnacknowledgedBusinessHours => {
                let unanswered = leaving?.unanswered_since(customer.billing.last_start())?;
                Some(Clock::BusinessHoursSince(unanswered, &self.settings.business_hours))
            }
            Feature::ContactChangedDays => relation?.contacts.changed_at().map(days),
            Feature::ChampionDaysSinceLogin => relation?.contacts.latest_day(&customer.activity.users).map(|day| days(day.start())),
            Feature::DaysSinceTouch => relation?.touched_at.map(days),
            Feature::OldestFeatureRequestDays => {
                let open = relation?.notes.iter().filter(|note| note.is_open(NoteKind::FeatureRequest));
                open.filter_map(|note| note.recorded_at).min().map(days)
            }
            Feature::DaysSinceIncidentEnd => relation?.incident_end().map(days),
            Feature::DaysSinceLead => relation?.lead_at.map(days),
            Feature::DaysSinceCampaign => relation?.campaign_at.map(days),
            Feature::DaysSinceAtRisk => customer.at_risk.ended_at().map(days),
            Feature::DaysInStage => customer.journey.entered().map(days),
            Feature::AgeDays => self.raised_at.map(days),
            _ => self.object_clock(feature),
        }
    }

    fn object_clock(&self, feature: Feature) -> Option<Clock<'a>> {
        let days = |origin: Time| Clock::Since(origin, DAY_MS);
        match (feature, self.object?) {
            (Feature::InvitationAgeDays, Object::Invitation(invitation)) if invitation.is_pending() => invitation.invited_at.map(days),
            (Feature::InvitationExpiresInHours, Object::Invitation(invitation)) if invitation.is_pending() => {
                Some(Clock::Until(*invitation.expires.get()?, HOUR_MS))
            }
            (Feature::InvoiceFailedDays, Object::Invoice(invoice)) if invoice.is_unpaid() => invoice.failed_at.map(days),
            (Feature::TicketOpenHours, Object::Ticket(ticket)) if ticket.is_unsolved() => {
                let reopened = ticket.status.time().filter(|_| ticket.reopenings > 0);
                reopened.max(ticket.opened_at).map(|origin| Clock::Since(origin, HOUR_MS))
            }
            (Feature::TicketSolvedDays, Object::Ticket(ticket)) if !ticket.is_unsolved() => ticket.status.time().map(days),
            (Feature::IncidentAgeDays, Object::Incident(incident)) => incident.started_at.map(days),
            (Feature::IncidentQuietDays, Object::Incident(incident)) if !incident.is_open() => incident.resolved.time().map(days),
            _ => None,
        }
    }

    /// Features stand in the order of the parts of the state that they are made from, so that each is looked up in one place.
    fn get(&self, feature: Feature) -> Option<f64> {
        match feature {
            _ if self.lacks(feature) => None,
            _ if CLOCKS.contains(feature) => self.clock(feature).map(|clock| clock.value(self.now)),
            _ if feature < Feature::TenureDays => self.activity(feature),
            _ if feature < Feature::TicketsOpen => self.relation(feature),
            _ if feature < Feature::Mrr => self.support(feature),
            _ if feature < Feature::QuotaUtilisation => self.money(feature),
            _ if feature < Feature::InvitationAgeDays => self.relation(feature),
            _ if feature < Feature::Health => self.of_object(feature),
            _ => self.derived(feature),
        }
    }

    fn own(&self, feature: u16) -> Option<f64> {
        let own = self.settings.own.get(feature)?;
        self.customer.own.as_ref()?.value(usize::from(feature - FIRST_OWN_FEATURE), own, self.today)
    }

    fn activity(&self, feature: Feature) -> Option<f64> {
        let activity = &self.customer.activity;
        let day = self.today.0;
        let known_users = || activity.users.is_known(self.today);
        let users = |count: fn(&ActiveCounts) -> u32| known_users().then(|| f64::from(count(&activity.users.counts(self.today))));
        match feature {
            Feature::Logins7d => Some(activity.logins.sum(day, 0, 7) as f64),
            Feature::Logins28d => Some(activity.logins.sum(day, 0, 28) as f64),
            Feature::LoginsPrev28d => Some(activity.logins.sum(day, 28, 28) as f64),
            Feature::LoginGaps => Some(f64::from(activity.login_days.gaps())),
            Feature::LoginGapP90Days => activity.login_days.gap_p90_days().map(f64::from),
            Feature::LoginStopRatio => activity.login_stop_ratio(),
            Feature::ActiveDays28d => Some(f64::from(activity.active_days_28d(self.today))),
            Feature::ActiveUsers28d => users(|counts| counts.last_28d),
            Feature::ActiveUsersPrev28d => users(|counts| counts.previous_28d),
            Feature::ActiveUsers30d => users(|counts| counts.last_30d),
            Feature::DormantUsers30d => users(|counts| counts.dormant_30d),
            Feature::IdentifiedShare => activity.users.identified_share(),
            Feature::Usage28d => Some(activity.usage.sum(day, 0, 28) as f64),
            Feature::UsageBaseline => self.usage_baseline(0),
            Feature::UsageRatio => self.usage_ratio(0),
            Feature::UsageRatioPrev => self.usage_ratio(1),
            Feature::UsageFallingWeeks => Some(f64::from(activity.usage_weeks.falling(self.week()))),
            Feature::UsageLastWeek => Some(f64::from(activity.usage_weeks.at(self.week() - 1))),
            Feature::UsageClosedWeeks => {
                let baseline = self.usage_baseline(0).filter(|baseline| *baseline > 0.0)?;
                Some(f64::from(activity.usage_weeks.closed(self.week(), baseline)))
            }
            Feature::ClosedLastYear => Some(flag(activity.usage_weeks.was_closed(self.week(), A_YEAR_AGO_WEEKS))),
            Feature::TopUserShare56d => activity.users.top_share(self.today).filter(|_| known_users()),
            Feature::IdentifiedEvents56d => known_users().then(|| activity.users.identified_events(self.today) as f64),
            Feature::FeaturesUsed28d => Some(activity.features.used_28d(self.today) as f64),
            Feature::CoreFeaturesDropped => Some(activity.features.core_dropped(self.today, &self.settings.core_features) as f64),
            Feature::UnusedEntitlements => self.unused_entitlements(),
            Feature::GatedFeatureHits14d => Some(activity.gated_hits.sum(day, 0, 14) as f64),
            Feature::Activity7d => Some((activity.logins.sum(day, 0, 7) + activity.usage.sum(day, 0, 7)) as f64),
            _ => None,
        }
    }

    fn week(&self) -> i32 {
        self.customer.week(self.today)
    }

    fn usage_baseline(&self, skip: usize) -> Option<f64> {
        let tenure_days = i64::from(self.today.0) - i64::from(self.customer.since.day().0);
        (tenure_days >= BASELINE_TENURE_DAYS + 7 * skip as i64).then(|| self.customer.activity.usage_weeks.baseline(self.week(), skip))
    }

    fn usage_ratio(&self, skip: usize) -> Option<f64> {
        let baseline = self.usage_baseline(skip)?;
        Some(self.customer.activity.usage_weeks.mean(self.week(), skip) / baseline)
    }

    fn unused_entitlements(&self) -> Option<f64> {
        let subscription = self.customer.billing.active().next()?;
        let plan = subscription.plan.get()?;
        let (_, entitled) = self.settings.plan_features.iter().find(|(known, _)| **known == **plan)?;
        let started = subscription.started_at?;
        if i64::from(self.today.0) - i64::from(started.day().0) < ENTITLEMENT_DAYS {
            return Some(0.0);
        }
        Some(entitled.iter().filter(|feature| !self.customer.activity.features.has_used(**feature)).count() as f64)
    }

    fn support(&self, feature: Feature) -> Option<f64> {
        let today = self.today;
        let support = self.customer.support.as_deref();
        let window = |skip, length| support.map_or(0.0, |support| support.opened.sum(today.0, skip, length) as f64);
        match feature {
            Feature::TicketsOpen => {
                Some(support.map_or(0.0, |support| support.tickets.iter().filter(|ticket| ticket.is_unsolved()).count() as f64))
            }
            Feature::Tickets14d => Some(window(0, 14)),
            Feature::TicketsPrev84d => Some(window(30, 84)),
            Feature::TicketRatio => {
                let tenure_days = f64::from(today.0) - f64::from(self.customer.since.day().0);
                Some(window(0, 14) / (window(0, 84) * 14.0 / tenure_days.clamp(14.0, 84.0)))
            }
            Feature::Reopened90d => Some(support.map_or(0.0, |support| support.reopened.sum(today.0, 0, 90) as f64)),
            Feature::FirstResponseHours => support?.first_response_hours(today),
            Feature::SlowFirstResponses28d => {
                let limits = &self.settings.response_limit_hours;
                let hours = self.settings.response_in_business_hours.then_some(&self.settings.business_hours);
                Some(support.map_or(0.0, |support| support.slow_first_responses(today, limits, hours) as f64))
            }
            Feature::Csat84d => support?.mean_rating(SurveyKind::Csat, today, 84),
            Feature::Ces84d => support?.mean_rating(SurveyKind::Ces, today, 84),
            Feature::LowRatings56d => Some(support.map_or(0.0, |support| support.low_ratings(today, 56) as f64)),
            Feature::Nps => support?.nps(today),
            Feature::NpsChange => support?.nps_change(today),
            _ => None,
        }
    }

    fn money(&self, feature: Feature) -> Option<f64> {
        let billing = &self.customer.billing;
        match feature {
            Feature::Mrr => Some(billing.mrr_minor() as f64),
            Feature::MrrChange90d => billing.mrr_change_90d(self.today),
            Feature::Subscriptions => Some(billing.active().count() as f64),
            Feature::TermDays => {
                let (subscription, end) = billing.next_renewal()?;
                Some((end.since_ms(subscription.term_start.time()?) as f64 / DAY_MS as f64).round())
            }
            Feature::DaysToRenewal => billing.next_renewal().map(|(_, end)| f64::from(end.day().0) - f64::from(self.today.0)),
            Feature::PaymentAttemptsFailed => billing.invoices.iter().map(|invoice| f64::from(invoice.attempts_failed())).reduce(f64::max),
            Feature::OverdueDays => billing.invoices.iter().filter_map(|invoice| invoice.overdue_days(self.today)).max().map(f64::from),
            Feature::Seats => billing.seats().map(|seats| seats as f64),
            Feature::SeatUtilisation => {
                let seats = billing.seats().filter(|seats| *seats > 0)? as f64;
                self.activity(Feature::ActiveUsers30d).map(|users| users / seats)
            }
            _ => None,
        }
    }

    fn relation(&self, feature: Feature) -> Option<f64> {
        let relation = self.customer.relation.as_deref();
        let leaving = self.customer.leaving.as_deref();
        let onboarding = self.customer.onboarding.as_deref();
        let notes =
            |kind: NoteKind| relation.map_or(0.0, |relation| relation.notes.iter().filter(|note| note.is_open(kind)).count() as f64);
        match feature {
            Feature::Onboarded => {
                let is_old = self.today.0 - self.customer.since.day().0 >= ONBOARDED_AFTER_DAYS;
                Some(flag(is_old || onboarding.is_some_and(|onboarding| onboarding.final_at.is_some())))
            }
            Feature::MilestonesReached => onboarding.map(|onboarding| onboarding.milestones_reached() as f64).filter(|count| *count > 0.0),
            Feature::FirstValue => {
                let name = self.settings.first_value?;
                Some(flag(onboarding.is_some_and(|onboarding| onboarding.has_reached(name))))
            }
            Feature::PendingActivations => {
                let invited = onboarding?.invitations().any(|invitation| invitation.invited_at.is_some());
                invited.then(|| onboarding.map_or(0.0, |onboarding| onboarding.pending().count() as f64))
            }
            Feature::CancelSessions7d => Some(leaving.map_or(0.0, |leaving| leaving.sessions(self.today, 7) as f64)),
            Feature::CancelSessions28d => Some(leaving.map_or(0.0, |leaving| leaving.sessions(self.today, 28) as f64)),
            Feature::CancelReasonGiven => Some(flag(leaving.is_some_and(|leaving| leaving.has_reason(self.today)))),
            Feature::CancelRequested => Some(flag(self.customer.notice_at().is_some())),
            Feature::ChampionLoggedIn => {
                let relation = relation.filter(|relation| relation.contacts.has_any())?;
                Some(flag(relation.contacts.have_been_back(&self.customer.activity.users)))
            }
            Feature::MarketingConsent => relation?.marketing_consent().map(flag),
            Feature::FeatureRequestsOpen => Some(notes(NoteKind::FeatureRequest)),
            Feature::RiskNotesOpen => Some(notes(NoteKind::Risk)),
            Feature::Incidents28d => Some(relation.map_or(0.0, |relation| relation.incidents_started.sum(self.today.0, 0, 28) as f64)),
            Feature::SeriousIncidentOpen => {
                let serious = |relation: &crate::customer::Relation| relation.incidents.iter().any(|one| one.serious && one.is_open());
                Some(flag(relation.is_some_and(serious)))
            }
            Feature::GoalProgress => relation?.goals.progress(),
            Feature::QuotaUtilisation => relation?.quota_utilisation(),
            _ => None,
        }
    }

    fn derived(&self, feature: Feature) -> Option<f64> {
        let health = &self.customer.health;
        match feature {
            Feature::Health => health.score.map(f64::from),
            Feature::HealthChange28d => health.change_28d(self.today),
            Feature::Grade => health.grade(&self.settings.health).map(f64::from),
            Feature::Stage => Some(f64::from(health.stage)),
            Feature::AtRisk => Some(flag(self.customer.at_risk.open() > 0)),
            Feature::OpenAtRisk => Some(f64::from(self.customer.at_risk.open())),
            Feature::ExperienceScore => health.experience.map(f64::from),
            Feature::OutcomeScore => health.outcome.map(f64::from),
            Feature::Quadrant => health.quadrant.map(f64::from),
            Feature::Holiday => {
                let country = self.customer.account.country.get()?;
                self.settings.holidays.is_holiday(country, self.today).map(flag)
            }
            _ => None,
        }
    }

    fn of_object(&self, feature: Feature) -> Option<f64> {
        match (feature, self.object?) {
            (Feature::InvoiceAttemptsFailed, Object::Invoice(invoice)) => Some(f64::from(invoice.attempts_failed())),
            (Feature::InvoiceOverdueDays, Object::Invoice(invoice)) => invoice.overdue_days(self.today).map(f64::from),
            (Feature::TicketUrgent, Object::Ticket(ticket)) => Some(flag(ticket.priority() == Priority::Urgent)),
            (Feature::TicketUnsolved, Object::Ticket(ticket)) => Some(flag(ticket.is_unsolved())),
            (Feature::TicketReopenings, Object::Ticket(ticket)) => Some(f64::from(ticket.reopenings)),
            (Feature::IncidentSerious, Object::Incident(incident)) => Some(flag(incident.serious)),
            (Feature::IncidentOpen, Object::Incident(incident)) => Some(flag(incident.is_open())),
            (Feature::QuotaShare, Object::Quota(quota)) => quota.share(),
            _ => None,
        }
    }
}

/// Whether this is a day at which a baseline of usage begins, that of now or the one before. Otherwise it changes with the customer's weeks.
pub(crate) fn begins_baseline(customer: &Customer, today: Day) -> bool {
    let tenure_days = i64::from(today.0) - i64::from(customer.since.day().0);
    [BASELINE_TENURE_DAYS, BASELINE_TENURE_DAYS + 7].contains(&tenure_days)
}

fn flag(condition: bool) -> f64 {
    f64::from(u8::from(condition))
}

/// Up to `limit` tokens of users without activity in the last 30 days, for evidence.
#[must_use]
pub fn dormant_users(customer: &Customer, now: Time, limit: usize) -> Vec<UserToken> {
    customer.activity.users.dormant(now.day(), 30).take(limit).map(|user| user.token).collect()
}
