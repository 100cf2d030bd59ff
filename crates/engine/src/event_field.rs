//! The fields of events by name, as users' own features filter and gather them.

use crate::event::{Body, EndReason, Event, NoteKind, Priority, SurveyKind, UserToken};
use crate::event_type::{EventType, Family};

/// What stands in a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FieldValue<'a> {
    /// Text, or the name of a choice.
    Text(&'a str),
    /// A number.
    Number(f64),
    /// True or false.
    Flag(bool),
    /// A pseudonymised user.
    User(UserToken),
}

/// What kind of value a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// [`FieldValue::Text`]
    Text,
    /// [`FieldValue::Number`]
    Number,
    /// [`FieldValue::Flag`]
    Flag,
    /// [`FieldValue::User`]
    User,
}

use FieldType::{Flag, Number, Text, User};

/// The fields that events of a type may have, by the names of the event contract; `source` besides.
#[must_use]
pub fn fields(kind: EventType) -> &'static [(&'static str, FieldType)] {
    match kind.family() {
        Family::Login => &[("source", Text), ("user", User), ("ok", Flag)],
        Family::Ticket => &[("source", Text), ("ticket", Text), ("channel", Text), ("priority", Text), ("topic", Text)],
        Family::Billing => match kind {
            EventType::SubscriptionStarted
            | EventType::SubscriptionChanged
            | EventType::SubscriptionRenewed
            | EventType::SubscriptionEnded => &[
                ("source", Text),
                ("subscription", Text),
                ("plan", Text),
                ("mrr_minor", Number),
                ("seats", Number),
                ("trial", Flag),
                ("reason", Text),
            ],
            _ => &[("source", Text), ("invoice", Text), ("amount_minor", Number), ("attempt", Number)],
        },
        Family::Cancellation => &[("source", Text), ("user", User), ("reason", Text)],
        Family::Usage if kind == EventType::Quota => &[("source", Text), ("name", Text), ("used", Number), ("limit", Number)],
        Family::Usage => &[("source", Text), ("feature", Text), ("count", Number), ("value", Number), ("user", User)],
        Family::Survey => &[("source", Text), ("kind", Text), ("score", Number), ("user", User), ("role", Text)],
        Family::Account => account_fields(kind),
        Family::Campaign => &[("source", Text), ("campaign", Text), ("user", User), ("amount_minor", Number)],
        Family::Feedback => &[("source", Text), ("by", Text), ("useful", Flag)],
        Family::Company => &[("source", Text), ("amount_minor", Number)],
        Family::Privacy => &[],
    }
}

fn account_fields(kind: EventType) -> &'static [(&'static str, FieldType)] {
    match kind {
        EventType::UserInvited | EventType::UserActivated | EventType::UserRemoved => &[("source", Text), ("user", User)],
        EventType::MilestoneReached => &[("source", Text), ("name", Text), ("final", Flag)],
        EventType::ContactChanged => &[("source", Text), ("role", Text), ("user", User)],
        EventType::ConsentChanged => &[("source", Text), ("marketing", Flag), ("user", User)],
        EventType::NoteRecorded | EventType::NoteResolved => &[("source", Text), ("note", Text), ("kind", Text)],
        EventType::TouchRecorded => &[("source", Text), ("channel", Text)],
        EventType::IncidentStarted | EventType::IncidentResolved => &[("source", Text), ("incident", Text), ("serious", Flag)],
        EventType::GoalSet | EventType::GoalProgressed => &[("source", Text), ("metric", Text), ("target", Number), ("value", Number)],
        EventType::LeadRecorded => &[("source", Text), ("kind", Text)],
        _ => &[("source", Text), ("segment", Text), ("industry", Text), ("country", Text), ("owner", Text)],
    }
}

/// The value of a field of an event; `None` where the event does not carry it.
#[must_use]
pub fn value<'a>(event: &'a Event<'_>, field: &str) -> Option<FieldValue<'a>> {
    let text = |text: &'a Option<crate::event::Text<'_>>| text.as_deref().map(FieldValue::Text);
    let user = |user: &Option<UserToken>| user.map(FieldValue::User);
    let number = |number: Option<f64>| number.map(FieldValue::Number);
    if field == "source" {
        return Some(FieldValue::Text(&event.source));
    }
    match (&event.body, field) {
        (Body::Login { user: of, .. } | Body::Cancellation { user: of, .. }, "user") => user(of),
        (Body::Login { ok, .. }, "ok") => Some(FieldValue::Flag(*ok)),
        (Body::Ticket { ticket, .. }, "ticket") => Some(FieldValue::Text(ticket)),
        (Body::Ticket { channel, .. } | Body::Touch { channel }, "channel") => text(channel),
        (Body::Ticket { priority, .. }, "priority") => priority.map(|priority| FieldValue::Text(priority_name(priority))),
        (Body::Ticket { topic, .. }, "topic") => text(topic),
        (Body::Subscription { subscription, .. }, "subscription") => Some(FieldValue::Text(subscription)),
        (Body::Subscription { plan, .. }, "plan") => text(plan),
        (Body::Subscription { mrr_minor, .. }, "mrr_minor") => number(mrr_minor.map(|minor| minor as f64)),
        (Body::Subscription { seats, .. }, "seats") => number(seats.map(f64::from)),
        (Body::Subscription { trial, .. }, "trial") => trial.map(FieldValue::Flag),
        (Body::Subscription { reason, .. }, "reason") => reason.map(|reason| FieldValue::Text(reason_name(reason))),
        (Body::Invoice { invoice, .. }, "invoice") => Some(FieldValue::Text(invoice)),
        (Body::Invoice { amount_minor, .. } | Body::Campaign { amount_minor, .. }, "amount_minor") => {
            number(amount_minor.map(|minor| minor as f64))
        }
        (Body::Invoice { attempt, .. }, "attempt") => number(attempt.map(f64::from)),
        (Body::Cancellation { reason, .. }, "reason") => text(reason),
        (Body::Usage { feature, .. }, "feature") => Some(FieldValue::Text(feature)),
        (Body::Usage { count, .. }, "count") => Some(FieldValue::Number(f64::from(*count))),
        (Body::Usage { value, .. }, "value") => number(*value),
        (Body::Usage { user: of, .. } | Body::Survey { user: of, .. } | Body::Campaign { user: of, .. }, "user") => user(of),
        (Body::Quota { name, .. } | Body::Milestone { name, .. }, "name") => Some(FieldValue::Text(name)),
        (Body::Quota { used, .. }, "used") => Some(FieldValue::Number(*used)),
        (Body::Quota { limit, .. }, "limit") => Some(FieldValue::Number(*limit)),
        (Body::Survey { kind, .. }, "kind") => Some(FieldValue::Text(survey_name(*kind))),
        (Body::Survey { score, .. }, "score") => Some(FieldValue::Number(*score)),
        (Body::Survey { role, .. }, "role") => text(role),
        _ => account_value(&event.body, field),
    }
}

fn account_value<'a>(body: &'a Body<'_>, field: &str) -> Option<FieldValue<'a>> {
    let text = |text: &'a Option<crate::event::Text<'_>>| text.as_deref().map(FieldValue::Text);
    match (body, field) {
        (Body::Account { segment, .. }, "segment") => text(segment),
        (Body::Account { industry, .. }, "industry") => text(industry),
        (Body::Account { country, .. }, "country") => text(country),
        (Body::Account { owner, .. }, "owner") => text(owner),
        (Body::User { user, .. }, "user") => Some(FieldValue::User(*user)),
        (Body::Milestone { is_final, .. }, "final") => Some(FieldValue::Flag(*is_final)),
        (Body::Contact { role, .. }, "role") => Some(FieldValue::Text(role)),
        (Body::Contact { user, .. } | Body::Consent { user, .. }, "user") => user.map(FieldValue::User),
        (Body::Consent { marketing, .. }, "marketing") => Some(FieldValue::Flag(*marketing)),
        (Body::Note { note, .. }, "note") => Some(FieldValue::Text(note)),
        (Body::Note { kind, .. }, "kind") => kind.map(|kind| FieldValue::Text(note_name(kind))),
        (Body::Incident { incident, .. }, "incident") => Some(FieldValue::Text(incident)),
        (Body::Incident { serious, .. }, "serious") => Some(FieldValue::Flag(*serious)),
        (Body::Goal { metric, .. }, "metric") => Some(FieldValue::Text(metric)),
        (Body::Goal { target, .. }, "target") => target.map(FieldValue::Number),
        (Body::Goal { value, .. }, "value") => value.map(FieldValue::Number),
        (Body::Lead { kind }, "kind") => text(kind),
        (Body::Campaign { campaign, .. }, "campaign") => Some(FieldValue::Text(campaign)),
        (Body::Feedback { by, .. }, "by") => text(by),
        (Body::Feedback { useful, .. }, "useful") => useful.map(FieldValue::Flag),
        (Body::Cost { amount_minor, .. }, "amount_minor") => Some(FieldValue::Number(*amount_minor as f64)),
        _ => None,
    }
}

fn priority_name(priority: Priority) -> &'static str {
    match priority {
        Priority::Low => "low",
        Priority::Normal => "normal",
        Priority::High => "high",
        Priority::Urgent => "urgent",
    }
}

fn reason_name(reason: EndReason) -> &'static str {
    match reason {
        EndReason::Voluntary => "voluntary",
        EndReason::Involuntary => "involuntary",
        EndReason::Other => "other",
    }
}

fn survey_name(kind: SurveyKind) -> &'static str {
    match kind {
        SurveyKind::Nps => "nps",
        SurveyKind::Csat => "csat",
        SurveyKind::Ces => "ces",
        SurveyKind::Goal => "goal",
    }
}

fn note_name(kind: NoteKind) -> &'static str {
    match kind {
        NoteKind::FeatureRequest => "feature_request",
        NoteKind::Observation => "observation",
        NoteKind::Risk => "risk",
        NoteKind::Praise => "praise",
    }
}
