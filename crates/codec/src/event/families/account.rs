//! The customer's master data, its users, contacts, consent and milestones.

use bellwether_engine::event::{Body, UserStep};

use crate::event::Users;
use crate::event::names::Field;
use crate::event::values::Values;
use crate::rejection::Rejection;

pub(super) const ACCOUNT: &[Field] = &[Field::Segment, Field::Industry, Field::Country, Field::Owner];
pub(super) const USER: &[Field] = &[Field::User, Field::Expires];
pub(super) const MILESTONE: &[Field] = &[Field::Name, Field::Final];
pub(super) const CONTACT: &[Field] = &[Field::Role, Field::User, Field::PreviousUser];
pub(super) const CONSENT: &[Field] = &[Field::Marketing, Field::User];

pub(super) fn account<'a>(fields: &mut impl Values<'a>, created: bool) -> Result<Body<'a>, Rejection> {
    Ok(Body::Account {
        created,
        segment: fields.optional_text(Field::Segment)?,
        industry: fields.optional_text(Field::Industry)?,
        country: fields.optional_text(Field::Country)?,
        owner: fields.optional_text(Field::Owner)?,
    })
}

pub(super) fn user<'a>(fields: &mut impl Values<'a>, users: Users<'_>, step: UserStep) -> Result<Body<'a>, Rejection> {
    let user = fields.user(Field::User, users)?;
    Ok(Body::User { step, user: fields.required(Field::User, user)?, expires: fields.time(Field::Expires)? })
}

pub(super) fn milestone<'a>(fields: &mut impl Values<'a>) -> Result<Body<'a>, Rejection> {
    Ok(Body::Milestone { name: fields.text(Field::Name)?, is_final: fields.boolean(Field::Final)?.unwrap_or(false) })
}

pub(super) fn contact<'a>(fields: &mut impl Values<'a>, users: Users<'_>) -> Result<Body<'a>, Rejection> {
    Ok(Body::Contact {
        role: fields.text(Field::Role)?,
        user: fields.user(Field::User, users)?,
        previous_user: fields.user(Field::PreviousUser, users)?,
    })
}

pub(super) fn consent<'a>(fields: &mut impl Values<'a>, users: Users<'_>) -> Result<Body<'a>, Rejection> {
    let marketing = fields.boolean(Field::Marketing)?;
    Ok(Body::Consent { marketing: fields.required(Field::Marketing, marketing)?, user: fields.user(Field::User, users)? })
}
