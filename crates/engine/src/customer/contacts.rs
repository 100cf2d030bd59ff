//! The people we talk to: one for each role.

use super::last_word::{LastWord, Stamp};
use super::packed::{Packed, PackedReader, PackedWriter};
use super::table::overflow_until;
use super::users::Users;
use crate::event::UserToken;
use crate::time::{DAY_MS, Day, Time};

/// Roles of contacts remembered per customer.
pub const MAX_CONTACTS: usize = 8;

/// Roles that changed so many days apart belong to one change: each of the new contacts is waited for.
const CHANGE_DAYS: i64 = 90;

/// The contacts of a customer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contacts {
    roles: Vec<Contact>,
    /// Until this day a contact is missing for whose role there was no room.
    overflow_until: Day,
}

/// The contact of one role.
#[derive(Clone, Debug, PartialEq)]
struct Contact {
    /// The hash of the role's name.
    role: u32,
    /// Who it is; `None` inside when it was removed.
    user: LastWord<Option<UserToken>>,
    /// When it last changed or was removed.
    changed_at: Option<Time>,
}

impl Contacts {
    /// The contact of a role was named, or removed. Returns false when there are too many roles to keep.
    pub fn set(&mut self, stamp: Stamp, role: u32, user: Option<UserToken>, had_previous: bool, today: Day) -> bool {
        let place = self.roles.iter().position(|contact| contact.role == role);
        if place.is_none() && self.roles.len() >= MAX_CONTACTS {
            self.overflow_until = overflow_until(today);
            return false;
        }
        let index = place.unwrap_or_else(|| {
            self.roles.push(Contact { role, user: LastWord::default(), changed_at: None });
            self.roles.len() - 1
        });
        let contact = &mut self.roles[index];
        let known = contact.user.get().copied();
        let changed = had_previous || user.is_none() || known.is_some_and(|known| known != user);
        if contact.user.set(stamp, user) && changed {
            contact.changed_at = contact.changed_at.max(Some(stamp.time));
        }
        true
    }

    /// When one last changed or was removed.
    #[must_use]
    pub fn changed_at(&self) -> Option<Time> {
        self.roles.iter().filter_map(|contact| contact.changed_at).max()
    }

    /// The day from which on the current contact of every role is known.
    #[must_use]
    pub fn known_from(&self) -> Day {
        self.overflow_until
    }

    /// Whether the activity of every current contact is known.
    #[must_use]
    pub fn are_known(&self, users: &Users, today: Day) -> bool {
        let tracks_all = || self.current().all(|(user, _)| users.contains(user));
        today >= self.overflow_until && (today >= users.known_from() || tracks_all())
    }

    /// Whether there is a contact at all.
    #[must_use]
    pub fn has_any(&self) -> bool {
        self.current().next().is_some()
    }

    /// Whether a user is a contact.
    #[must_use]
    pub fn is_contact(&self, user: UserToken) -> bool {
        self.current().any(|(contact, _)| contact == user)
    }

    /// The latest day on which a current contact was active.
    #[must_use]
    pub fn latest_day(&self, users: &Users) -> Option<Day> {
        self.current().filter_map(|(user, _)| users.latest_day(user)).max()
    }

    /// Whether the new contact of every role that changed last was active on a later day than that on which it was named; where none ever changed,
    /// whether any contact was.
    #[must_use]
    pub fn have_been_back(&self, users: &Users) -> bool {
        let is_back = |contact: &Contact| contact.current().is_some_and(|(user, named)| users.latest_day(user) > Some(named.day()));
        let Some(latest) = self.changed_at() else { return self.roles.iter().any(is_back) };
        let is_of_the_change = |contact: &&Contact| contact.changed_at.is_some_and(|at| latest.since_ms(at) <= CHANGE_DAYS * DAY_MS);
        self.roles.iter().filter(is_of_the_change).all(is_back)
    }

    /// The current contacts, and when each was named last.
    fn current(&self) -> impl Iterator<Item = (UserToken, Time)> {
        self.roles.iter().filter_map(Contact::current)
    }
}

impl Contact {
    /// Who it is, and when that was said last.
    fn current(&self) -> Option<(UserToken, Time)> {
        Some(((*self.user.get()?)?, self.user.time()?))
    }
}

impl Packed for Contacts {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.put_count(self.roles.len(), self.overflow_until);
        for Contact { role, user, changed_at } in &self.roles {
            writer.bytes.extend_from_slice(&role.to_le_bytes());
            writer.put_word(user, |writer, user| writer.put_user(*user));
            writer.put_optional_time(*changed_at);
        }
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        let contact = |reader: &mut PackedReader<'_>| {
            Some(Contact {
                role: u32::from_le_bytes(reader.take_array()?),
                user: reader.take_word(PackedReader::take_user)?,
                changed_at: reader.take_optional_time()?,
            })
        };
        let (count, overflow_until) = reader.take_count()?;
        Some(Self { roles: reader.take_things(count, contact)?, overflow_until })
    }
}
