//! The first steps of a customer: milestones and invitations.

use super::last_word::{LastWord, Stamp};
use super::packed::{Packed, PackedReader, PackedWriter};
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
    /// When the final milestone was reached.
    pub final_at: Option<Time>,
    /// Invitations in the order in which they were first heard of.
    invitations: Vec<Invitation>,
}

/// One invitation.
#[derive(Clone, Debug, PartialEq)]
pub struct Invitation {
    /// Who was invited.
    pub user: UserToken,
    /// Invited, activated or removed, whichever came last.
    status: LastWord<UserStep>,
    /// When the latest invitation was sent.
    pub invited_at: Option<Time>,
    /// When it expires.
    pub expires: LastWord<Time>,
    /// The first day on which it was used; also after its user was removed.
    pub activated_on: Option<Day>,
}

impl Invitation {
    /// Whether it waits to be used.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.status.get() == Some(&UserStep::Invited)
    }

    fn activate(&mut self, stamp: Stamp) -> bool {
        let day = stamp.time.day();
        self.activated_on = Some(self.activated_on.map_or(day, |known| known.min(day)));
        self.status.set(stamp, UserStep::Activated)
    }

    /// When it was revoked, or its user removed.
    #[must_use]
    pub fn removed_at(&self) -> Option<Time> {
        self.status.time().filter(|_| self.status.get() == Some(&UserStep::Removed))
    }
}

impl Onboarding {
    /// A milestone was reached.
    pub fn milestone(&mut self, name: u32, time: Time, is_final: bool) {
        if let Some((_, known)) = self.milestones.iter_mut().find(|(known, _)| *known == name) {
            *known = time.min(*known);
        } else if self.milestones.len() < MAX_MILESTONES {
            super::make_room(&mut self.milestones);
            self.milestones.push((name, time));
        }
        if is_final {
            self.final_at = Some(self.final_at.map_or(time, |known| known.min(time)));
        }
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

    /// An invitation was sent, used or revoked.
    pub fn invitation(&mut self, stamp: Stamp, step: UserStep, user: UserToken, expires: Option<Time>) {
        let index = match self.invitations.iter().position(|invitation| invitation.user == user) {
            Some(index) => index,
            None => {
                self.make_room(stamp.time);
                let (status, expires) = (LastWord::default(), LastWord::default());
                super::make_room(&mut self.invitations);
                self.invitations.push(Invitation { user, status, invited_at: None, expires, activated_on: None });
                self.invitations.len() - 1
            }
        };
        let invitation = &mut self.invitations[index];
        if step == UserStep::Activated {
            invitation.activate(stamp);
            return;
        }
        invitation.status.set(stamp, step);
        if step == UserStep::Invited {
            invitation.invited_at = invitation.invited_at.max(Some(stamp.time));
            invitation.expires.set_some(stamp, expires);
        }
    }

    /// A login uses the user's invitation. Returns whether one was pending.
    pub fn used(&mut self, stamp: Stamp, user: UserToken) -> bool {
        let pending = self.invitations.iter_mut().find(|invitation| invitation.user == user && invitation.is_pending());
        pending.is_some_and(|invitation| invitation.activate(stamp))
    }

    /// All remembered invitations.
    pub fn invitations(&self) -> impl Iterator<Item = &Invitation> {
        self.invitations.iter()
    }

    /// Invitations that wait to be used.
    pub fn pending(&self) -> impl Iterator<Item = &Invitation> {
        self.invitations.iter().filter(|invitation| invitation.is_pending())
    }

    fn make_room(&mut self, now: Time) {
        if self.invitations.len() < MAX_INVITATIONS {
            return;
        }
        let forgotten = |invitation: &Invitation| {
            !invitation.is_pending() && invitation.status.time().is_some_and(|time| now.since_ms(time) > REMEMBER_INVITATION_DAYS * DAY_MS)
        };
        self.invitations.retain(|invitation| !forgotten(invitation));
        if self.invitations.len() >= MAX_INVITATIONS {
            let oldest = self.invitations.iter().position(|invitation| !invitation.is_pending()).unwrap_or(0);
            self.invitations.remove(oldest);
        }
    }
}

impl Packed for Invitation {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.bytes.extend_from_slice(&self.user.0.to_le_bytes());
        writer.put_word(&self.status, |writer, step| writer.bytes.push(*step as u8));
        writer.put_optional_time(self.invited_at);
        writer.put_word(&self.expires, |writer, time| writer.put_time(*time));
        writer.put_day(self.activated_on.unwrap_or(Day(0)));
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        const STEPS: [UserStep; 3] = [UserStep::Invited, UserStep::Activated, UserStep::Removed];
        Some(Self {
            user: UserToken(u64::from_le_bytes(reader.take_array()?)),
            status: reader.take_word(|reader| reader.take_one_of(&STEPS))?,
            invited_at: reader.take_optional_time()?,
            expires: reader.take_word(PackedReader::take_time)?,
            activated_on: reader.take_day().map(|day| Some(day).filter(|day| *day != Day(0)))?,
        })
    }
}

impl Packed for Onboarding {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.put(self.milestones.len() as u64);
        for (name, time) in &self.milestones {
            writer.bytes.extend_from_slice(&name.to_le_bytes());
            writer.put_time(*time);
        }
        writer.put_optional_time(self.final_at);
        writer.put_list(&self.invitations);
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        Some(Self {
            milestones: reader.take_list(|reader| Some((u32::from_le_bytes(reader.take_array()?), reader.take_time()?)))?,
            final_at: reader.take_optional_time()?,
            invitations: reader.take_list(Packed::unpack)?,
        })
    }
}
