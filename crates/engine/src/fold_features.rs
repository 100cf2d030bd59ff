//! Which features each kind of change to a state may change.

use crate::feature::{Feature, FeatureSet};

pub(crate) const LOGIN: FeatureSet =
    FeatureSet::of(&[Feature::Logins7d, Feature::Logins28d, Feature::DaysSinceLogin, Feature::LoginStopRatio, Feature::Activity7d]);
pub(crate) const LOGIN_BACK: FeatureSet = FeatureSet::of(&[Feature::LoginsPrev28d]);
pub(crate) const LOGIN_DAY: FeatureSet = FeatureSet::of(&[Feature::LoginGaps, Feature::LoginGapP90Days, Feature::ActiveDays28d]);
pub(crate) const USAGE: FeatureSet = FeatureSet::of(&[Feature::Usage28d, Feature::Activity7d]);
pub(crate) const USAGE_BACK: FeatureSet = FeatureSet::of(&[
    Feature::UsageBaseline,
    Feature::UsageRatio,
    Feature::UsageRatioPrev,
    Feature::UsageFallingWeeks,
    Feature::UsageLastWeek,
    Feature::UsageClosedWeeks,
    Feature::ClosedLastYear,
    Feature::ActiveDays28d,
]);
pub(crate) const ACTIVE_DAY: FeatureSet = FeatureSet::of(&[Feature::ActiveDays28d]);
pub(crate) const USER_SHARES: FeatureSet =
    FeatureSet::of(&[Feature::IdentifiedShare, Feature::TopUserShare56d, Feature::IdentifiedEvents56d]);
pub(crate) const USER_DAY: FeatureSet = FeatureSet::of(&[
    Feature::ActiveUsers28d,
    Feature::ActiveUsersPrev28d,
    Feature::ActiveUsers30d,
    Feature::DormantUsers30d,
    Feature::SeatUtilisation,
]);
pub(crate) const PRODUCT_FEATURES: FeatureSet =
    FeatureSet::of(&[Feature::FeaturesUsed28d, Feature::CoreFeaturesDropped, Feature::UnusedEntitlements]);
pub(crate) const MONEY: FeatureSet = FeatureSet::of(&[
    Feature::Mrr,
    Feature::MrrChange90d,
    Feature::DaysSinceContraction,
    Feature::DaysSinceExpansion,
    Feature::Subscriptions,
    Feature::TermDays,
    Feature::DaysToRenewal,
    Feature::Seats,
    Feature::SeatUtilisation,
    Feature::UnusedEntitlements,
    Feature::CancelRequested,
    Feature::DaysSinceCancelRequest,
    Feature::CancelUnacknowledgedBusinessHours,
]);
pub(crate) const INVOICES: FeatureSet = FeatureSet::of(&[
    Feature::PaymentAttemptsFailed,
    Feature::OverdueDays,
    Feature::InvoiceAttemptsFailed,
    Feature::InvoiceFailedDays,
    Feature::InvoiceOverdueDays,
]);
pub(crate) const TICKETS: FeatureSet = FeatureSet::of(&[
    Feature::TicketsOpen,
    Feature::Tickets14d,
    Feature::TicketsPrev84d,
    Feature::TicketRatio,
    Feature::DaysSinceTicket,
    Feature::OldestUrgentTicketHours,
    Feature::Reopened90d,
    Feature::FirstResponseHours,
    Feature::SlowFirstResponses28d,
    Feature::TicketUrgent,
    Feature::TicketUnsolved,
    Feature::TicketOpenHours,
    Feature::TicketSolvedDays,
    Feature::TicketReopenings,
]);
pub(crate) const SURVEYS: FeatureSet = FeatureSet::of(&[
    Feature::Csat84d,
    Feature::Ces84d,
    Feature::LowRatings56d,
    Feature::DaysSinceGoodRating,
    Feature::Nps,
    Feature::NpsChange,
    Feature::DaysSinceNps,
]);
pub(crate) const LEAVING: FeatureSet = FeatureSet::of(&[
    Feature::CancelSessions7d,
    Feature::CancelSessions28d,
    Feature::DaysSinceCancelView,
    Feature::CancelReasonGiven,
    Feature::CancelRequested,
    Feature::DaysSinceCancelRequest,
    Feature::CancelUnacknowledgedBusinessHours,
]);
pub(crate) const INVITATIONS: FeatureSet = FeatureSet::of(&[
    Feature::PendingActivations,
    Feature::OldestPendingActivationDays,
    Feature::NextActivationExpiryHours,
    Feature::InvitationAgeDays,
    Feature::InvitationExpiresInHours,
]);
pub(crate) const MILESTONES: FeatureSet =
    FeatureSet::of(&[Feature::Onboarded, Feature::MilestonesReached, Feature::DaysSinceMilestone, Feature::FirstValue]);
pub(crate) const CONTACTS: FeatureSet =
    FeatureSet::of(&[Feature::ContactChangedDays, Feature::ChampionDaysSinceLogin, Feature::ChampionLoggedIn]);
pub(crate) const NOTES: FeatureSet =
    FeatureSet::of(&[Feature::FeatureRequestsOpen, Feature::OldestFeatureRequestDays, Feature::RiskNotesOpen]);
pub(crate) const INCIDENTS: FeatureSet = FeatureSet::of(&[
    Feature::Incidents28d,
    Feature::SeriousIncidentOpen,
    Feature::DaysSinceIncidentEnd,
    Feature::IncidentSerious,
    Feature::IncidentOpen,
    Feature::IncidentAgeDays,
    Feature::IncidentQuietDays,
]);
pub(crate) const QUOTAS: FeatureSet = FeatureSet::of(&[Feature::QuotaUtilisation, Feature::QuotaShare]);
