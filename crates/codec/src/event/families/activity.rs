//! Logins, usage and quotas.

use bellwether_engine::event::Body;

use crate::event::Users;
use crate::event::names::Field;
use crate::event::values::Values;
use crate::rejection::Rejection;

pub(super) const LOGIN: &[Field] = &[Field::User, Field::Ok];
pub(super) const USAGE: &[Field] = &[Field::Feature, Field::User, Field::Count, Field::Value];
pub(super) const QUOTA: &[Field] = &[Field::Name, Field::Used, Field::Limit];

pub(super) fn login<'a>(fields: &mut impl Values<'a>, users: Users<'_>) -> Result<Body<'a>, Rejection> {
    Ok(Body::Login { user: fields.user(Field::User, users)?, ok: fields.boolean(Field::Ok)?.unwrap_or(true) })
}

/// A count beyond 32 bits is taken as the largest there is.
pub(super) fn usage<'a>(fields: &mut impl Values<'a>, users: Users<'_>) -> Result<Body<'a>, Rejection> {
    let feature = fields.text(Field::Feature)?;
    let count = fields.integer(Field::Count, 1)?.map_or(1, |count| u32::try_from(count).unwrap_or(u32::MAX));
    Ok(Body::Usage { feature, count, value: fields.number(Field::Value)?, user: fields.user(Field::User, users)? })
}

pub(super) fn quota<'a>(fields: &mut impl Values<'a>) -> Result<Body<'a>, Rejection> {
    let name = fields.text(Field::Name)?;
    let used = fields.number(Field::Used)?;
    let used = fields.required(Field::Used, used)?;
    if used < 0.0 {
        return Err(fields.out_of_range(Field::Used, &format!("{used} is negative")));
    }
    let limit = fields.number(Field::Limit)?;
    let limit = fields.required(Field::Limit, limit)?;
    if limit <= 0.0 {
        return Err(fields.out_of_range(Field::Limit, &format!("{limit} is not more than 0")));
    }
    Ok(Body::Quota { name, used, limit })
}
