//! Subscriptions, invoices and the company's own costs.

use bellwether_engine::event::{Body, EndReason, InvoiceStep, SubscriptionStep};

use crate::event::names::Field;
use crate::event::scalar::Scalar;
use crate::event::values::Values;
use crate::event::words::{COST_KINDS, END_REASONS};
use crate::rejection::Rejection;

pub(super) const SUBSCRIPTION: &[Field] =
    &[Field::Subscription, Field::Plan, Field::MrrMinor, Field::Currency, Field::Seats, Field::PeriodEnd, Field::Trial, Field::Reason];
pub(super) const INVOICE: &[Field] = &[Field::Invoice, Field::AmountMinor, Field::Currency, Field::Due, Field::Attempt];
pub(super) const COST: &[Field] = &[Field::Kind, Field::AmountMinor, Field::Currency, Field::Period];

pub(super) fn subscription<'a>(fields: &mut impl Values<'a>, step: SubscriptionStep) -> Result<Body<'a>, Rejection> {
    Ok(Body::Subscription {
        step,
        subscription: fields.identifier(Field::Subscription)?,
        plan: fields.optional_text(Field::Plan)?,
        mrr_minor: fields.money(Field::MrrMinor)?,
        currency: fields.currency(Field::Currency)?,
        seats: fields.small_integer(Field::Seats, 0)?,
        period_end: fields.time(Field::PeriodEnd)?,
        trial: fields.boolean(Field::Trial)?,
        reason: end_reason(fields)?,
    })
}

/// Any other text than the words of the contract is `other`: what counts is whether the customer wanted it.
fn end_reason<'a>(fields: &mut impl Values<'a>) -> Result<Option<EndReason>, Rejection> {
    match fields.take(Field::Reason) {
        Scalar::Text(text) if text.is_empty() => Ok(None),
        Scalar::Text(text) => {
            let known = END_REASONS.iter().find(|(word, _)| word.eq_ignore_ascii_case(&text));
            Ok(Some(known.map_or(EndReason::Other, |(_, reason)| *reason)))
        }
        Scalar::Absent | Scalar::Null => Ok(None),
        other => Err(fields.wrong_type(Field::Reason, "a text", &other)),
    }
}

pub(super) fn invoice<'a>(fields: &mut impl Values<'a>, step: InvoiceStep) -> Result<Body<'a>, Rejection> {
    Ok(Body::Invoice {
        step,
        invoice: fields.identifier(Field::Invoice)?,
        amount_minor: fields.money(Field::AmountMinor)?,
        currency: fields.currency(Field::Currency)?,
        due: fields.time(Field::Due)?,
        attempt: fields.small_integer(Field::Attempt, 1)?,
    })
}

pub(super) fn cost<'a>(fields: &mut impl Values<'a>) -> Result<Body<'a>, Rejection> {
    let kind = fields.choice(Field::Kind, &COST_KINDS)?;
    let acquisition = fields.required(Field::Kind, kind)?;
    let amount = fields.money(Field::AmountMinor)?;
    let amount_minor = fields.required(Field::AmountMinor, amount)?;
    let currency = fields.currency(Field::Currency)?;
    let currency = fields.required(Field::Currency, currency)?;
    Ok(Body::Cost { acquisition, amount_minor, currency, period: fields.text(Field::Period)? })
}
