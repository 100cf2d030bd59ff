//! An event read from a row of a table: its values are taken from their columns, and are validated as those of a line are.

use bellwether_engine::event::Event;

use super::envelope::Kind;
use super::scalar::Scalar;
use super::values::Values;
use super::{Decoder, Field, Users, families};
use crate::rejection::Rejection;

/// The columns of a table.
pub(crate) trait Columns {
    /// What a row has in the column of a field; that of the subject is the customer.
    fn scalar(&self, field: Field, row: usize) -> Scalar<'_>;
}

/// The attributes of a row, or its data.
struct RowValues<'a, C> {
    columns: &'a C,
    row: usize,
    prefix: &'static str,
}

impl<'a, C: Columns> Values<'a> for RowValues<'a, C> {
    #[inline]
    fn prefix(&self) -> &'static str {
        self.prefix
    }

    #[inline]
    fn take(&mut self, name: Field) -> Scalar<'a> {
        self.columns.scalar(name, self.row)
    }
}

impl Decoder {
    /// Validates a row, of which the type is this, as a line is validated, and makes something of its event where that is built. In tables
    /// of our own users are tokens.
    #[inline]
    pub(crate) fn decode_row<'a, T>(
        &self,
        kind: Scalar<'a>,
        columns: &'a impl Columns,
        row: usize,
        users_are_tokens: bool,
        make: impl FnOnce(Event<'a>) -> T,
    ) -> Result<T, Rejection> {
        let users = if users_are_tokens { Users::Tokens } else { Users::Plain(&self.pseudonymiser) };
        let kind = self.known_kind(&Kind::of(kind), "")?;
        let attributes = super::attributes(kind, &mut RowValues { columns, row, prefix: "" })?;
        let body = families::body(kind, &mut RowValues { columns, row, prefix: "data." }, users)?;
        Ok(make(attributes.with(None, body)))
    }
}
