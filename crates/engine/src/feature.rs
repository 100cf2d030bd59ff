//! The table of features: every number and boolean that a rule may name, with its meaning, unit and way of changing.

use crate::expression::{Symbol, ValueType};
pub use crate::feature_set::FeatureSet;

/// How a feature can change without an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Only an event changes it.
    Event,
    /// It may also change at UTC midnight, as days leave its window.
    Day,
    /// It may also change at the customer's weekly check (a UTC midnight, spread over the week by customer).
    Week,
    /// It runs with time: rules may compare it, and the engine solves for the instant at which the comparison flips.
    Clock,
}

/// One feature as the rules see it.
#[derive(Clone, Copy, Debug)]
pub struct FeatureInfo {
    /// The feature.
    pub feature: Feature,
    /// Its name in rules.
    pub name: &'static str,
    /// How it changes without an event.
    pub change: Change,
    /// Number, boolean or label.
    pub value_type: ValueType,
    /// Its unit.
    pub unit: &'static str,
    /// Meaning, window, and when it is absent.
    pub doc: &'static str,
}

/// A feature: a named number or boolean computed from a customer's state at journal time. Absent is NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
#[expect(missing_docs, reason = "`Feature::ALL` holds the doc line of each")]
pub enum Feature {
    Logins7d,
    Logins28d,
    LoginsPrev28d,
    DaysSinceLogin,
    LoginGaps,
    LoginGapP90Days,
    LoginStopRatio,
    ActiveDays28d,
    ActiveUsers28d,
    ActiveUsersPrev28d,
    ActiveUsers30d,
    DormantUsers30d,
    IdentifiedShare,
    Usage28d,
    UsageBaseline,
    UsageRatio,
    UsageRatioPrev,
    UsageFallingWeeks,
    UsageLastWeek,
    UsageClosedWeeks,
    ClosedLastYear,
    TopUserShare56d,
    IdentifiedEvents56d,
    FeaturesUsed28d,
    CoreFeaturesDropped,
    UnusedEntitlements,
    GatedFeatureHits14d,
    Activity7d,
    TenureDays,
    Onboarded,
    MilestonesReached,
    DaysSinceMilestone,
    FirstValue,
    PendingActivations,
    OldestPendingActivationDays,
    NextActivationExpiryHours,
    TicketsOpen,
    Tickets14d,
    TicketsPrev84d,
    TicketRatio,
    DaysSinceTicket,
    OldestUrgentTicketHours,
    Reopened90d,
    FirstResponseHours,
    SlowFirstResponses28d,
    Csat84d,
    Ces84d,
    LowRatings56d,
    DaysSinceGoodRating,
    Nps,
    NpsChange,
    DaysSinceNps,
    Mrr,
    MrrChange90d,
    DaysSinceContraction,
    DaysSinceExpansion,
    Subscriptions,
    TermDays,
    DaysToRenewal,
    PaymentAttemptsFailed,
    OverdueDays,
    Seats,
    SeatUtilisation,
    QuotaUtilisation,
    CancelSessions7d,
    CancelSessions28d,
    DaysSinceCancelView,
    CancelReasonGiven,
    CancelRequested,
    DaysSinceCancelRequest,
    CancelUnacknowledgedBusinessHours,
    ContactChangedDays,
    ChampionDaysSinceLogin,
    ChampionLoggedIn,
    MarketingConsent,
    DaysSinceTouch,
    FeatureRequestsOpen,
    OldestFeatureRequestDays,
    RiskNotesOpen,
    Incidents28d,
    SeriousIncidentOpen,
    DaysSinceIncidentEnd,
    GoalProgress,
    DaysSinceLead,
    DaysSinceCampaign,
    InvitationAgeDays,
    InvitationExpiresInHours,
    InvoiceAttemptsFailed,
    InvoiceFailedDays,
    InvoiceOverdueDays,
    TicketUrgent,
    TicketUnsolved,
    TicketOpenHours,
    TicketSolvedDays,
    TicketReopenings,
    IncidentSerious,
    IncidentOpen,
    IncidentAgeDays,
    IncidentQuietDays,
    QuotaShare,
    Health,
    HealthChange28d,
    Grade,
    Stage,
    AtRisk,
    OpenAtRisk,
    DaysSinceAtRisk,
    DaysInStage,
    ExperienceScore,
    OutcomeScore,
    Quadrant,
    Holiday,
    AgeDays,
}

/// Labels of `grade`, worst first.
pub const GRADES: &[&str] = &["red", "amber", "green"];
/// Labels of `quadrant`: experience and outcomes both bad; good experience alone, which leaves without warning; good outcomes alone, which
/// leave at the next good offer; both good.
pub const QUADRANTS: &[&str; 4] = &["failing", "silent_risk", "vulnerable", "thriving"];
/// Labels of `stage` where the settings name no stages, in the order of the journey.
pub const STAGES: &[&str] = &["onboarding", "adoption", "engagement", "retention", "expansion", "advocacy", "churned"];

impl Feature {
    /// Every feature with its doc line, in the order of the enum.
    #[rustfmt::skip]
    pub const ALL: [FeatureInfo; 113] = [
        info(Feature::Logins7d, "logins_7d", Change::Day, ValueType::Number, "logins", "Successful logins in the last 7 UTC days, today included."),
        info(Feature::Logins28d, "logins_28d", Change::Day, ValueType::Number, "logins", "Successful logins in the last 28 UTC days."),
        info(Feature::LoginsPrev28d, "logins_prev_28d", Change::Day, ValueType::Number, "logins", "Successful logins in the 28 UTC days before the last 28."),
        info(Feature::DaysSinceLogin, "days_since_login", Change::Clock, ValueType::Number, "days", "Time since the latest successful login; absent before the first."),
        info(Feature::LoginGaps, "login_gaps", Change::Event, ValueType::Number, "gaps", "Gaps between days with a login, over the 256 days up to the latest login."),
        info(Feature::LoginGapP90Days, "login_gap_p90_days", Change::Event, ValueType::Number, "days", "90th percentile (nearest rank) of those gaps; absent with fewer than 20."),
        info(Feature::LoginStopRatio, "login_stop_ratio", Change::Event, ValueType::Number, "ratio", "Successful logins in the 14 UTC days up to the latest login against the mean of the two fortnights before: near 1 where logins stopped from one day to the next, as in an office that closes, near 0 where they faded away; absent without logins in those."),
        info(Feature::ActiveDays28d, "active_days_28d", Change::Day, ValueType::Number, "days", "UTC days among the last 28 with a login or a use of the product."),
        info(Feature::ActiveUsers28d, "active_users_28d", Change::Day, ValueType::Number, "users", "Users with a login or a use in the last 28 UTC days; absent when under half of the activity carries a user, or when the user table is full."),
        info(Feature::ActiveUsersPrev28d, "active_users_prev_28d", Change::Day, ValueType::Number, "users", "The same for the 28 UTC days before those."),
        info(Feature::ActiveUsers30d, "active_users_30d", Change::Day, ValueType::Number, "users", "Users with a login or a use in the last 30 UTC days; absent like active_users_28d."),
        info(Feature::DormantUsers30d, "dormant_users_30d", Change::Day, ValueType::Number, "users", "Known users without any activity in the last 30 UTC days; absent like active_users_28d."),
        info(Feature::IdentifiedShare, "identified_share", Change::Day, ValueType::Number, "share", "Share of logins and uses that carried a user, over the 28-day block of the latest activity and the one before, as of the last time a user was active on a new day; absent without any."),
        info(Feature::Usage28d, "usage_28d", Change::Day, ValueType::Number, "uses", "Sum of usage counts in the last 28 UTC days."),
        info(Feature::UsageBaseline, "usage_baseline", Change::Week, ValueType::Number, "uses a week", "Own baseline B: median of the weekly usage of the 12 weeks before the last four whole weeks; absent before 112 days of tenure."),
        info(Feature::UsageRatio, "usage_ratio", Change::Week, ValueType::Number, "ratio", "Mean weekly usage of the last four whole weeks over usage_baseline; absent before 112 days of tenure or without a baseline."),
        info(Feature::UsageRatioPrev, "usage_ratio_prev", Change::Week, ValueType::Number, "ratio", "usage_ratio as it was one weekly check earlier; absent before 119 days of tenure."),
        info(Feature::UsageFallingWeeks, "usage_falling_weeks", Change::Week, ValueType::Number, "weeks", "How many whole weeks in a row, up to the last, each had less usage than the one before."),
        info(Feature::UsageLastWeek, "usage_last_week", Change::Week, ValueType::Number, "uses", "Usage of the last whole week."),
        info(Feature::UsageClosedWeeks, "usage_closed_weeks", Change::Week, ValueType::Number, "weeks", "How many of the last six whole weeks had a twentieth of usage_baseline or less, where the four weeks before the one that led to them had seven tenths of it on average or more, as when an office closes; none with a baseline under 25 uses a week, where empty weeks are chance; absent before 112 days of tenure or without a baseline."),
        info(Feature::ClosedLastYear, "closed_last_year", Change::Week, ValueType::Boolean, "yes or no", "One of the weeks from 57 to 48 weeks before this one had a twentieth of the usage_baseline of then or less, as when an office closes every year; a baseline under 25 uses a week remembers none, and more than eight weeks on end are no closing; no where that is not known."),
        info(Feature::TopUserShare56d, "top_user_share_56d", Change::Day, ValueType::Number, "share", "Share of the identified activity that the most active user made, over the current and the previous 28-day block; absent like active_users_28d."),
        info(Feature::IdentifiedEvents56d, "identified_events_56d", Change::Day, ValueType::Number, "events", "Logins and uses that carried a user, over the current and the previous 28-day block, as of the last time a user was active on a new day; absent like active_users_28d."),
        info(Feature::FeaturesUsed28d, "features_used_28d", Change::Day, ValueType::Number, "features", "Distinct product features used in the last 28 UTC days; absent when the feature table is full."),
        info(Feature::CoreFeaturesDropped, "core_features_dropped", Change::Day, ValueType::Number, "features", "Core features (configured, else the three used in most of the last 12 weeks and in all of the 8 weeks before) unused for 21 days or more; absent when the feature table is full."),
        info(Feature::UnusedEntitlements, "unused_entitlements", Change::Day, ValueType::Number, "features", "Features of the plan (settings: plan_features) never used 30 days after the subscription started; absent when the plan has no list, or the feature table is full."),
        info(Feature::GatedFeatureHits14d, "gated_feature_hits_14d", Change::Day, ValueType::Number, "uses", "Uses in the last 14 UTC days of features that the settings name as pricing or gated."),
        info(Feature::Activity7d, "activity_7d", Change::Day, ValueType::Number, "events", "Logins and uses in the last 7 UTC days."),
        info(Feature::TenureDays, "tenure_days", Change::Clock, ValueType::Number, "days", "Time since the account was created, or since its first event."),
        info(Feature::Onboarded, "onboarded", Change::Day, ValueType::Boolean, "yes or no", "The final milestone is reached, or the tenure is 90 UTC days or more."),
        info(Feature::MilestonesReached, "milestones_reached", Change::Event, ValueType::Number, "milestones", "Distinct milestones reached; absent when none was ever sent."),
        info(Feature::DaysSinceMilestone, "days_since_milestone", Change::Clock, ValueType::Number, "days", "Time since the latest milestone, before the final one; absent after it or without milestones."),
        info(Feature::FirstValue, "first_value", Change::Event, ValueType::Boolean, "yes or no", "The milestone that the settings name as first value is reached; absent when none is configured."),
        info(Feature::PendingActivations, "pending_activations", Change::Event, ValueType::Number, "invitations", "Invitations neither used nor revoked; absent without invitations."),
        info(Feature::OldestPendingActivationDays, "oldest_pending_activation_days", Change::Clock, ValueType::Number, "days", "Age of the oldest pending invitation; absent without one."),
        info(Feature::NextActivationExpiryHours, "next_activation_expiry_hours", Change::Clock, ValueType::Number, "hours", "Time until the next pending invitation expires, negative once it has; absent without one."),
        info(Feature::TicketsOpen, "tickets_open", Change::Event, ValueType::Number, "tickets", "Tickets not solved; absent when the ticket table is full."),
        info(Feature::Tickets14d, "tickets_14d", Change::Day, ValueType::Number, "tickets", "Tickets opened in the last 14 UTC days."),
        info(Feature::TicketsPrev84d, "tickets_prev_84d", Change::Day, ValueType::Number, "tickets", "Tickets opened in the 84 UTC days before the last 30."),
        info(Feature::TicketRatio, "ticket_ratio", Change::Day, ValueType::Number, "ratio", "tickets_14d against the customer's own rate for 14 days, over 84 days or its tenure if that is shorter; absent without tickets."),
        info(Feature::DaysSinceTicket, "days_since_ticket", Change::Clock, ValueType::Number, "days", "Time since the latest ticket was opened; absent without one."),
        info(Feature::OldestUrgentTicketHours, "oldest_urgent_ticket_hours", Change::Clock, ValueType::Number, "hours", "Age of the oldest unsolved urgent ticket; absent without one."),
        info(Feature::Reopened90d, "reopened_90d", Change::Day, ValueType::Number, "reopenings", "Tickets reopened in the last 90 UTC days."),
        info(Feature::FirstResponseHours, "first_response_hours", Change::Day, ValueType::Number, "hours", "Median time to the first answer of tickets answered in the last 28 UTC days; absent without one."),
        info(Feature::SlowFirstResponses28d, "slow_first_responses_28d", Change::Day, ValueType::Number, "tickets", "Tickets of the last 28 UTC days whose first answer came after the limit of their priority, in hours of the clock or of business (settings)."),
        info(Feature::Csat84d, "csat_84d", Change::Day, ValueType::Number, "0-100", "Mean CSAT of the last 84 UTC days, its scale mapped to 0-100; absent without answers."),
        info(Feature::Ces84d, "ces_84d", Change::Day, ValueType::Number, "0-100", "Mean CES of the last 84 UTC days, mapped to 0-100 so that high is easy; absent without answers."),
        info(Feature::LowRatings56d, "low_ratings_56d", Change::Day, ValueType::Number, "answers", "CSAT and CES answers of the last 56 UTC days in the lowest two fifths of their scale."),
        info(Feature::DaysSinceGoodRating, "days_since_good_rating", Change::Clock, ValueType::Number, "days", "Time since the latest CSAT or CES answer above the lowest two fifths; absent without one."),
        info(Feature::Nps, "nps", Change::Day, ValueType::Number, "0-10", "Latest NPS answer of the last 90 UTC days, whoever gave it; absent without one."),
        info(Feature::NpsChange, "nps_change", Change::Day, ValueType::Number, "points", "That answer minus the same respondent's answer before; absent without both."),
        info(Feature::DaysSinceNps, "days_since_nps", Change::Clock, ValueType::Number, "days", "Time since the latest NPS answer; absent without one."),
        info(Feature::Mrr, "mrr", Change::Event, ValueType::Number, "minor units", "Monthly recurring revenue of the active subscriptions, in minor units of the customer's main currency."),
        info(Feature::MrrChange90d, "mrr_change_90d", Change::Day, ValueType::Number, "share", "(MRR now - MRR 90 days ago) / MRR 90 days ago; absent where there was none."),
        info(Feature::DaysSinceContraction, "days_since_contraction", Change::Clock, ValueType::Number, "days", "Time since MRR or seats were last cut by 10 % or more while still a customer; absent without such a cut."),
        info(Feature::DaysSinceExpansion, "days_since_expansion", Change::Clock, ValueType::Number, "days", "Time since MRR or seats last rose; absent without a rise."),
        info(Feature::Subscriptions, "subscriptions", Change::Event, ValueType::Number, "subscriptions", "Active subscriptions; absent when the subscription table is full."),
        info(Feature::TermDays, "term_days", Change::Event, ValueType::Number, "days", "Length of the current term of the subscription that renews next; absent without period end."),
        info(Feature::DaysToRenewal, "days_to_renewal", Change::Day, ValueType::Number, "days", "UTC days to the next period end of an active subscription, negative when it has passed; absent without one."),
        info(Feature::PaymentAttemptsFailed, "payment_attempts_failed", Change::Event, ValueType::Number, "attempts", "Largest number of failed attempts among unpaid invoices; 0 when all recovered; absent without invoices or payments."),
        info(Feature::OverdueDays, "overdue_days", Change::Day, ValueType::Number, "days", "UTC days that the oldest unpaid invoice is past its due date; absent without an overdue one."),
        info(Feature::Seats, "seats", Change::Event, ValueType::Number, "seats", "Seats of the active subscriptions; absent where no seats were sent."),
        info(Feature::SeatUtilisation, "seat_utilisation", Change::Day, ValueType::Number, "share", "active_users_30d / seats; absent where either is."),
        info(Feature::QuotaUtilisation, "quota_utilisation", Change::Event, ValueType::Number, "share", "Largest used / limit over the customer's quotas in force: of which something was said in the 60 days before the latest word on any; absent without quotas."),
        info(Feature::CancelSessions7d, "cancel_sessions_7d", Change::Day, ValueType::Number, "sessions", "Sessions (views at most 30 minutes apart) on the cancellation page in the last 7 UTC days."),
        info(Feature::CancelSessions28d, "cancel_sessions_28d", Change::Day, ValueType::Number, "sessions", "The same for the last 28 UTC days."),
        info(Feature::DaysSinceCancelView, "days_since_cancel_view", Change::Clock, ValueType::Number, "days", "Time since the latest view of the cancellation page; absent without one."),
        info(Feature::CancelReasonGiven, "cancel_reason_given", Change::Day, ValueType::Boolean, "yes or no", "A reason for leaving was given in the last 28 UTC days."),
        info(Feature::CancelRequested, "cancel_requested", Change::Event, ValueType::Boolean, "yes or no", "Notice was given for the current subscription and not withdrawn."),
        info(Feature::DaysSinceCancelRequest, "days_since_cancel_request", Change::Clock, ValueType::Number, "days", "Time since that notice was first given; absent without one."),
        info(Feature::CancelUnacknowledgedBusinessHours, "cancel_unacknowledged_business_hours", Change::Clock, ValueType::Number, "business hours", "Business hours (settings: Monday to Friday, opening to closing hour, time zone, holidays) since a notice that nobody has acknowledged was first given; absent without one."),
        info(Feature::ContactChangedDays, "contact_changed_days", Change::Clock, ValueType::Number, "days", "Time since a contact last changed or was removed (the first naming of a contact is no change); absent without a change."),
        info(Feature::ChampionDaysSinceLogin, "champion_days_since_login", Change::Clock, ValueType::Number, "days", "Time since the start of the UTC day on which a current contact was last active; absent without activity or a contact."),
        info(Feature::ChampionLoggedIn, "champion_logged_in", Change::Event, ValueType::Boolean, "yes or no", "The new contact of every role that changed within 90 days of the latest change was active on a later UTC day than that on which it was named; where none ever changed, any contact was; absent without a contact."),
        info(Feature::MarketingConsent, "marketing_consent", Change::Event, ValueType::Boolean, "yes or no", "Marketing consent of the customer as a whole; where nothing was said for it, whether any user who spoke for itself agrees; absent when never told."),
        info(Feature::DaysSinceTouch, "days_since_touch", Change::Clock, ValueType::Number, "days", "Time since the latest recorded touch; absent without one."),
        info(Feature::FeatureRequestsOpen, "feature_requests_open", Change::Event, ValueType::Number, "requests", "Open feature requests; absent when the note table is full."),
        info(Feature::OldestFeatureRequestDays, "oldest_feature_request_days", Change::Clock, ValueType::Number, "days", "Age of the oldest open feature request; absent without one."),
        info(Feature::RiskNotesOpen, "risk_notes_open", Change::Event, ValueType::Number, "notes", "Open notes of kind risk; absent when the note table is full."),
        info(Feature::Incidents28d, "incidents_28d", Change::Day, ValueType::Number, "incidents", "Incidents started in the last 28 UTC days."),
        info(Feature::SeriousIncidentOpen, "serious_incident_open", Change::Event, ValueType::Boolean, "yes or no", "A serious incident is not resolved."),
        info(Feature::DaysSinceIncidentEnd, "days_since_incident_end", Change::Clock, ValueType::Number, "days", "Time since the latest incident was resolved, with none open; absent otherwise."),
        info(Feature::GoalProgress, "goal_progress", Change::Event, ValueType::Number, "share", "Value over target of the goal that was set last, by what was told of its metric; absent without a goal or a value."),
        info(Feature::DaysSinceLead, "days_since_lead", Change::Clock, ValueType::Number, "days", "Time since the latest lead.recorded; absent without one."),
        info(Feature::DaysSinceCampaign, "days_since_campaign", Change::Clock, ValueType::Number, "days", "Time since the latest campaign was sent; absent without one."),
        info(Feature::InvitationAgeDays, "invitation_age_days", Change::Clock, ValueType::Number, "days", "[invitation] Age of a pending invitation; absent once used or revoked."),
        info(Feature::InvitationExpiresInHours, "invitation_expires_in_hours", Change::Clock, ValueType::Number, "hours", "[invitation] Time until it expires, negative once it has; absent without an expiry or once used or revoked."),
        info(Feature::InvoiceAttemptsFailed, "invoice_attempts_failed", Change::Event, ValueType::Number, "attempts", "[invoice] Failed attempts; 0 once paid or recovered."),
        info(Feature::InvoiceFailedDays, "invoice_failed_days", Change::Clock, ValueType::Number, "days", "[invoice] Time since the first failed attempt; absent once paid or recovered."),
        info(Feature::InvoiceOverdueDays, "invoice_overdue_days", Change::Day, ValueType::Number, "days", "[invoice] UTC days past its due date while unpaid; absent otherwise."),
        info(Feature::TicketUrgent, "ticket_urgent", Change::Event, ValueType::Boolean, "yes or no", "[ticket] Its priority is urgent."),
        info(Feature::TicketUnsolved, "ticket_unsolved", Change::Event, ValueType::Boolean, "yes or no", "[ticket] It is not solved."),
        info(Feature::TicketOpenHours, "ticket_open_hours", Change::Clock, ValueType::Number, "hours", "[ticket] Time since it was opened or last reopened, while unsolved; absent otherwise."),
        info(Feature::TicketSolvedDays, "ticket_solved_days", Change::Clock, ValueType::Number, "days", "[ticket] Time since it was solved; absent while unsolved."),
        info(Feature::TicketReopenings, "ticket_reopenings", Change::Event, ValueType::Number, "reopenings", "[ticket] How often it was reopened."),
        info(Feature::IncidentSerious, "incident_serious", Change::Event, ValueType::Boolean, "yes or no", "[incident] It is serious."),
        info(Feature::IncidentOpen, "incident_open", Change::Event, ValueType::Boolean, "yes or no", "[incident] It is not resolved."),
        info(Feature::IncidentAgeDays, "incident_age_days", Change::Clock, ValueType::Number, "days", "[incident] Time since it started."),
        info(Feature::IncidentQuietDays, "incident_quiet_days", Change::Clock, ValueType::Number, "days", "[incident] Time since it was resolved; absent while open."),
        info(Feature::QuotaShare, "quota_share", Change::Event, ValueType::Number, "share", "[quota] Used / limit."),
        info(Feature::Health, "health", Change::Day, ValueType::Number, "0-100", "Health score: weighted mean of its components; absent while no component has data."),
        info(Feature::HealthChange28d, "health_change_28d", Change::Day, ValueType::Number, "points", "Health now minus health 28 UTC days ago; absent without both."),
        info(Feature::Grade, "grade", Change::Day, ValueType::Label(GRADES), "label", "Grade of the health score by the bands of the settings; absent without health."),
        info(Feature::Stage, "stage", Change::Day, ValueType::Label(STAGES), "label", "Journey stage: the first whose condition holds, from the last to the first. The labels are the names under `stages` of the rule file; without any, these."),
        info(Feature::AtRisk, "at_risk", Change::Event, ValueType::Boolean, "yes or no", "An at-risk episode is open."),
        info(Feature::OpenAtRisk, "open_at_risk", Change::Event, ValueType::Number, "episodes", "Open at-risk episodes."),
        info(Feature::DaysSinceAtRisk, "days_since_at_risk", Change::Clock, ValueType::Number, "days", "Time since the last at-risk episode closed; absent while one is open, or if there never was one."),
        info(Feature::DaysInStage, "days_in_stage", Change::Clock, ValueType::Number, "days", "Time since the customer came into its journey stage; absent where the settings have no stages."),
        info(Feature::ExperienceScore, "experience_score", Change::Day, ValueType::Number, "0-100", "Weighted mean of the health components of the axis `experience`; absent while none of them has data."),
        info(Feature::OutcomeScore, "outcome_score", Change::Day, ValueType::Number, "0-100", "The same for the axis `outcome`."),
        info(Feature::Quadrant, "quadrant", Change::Day, ValueType::Label(QUADRANTS), "label", "Experience and outcomes, each good from the profile's bound on: both bad, experience alone good, outcomes alone good, both good; absent without both scores."),
        info(Feature::Holiday, "holiday", Change::Day, ValueType::Boolean, "yes or no", "The UTC day is in the holiday calendar of the customer's country; absent where the country is unknown or has no calendar."),
        info(Feature::AgeDays, "age_days", Change::Clock, ValueType::Number, "days", "Time since the rule's own episode was raised; absent before. For `severity`, `until` and `summary` of a rule."),
    ];

    /// Its table row.
    #[must_use]
    pub fn info(self) -> &'static FeatureInfo {
        &Self::ALL[self as usize]
    }

    /// Its name in rules.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.info().name
    }

    /// The feature at a position of the table, as expressions hold it.
    #[must_use]
    pub fn at(index: u16) -> Feature {
        const FEATURES: [Feature; Feature::ALL.len()] = all_features();
        FEATURES[usize::from(index)]
    }
}

/// The table's features alone: a byte each, where a row has many, because every look at a value goes through it.
const fn all_features() -> [Feature; Feature::ALL.len()] {
    let mut features = [Feature::Logins7d; Feature::ALL.len()];
    let mut index = 0;
    while index < features.len() {
        features[index] = Feature::ALL[index].feature;
        index += 1;
    }
    features
}

const fn info(
    feature: Feature,
    name: &'static str,
    change: Change,
    value_type: ValueType,
    unit: &'static str,
    doc: &'static str,
) -> FeatureInfo {
    FeatureInfo { feature, name, change, value_type, unit, doc }
}

/// The symbols of all features, for compiling expressions.
#[must_use]
pub fn symbols() -> Vec<Symbol> {
    Feature::ALL
        .iter()
        .map(|row| Symbol {
            name: row.name.into(),
            feature: row.feature as u16,
            value_type: row.value_type,
            clock: row.change == Change::Clock,
            labels: None,
            family: None,
        })
        .collect()
}
