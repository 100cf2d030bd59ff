//! The first steps of a customer: milestones and invitations.

use super::last_word::{LastWord, Stamp};
use super::packed::{Packed, PackedReader, PackedWriter};
use super::table::overflow_until;
use super::user::{User, WINDOW_DAYS};
use super::users::Users;
use crate::event::{UserStep, UserToken};
use crate::time::{DAY_MS, Day, Time};

/// Milestones remembered per customer.
pub const MAX_MILESTONES: usize = 16;
/// Invitations remembered per customer; used and revoked ones give way first, then the oldest.
pub const MAX_INVITATIONS: usize = 32;
/// An invitation that is used or revoked is forgotten after so many days.
const REMEMBER_INVITATION_DAYS: i64 = 30;

/// Onboarding of a customer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Onboarding {
    /// Hashes of the names of milestones reached, with the earliest time of each.
    milestones: Vec<(u32, Time)>,
    /// Whether one found no room: milestones are never forgotten, so that how many there are is not known any more.
    lacks_milestones: bool,
    /// When the final milestone was reached.
    pub final_at: Option<Time>,
    /// Invitations in the order in which they were first heard of.
    invitations: Vec<Invitation>,
    /// Until this day one that waited and had to give way is missing.
    overflow_until: Day,
}

/// One invitation.
#[derive(Clone, Debug, PartialEq)]
pub struct Invitation {
    /// Who was invited.
    pub user: UserToken,
    /// Invited, activated or removed, whichever was said last.
    status: LastWord<UserStep>,
    /// When the latest invitation was sent.
    pub invited_at: Option<Time>,
    /// The day of the first one.
    first_invited_on: Option<Day>,
    /// When it expires.
    pub expires: LastWord<Time>,
    /// The first day on which it was said to be used.
    activated_on: Option<Day>,
    /// The first day, not before the first invitation, on which its user was active.
    first_used_on: Option<Day>,
    /// The latest day on which its user was active.
    used_on: Option<Day>,
    /// Its user was active in the four weeks before the first invitation.
    was_active: bool,
}

impl Invitation {
    /// Whether it waits to be used.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.status.get() == Some(&UserStep::Invited) && self.used_on < self.invited_at.map(Time::day)
    }

    /// The first day on which it was used, or said to be; also after its user was removed. Who was active in the four weeks before the
    /// invitation, and then after it, has used it at once.
    #[must_use]
    pub fn activated_on(&self) -> Option<Day> {
        let used = if self.was_active { self.first_used_on.and(self.first_invited_on) } else { self.first_used_on };
        [self.activated_on, used].into_iter().flatten().min()
    }

    fn invite(&mut self, stamp: Stamp, expires: Option<Time>) {
        self.invited_at = self.invited_at.max(Some(stamp.time));
        self.expires.set_some(stamp, expires);
        self.first_invited_on = earliest(self.first_invited_on, stamp.time.day());
    }

    /// What its user did before it was heard of. Days only, so that it does not matter in which order invitation and activity come.
    fn catch_up(&mut self, user: &User) {
        self.used_on = self.used_on.max(Some(user.newest));
        let Some(first) = self.first_invited_on else { return };
        self.was_active = user.was_active_before(first);
        if user.newest >= first {
            self.first_used_on = earliest(self.first_used_on, user.stretch_from(first).unwrap_or(user.newest));
        }
    }

    /// Its user is active on that day.
    fn used(&mut self, day: Day) {
        self.used_on = self.used_on.max(Some(day));
        let Some(first) = self.first_invited_on else { return };
        if day >= first {
            self.first_used_on = earliest(self.first_used_on, day);
        } else {
            self.was_active |= first.0 - day.0 <= WINDOW_DAYS;
        }
    }

    /// When it was revoked, or its user removed.
    #[must_use]
    pub fn removed_at(&self) -> Option<Time> {
        self.status.time().filter(|_| self.status.get() == Some(&UserStep::Removed))
    }
}

fn earliest(known: Option<Day>, day: Day) -> Option<Day> {
    Some(known.map_or(day, |known| known.min(day)))
}

impl Onboarding {
    /// A milestone was reached. Returns false when there are too many to keep.
    pub fn milestone(&mut self, name: u32, time: Time, is_final: bool) -> bool {
        if is_final {
            self.final_at = Some(self.final_at.map_or(time, |known| known.min(time)));
        }
        if let Some((_, known)) = self.milestones.iter_mut().find(|(known, _)| *known == name) {
            *known = time.min(*known);
        } else if self.milestones.len() < MAX_MILESTONES {
            super::make_room(&mut self.milestones);
            self.milestones.push((name, time));
        } else {
            self.lacks_milestones = true;
            return false;
        }
        true
    }

    /// Whether every milestone reached is known.
    #[must_use]
    pub fn knows_milestones(&self) -> bool {
        !self.lacks_milestones
    }

    /// The day from which on every invitation that waits is known.
    #[must_use]
    pub fn invitations_known_from(&self) -> Day {
        self.overflow_until
    }

    /// Number of milestones reached.
    #[must_use]
    pub fn milestones_reached(&self) -> usize {
        self.milestones.len()
    }

    /// Whether that milestone was reached.
    #[must_use]
    pub fn has_reached(&self, name: u32) -> bool {
        self.reached_at(name).is_some()
    }

    /// When that milestone was reached.
    #[must_use]
    pub fn reached_at(&self, name: u32) -> Option<Time> {
        self.milestones.iter().find(|(known, _)| *known == name).map(|(_, time)| *time)
    }

    /// The latest milestone, while the final one is not reached.
    #[must_use]
    pub fn stalled_since(&self) -> Option<Time> {
        if self.final_at.is_some() {
            return None;
        }
        self.milestones.iter().map(|(_, time)| *time).max()
    }

    /// An invitation was sent, used or revoked. Returns false when one that waits had to give way.
    pub fn invitation(&mut self, stamp: Stamp, step: UserStep, user: UserToken, expires: Option<Time>, users: &Users, today: Day) -> bool {
        let mut has_room = true;
        let index = match self.invitations.iter().position(|invitation| invitation.user == user) {
            Some(index) => index,
            None => {
                has_room = self.make_room(stamp.time, today);
                let (status, expires) = (LastWord::default(), LastWord::default());
                super::make_room(&mut self.invitations);
                self.invitations.push(Invitation {
                    user,
                    status,
                    invited_at: None,
                    first_invited_on: None,
                    expires,
                    activated_on: None,
                    first_used_on: None,
                    used_on: None,
                    was_active: false,
                });
                self.invitations.len() - 1
            }
        };
        let invitation = &mut self.invitations[index];
        invitation.status.set(stamp, step);
        let first = invitation.first_invited_on;
        match step {
            UserStep::Invited => invitation.invite(stamp, expires),
            UserStep::Activated => invitation.activated_on = earliest(invitation.activated_on, stamp.time.day()),
            UserStep::Removed => {}
        }
        let is_new = invitation.used_on.is_none() || first != invitation.first_invited_on;
        if let Some(user) = users.get(user).filter(|_| is_new) {
            invitation.catch_up(user);
        }
        has_room
    }

    /// A user is active on a day. Returns whether that changed an invitation.
    pub fn used(&mut self, user: UserToken, day: Day) -> bool {
        let Some(invitation) = self.invitations.iter_mut().find(|invitation| invitation.user == user) else { return false };
        let before = (invitation.is_pending(), invitation.activated_on());
        invitation.used(day);
        before != (invitation.is_pending(), invitation.activated_on())
    }

    /// All remembered invitations.
    pub fn invitations(&self) -> impl Iterator<Item = &Invitation> {
        self.invitations.iter()
    }

    /// Invitations that wait to be used.
    pub fn pending(&self) -> impl Iterator<Item = &Invitation> {
        self.invitations.iter().filter(|invitation| invitation.is_pending())
    }

    fn make_room(&mut self, now: Time, today: Day) -> bool {
        if self.invitations.len() < MAX_INVITATIONS {
            return true;
        }
        let forgotten = |invitation: &Invitation| {
            !invitation.is_pending() && invitation.status.time().is_some_and(|time| now.since_ms(time) > REMEMBER_INVITATION_DAYS * DAY_MS)
        };
        self.invitations.retain(|invitation| !forgotten(invitation));
        if self.invitations.len() < MAX_INVITATIONS {
            return true;
        }
        let oldest = self.invitations.iter().position(|invitation| !invitation.is_pending()).unwrap_or(0);
        let is_lost = self.invitations.remove(oldest).is_pending();
        if is_lost {
            self.overflow_until = overflow_until(today);
        }
        !is_lost
    }
}

impl Packed for Invitation {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.bytes.extend_from_slice(&self.user.0.to_le_bytes());
        writer.put_word(&self.status, |writer, step| writer.bytes.push(*step as u8));
        writer.put_optional_time(self.invited_at);
        writer.put_word(&self.expires, |writer, time| writer.put_time(*time));
        for day in [self.first_invited_on, self.activated_on, self.first_used_on, self.used_on] {
            writer.put_day(day.unwrap_or(Day(0)));
        }
        writer.bytes.push(u8::from(self.was_active));
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        const STEPS: [UserStep; 3] = [UserStep::Invited, UserStep::Activated, UserStep::Removed];
        let day = |reader: &mut PackedReader<'_>| reader.take_day().map(|day| Some(day).filter(|day| *day != Day(0)));
        Some(Self {
            user: UserToken(u64::from_le_bytes(reader.take_array()?)),
            status: reader.take_word(|reader| reader.take_one_of(&STEPS))?,
            invited_at: reader.take_optional_time()?,
            expires: reader.take_word(PackedReader::take_time)?,
            first_invited_on: day(reader)?,
            activated_on: day(reader)?,
            first_used_on: day(reader)?,
            used_on: day(reader)?,
            was_active: reader.take_bool()?,
        })
    }
}

impl Packed for Onboarding {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.put((self.milestones.len() as u64) << 1 | u64::from(self.lacks_milestones));
        for (name, time) in &self.milestones {
            writer.bytes.extend_from_slice(&name.to_le_bytes());
            writer.put_time(*time);
        }
        writer.put_optional_time(self.final_at);
        writer.put_count(self.invitations.len(), self.overflow_until);
        self.invitations.iter().for_each(|invitation| invitation.pack(writer));
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        let count = reader.take()?;
        let milestone = |reader: &mut PackedReader<'_>| Some((u32::from_le_bytes(reader.take_array()?), reader.take_time()?));
        let (milestones, lacks_milestones) = (reader.take_things(count >> 1, milestone)?, count & 1 != 0);
        let final_at = reader.take_optional_time()?;
        let (count, overflow_until) = reader.take_count()?;
        let invitations = reader.take_things(count, Packed::unpack)?;
        Some(Self { milestones, lacks_milestones, final_at, invitations, overflow_until })
    }
}
