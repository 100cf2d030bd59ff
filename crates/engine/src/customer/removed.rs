//! Users that were removed lately.

use super::packed::{Packed, PackedReader, PackedWriter};
use super::user::{LONGEST_WINDOW_DAYS, User, WINDOW_DAYS};
use crate::event::UserToken;
use crate::time::Day;

/// Removals remembered per customer; the oldest give way.
pub const MAX_REMOVED: usize = 32;

/// A removal is remembered for so many days: what comes late of the user's activity before it does not bring the user back. By then no window reaches
/// that activity, so that a user who comes back is as good as new.
const REMEMBER_DAYS: i32 = LONGEST_WINDOW_DAYS + WINDOW_DAYS;

/// A user, and the day of its latest removal.
pub(super) type Removal = (UserToken, Day);

/// The removals of the last weeks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Removed(Vec<Removal>);

impl Removed {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A user was removed. Returns a removal that gives way.
    pub fn note(&mut self, token: UserToken, day: Day) -> Option<Removal> {
        if let Some((_, known)) = self.0.iter_mut().find(|(known, _)| *known == token) {
            *known = day.max(*known);
            return None;
        }
        let oldest = (0..self.0.len()).min_by_key(|index| (self.0[*index].1, self.0[*index].0));
        let given_way = oldest.filter(|_| self.0.len() >= MAX_REMOVED).map(|index| self.0.swap_remove(index));
        self.0.push((token, day));
        given_way
    }

    /// Takes a removal that is long ago, if there is one.
    pub fn take_old(&mut self, today: Day) -> Option<Removal> {
        let old = self.0.iter().position(|(_, day)| today.0 - day.0 > REMEMBER_DAYS)?;
        Some(self.0.swap_remove(old))
    }

    /// Whether a user is removed: unless it was active on a later day.
    pub fn hides(&self, user: &User) -> bool {
        self.0.iter().any(|(token, day)| *token == user.token && *day >= user.newest)
    }
}

impl Packed for Removed {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.put(self.0.len() as u64);
        for (token, day) in &self.0 {
            writer.bytes.extend_from_slice(&token.0.to_le_bytes());
            writer.put_day(*day);
        }
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        let removal = |reader: &mut PackedReader<'_>| Some((UserToken(u64::from_le_bytes(reader.take_array()?)), reader.take_day()?));
        reader.take_list(removal).map(Self)
    }
}
