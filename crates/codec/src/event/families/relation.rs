//! What passes between the customer and us: notes, talks, incidents, goals, leads, campaigns, and feedback on signals.

use bellwether_engine::event::{Body, CampaignStep, FeedbackStep};

use crate::event::Users;
use crate::event::names::Field;
use crate::event::values::Values;
use crate::event::words::{NOTE_KINDS, SERIOUS_LEVELS, SERIOUS_SEVERITIES};
use crate::rejection::Rejection;

pub(super) const NOTE: &[Field] = &[Field::Note, Field::Kind];
pub(super) const TOUCH: &[Field] = &[Field::Channel];
pub(super) const INCIDENT: &[Field] = &[Field::Incident, Field::Severity];
pub(super) const GOAL: &[Field] = &[Field::Metric, Field::Target, Field::Value, Field::Due];
pub(super) const LEAD: &[Field] = &[Field::Kind];
pub(super) const CAMPAIGN: &[Field] = &[Field::Campaign, Field::User, Field::AmountMinor, Field::Currency];
pub(super) const FEEDBACK: &[Field] = &[Field::Signal, Field::By, Field::Until, Field::Useful];

pub(super) fn note<'a>(fields: &mut impl Values<'a>, resolved: bool) -> Result<Body<'a>, Rejection> {
    Ok(Body::Note { resolved, note: fields.identifier(Field::Note)?, kind: fields.choice(Field::Kind, &NOTE_KINDS)? })
}

pub(super) fn touch<'a>(fields: &mut impl Values<'a>) -> Result<Body<'a>, Rejection> {
    Ok(Body::Touch { channel: fields.optional_text(Field::Channel)? })
}

/// Every team has its own scale of severities: the usual names of its upper end, and the levels 1 and 2, are serious.
pub(super) fn incident<'a>(fields: &mut impl Values<'a>, resolved: bool) -> Result<Body<'a>, Rejection> {
    let incident = fields.identifier(Field::Incident)?;
    let severity = fields.optional_identifier(Field::Severity)?;
    let serious = severity
        .is_some_and(|severity| SERIOUS_SEVERITIES.iter().chain(&SERIOUS_LEVELS).any(|serious| serious.eq_ignore_ascii_case(&severity)));
    Ok(Body::Incident { resolved, incident, serious })
}

pub(super) fn goal<'a>(fields: &mut impl Values<'a>, set: bool) -> Result<Body<'a>, Rejection> {
    Ok(Body::Goal {
        set,
        metric: fields.text(Field::Metric)?,
        target: fields.number(Field::Target)?,
        value: fields.number(Field::Value)?,
        due: fields.time(Field::Due)?,
    })
}

pub(super) fn lead<'a>(fields: &mut impl Values<'a>) -> Result<Body<'a>, Rejection> {
    Ok(Body::Lead { kind: fields.optional_text(Field::Kind)? })
}

pub(super) fn campaign<'a>(fields: &mut impl Values<'a>, users: Users<'_>, step: CampaignStep) -> Result<Body<'a>, Rejection> {
    Ok(Body::Campaign {
        step,
        campaign: fields.identifier(Field::Campaign)?,
        user: fields.user(Field::User, users)?,
        amount_minor: fields.money(Field::AmountMinor)?,
        currency: fields.currency(Field::Currency)?,
    })
}

pub(super) fn feedback<'a>(fields: &mut impl Values<'a>, step: FeedbackStep) -> Result<Body<'a>, Rejection> {
    Ok(Body::Feedback {
        step,
        signal: fields.identifier(Field::Signal)?,
        by: fields.optional_text(Field::By)?,
        until: fields.time(Field::Until)?,
        useful: fields.boolean(Field::Useful)?,
    })
}
