//! Tickets, surveys and cancellations.

use std::borrow::Cow;

use bellwether_engine::event::{Body, CancellationStep, SurveyKind, Text, TicketStep};

use crate::event::Users;
use crate::event::names::Field;
use crate::event::scalar::Scalar;
use crate::event::values::{REASON_MAX_BYTES, Values};
use crate::event::words::{DIRECTIONS, PRIORITIES, SURVEY_KINDS};
use crate::rejection::Rejection;

pub(super) const TICKET: &[Field] = &[Field::Ticket, Field::Channel, Field::Priority, Field::Topic];
pub(super) const SURVEY: &[Field] =
    &[Field::Kind, Field::Score, Field::ScaleMin, Field::ScaleMax, Field::Direction, Field::User, Field::Role, Field::Ticket];
pub(super) const CANCELLATION: &[Field] = &[Field::User, Field::Reason, Field::Effective];

pub(super) fn ticket<'a>(fields: &mut impl Values<'a>, step: TicketStep) -> Result<Body<'a>, Rejection> {
    Ok(Body::Ticket {
        step,
        ticket: fields.identifier(Field::Ticket)?,
        channel: fields.optional_text(Field::Channel)?,
        priority: fields.choice(Field::Priority, &PRIORITIES)?,
        topic: fields.optional_text(Field::Topic)?,
    })
}

/// The scale is 0 to 10 for NPS and 1 to 5 for every other kind, unless the event says otherwise.
pub(super) fn survey<'a>(fields: &mut impl Values<'a>, users: Users<'_>) -> Result<Body<'a>, Rejection> {
    let kind = fields.choice(Field::Kind, &SURVEY_KINDS)?;
    let kind = fields.required(Field::Kind, kind)?;
    let score = fields.number(Field::Score)?;
    let score = fields.required(Field::Score, score)?;
    let (usual_min, usual_max) = if kind == SurveyKind::Nps { (0.0, 10.0) } else { (1.0, 5.0) };
    let scale_min = fields.number(Field::ScaleMin)?.unwrap_or(usual_min);
    let scale_max = fields.number(Field::ScaleMax)?.unwrap_or(usual_max);
    if scale_min >= scale_max {
        return Err(fields.out_of_range(Field::ScaleMax, &format!("{scale_max} is not more than scale_min {scale_min}")));
    }
    if score < scale_min || score > scale_max {
        return Err(fields.out_of_range(Field::Score, &format!("{score} is outside of the scale from {scale_min} to {scale_max}")));
    }
    Ok(Body::Survey {
        kind,
        score,
        scale_min,
        scale_max,
        higher_is_better: fields.choice(Field::Direction, &DIRECTIONS)?.unwrap_or(true),
        user: fields.user(Field::User, users)?,
        role: fields.optional_text(Field::Role)?,
        ticket: fields.optional_identifier(Field::Ticket)?,
    })
}

pub(super) fn cancellation<'a>(fields: &mut impl Values<'a>, users: Users<'_>, step: CancellationStep) -> Result<Body<'a>, Rejection> {
    Ok(Body::Cancellation {
        step,
        user: fields.user(Field::User, users)?,
        reason: reason_code(fields)?,
        effective: fields.time(Field::Effective)?,
    })
}

/// The reason as a short code. What is longer is somebody's own words, and those are not kept.
fn reason_code<'a>(fields: &mut impl Values<'a>) -> Result<Option<Text<'a>>, Rejection> {
    match fields.take(Field::Reason) {
        Scalar::Text(text) if text.is_empty() => Ok(None),
        Scalar::Text(text) if text.len() <= REASON_MAX_BYTES => Ok(Some(text)),
        Scalar::Text(_) => Ok(Some(Cow::Borrowed("other"))),
        Scalar::Absent | Scalar::Null => Ok(None),
        other => Err(fields.wrong_type(Field::Reason, "a text", &other)),
    }
}
