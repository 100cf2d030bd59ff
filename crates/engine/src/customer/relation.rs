//! The relation with a customer: contacts, consent, touches, notes, incidents, goals, quotas, leads, campaigns.

use super::contacts::Contacts;
use super::counts::Counts;
use super::goals::Goals;
use super::last_word::{LastWord, Stamp};
use super::packed::{Packed, PackedReader, PackedWriter};
use super::table::{Entry, REMEMBER_ENDED_DAYS, Table, overflow_until};
use crate::event::{NoteKind, UserToken};
use crate::time::{DAY_MS, Day, Time};

/// Notes remembered per customer.
pub const MAX_NOTES: usize = 16;
/// Incidents remembered per customer.
pub const MAX_INCIDENTS: usize = 8;
/// Users whose own consent is remembered per customer.
pub const MAX_CONSENTS: usize = 32;
/// Quotas remembered per customer.
pub const MAX_QUOTAS: usize = 8;

/// A quota of which nothing is said for so many days is over: the next period's has another name.
const QUOTA_DAYS: i64 = 60;

/// The relation with a customer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Relation {
    /// The contacts.
    pub contacts: Contacts,
    /// Marketing consent of the customer as a whole.
    pub consent: LastWord<bool>,
    /// Marketing consent of users for themselves.
    user_consents: Vec<(UserToken, LastWord<bool>)>,
    /// Until this day that of a user is missing for whom there was no room.
    consents_overflow_until: Day,
    /// The latest touch.
    pub touched_at: Option<Time>,
    /// Feature requests, risks and other notes.
    pub notes: Table<Note>,
    /// Incidents that affected the customer.
    pub incidents: Table<Incident>,
    /// Incidents started, by day.
    pub incidents_started: Counts<28>,
    /// Quotas.
    pub quotas: Table<Quota>,
    /// Goals.
    pub goals: Goals,
    /// The latest lead.
    pub lead_at: Option<Time>,
    /// The latest campaign sent.
    pub campaign_at: Option<Time>,
}

/// One note.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    name: Box<str>,
    /// Whether it is resolved.
    pub resolved: LastWord<bool>,
    /// What it is about.
    pub kind: LastWord<NoteKind>,
    /// When it was recorded.
    pub recorded_at: Option<Time>,
}

/// One incident.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    name: Box<str>,
    /// Whether it is resolved.
    pub resolved: LastWord<bool>,
    /// Whether any of its events called it serious.
    pub serious: bool,
    /// When it started.
    pub started_at: Option<Time>,
}

/// One quota.
#[derive(Clone, Debug, PartialEq)]
pub struct Quota {
    name: Box<str>,
    /// Used and limit, in the quota's unit.
    pub level: LastWord<(f64, f64)>,
}

impl Note {
    /// A note of that name of which nothing is known yet.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), resolved: LastWord::default(), kind: LastWord::default(), recorded_at: None }
    }

    /// Whether it is of that kind and open.
    #[must_use]
    pub fn is_open(&self, kind: NoteKind) -> bool {
        self.kind.get() == Some(&kind) && self.resolved.get() != Some(&true)
    }
}

impl Incident {
    /// An incident of that name of which nothing is known yet.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), resolved: LastWord::default(), serious: false, started_at: None }
    }

    /// Whether it goes on.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.resolved.get() != Some(&true)
    }
}

impl Quota {
    /// A quota of that name of which nothing is known yet.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), level: LastWord::default() }
    }

    /// Used over limit.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        self.level.get().map(|(used, limit)| used / limit)
    }
}

impl Entry for Note {
    fn name(&self) -> &str {
        &self.name
    }

    /// What no feature reads makes room at once: nothing ends praise.
    fn ended_at(&self) -> Option<Time> {
        if matches!(self.kind.get(), Some(NoteKind::Observation | NoteKind::Praise)) {
            return Some(Time::MIN);
        }
        self.resolved.get().filter(|resolved| **resolved).and(self.resolved.time())
    }
}

impl Entry for Incident {
    fn name(&self) -> &str {
        &self.name
    }

    fn ended_at(&self) -> Option<Time> {
        if self.is_open() { None } else { self.resolved.time() }
    }
}

impl Entry for Quota {
    fn name(&self) -> &str {
        &self.name
    }

    fn ended_at(&self) -> Option<Time> {
        self.level.time().map(|told| told.plus_ms((QUOTA_DAYS - REMEMBER_ENDED_DAYS) * DAY_MS))
    }
}

impl Relation {
    /// Somebody agreed to marketing or withdrew: a user for itself, or the customer as a whole. Returns false when there are too many users to keep.
    pub fn set_consent(&mut self, stamp: Stamp, user: Option<UserToken>, marketing: bool, today: Day) -> bool {
        let Some(user) = user else {
            self.consent.set(stamp, marketing);
            return true;
        };
        let index = match self.user_consents.iter().position(|(known, _)| *known == user) {
            Some(index) => index,
            None if self.user_consents.len() >= MAX_CONSENTS => {
                self.consents_overflow_until = overflow_until(today);
                return false;
            }
            None => {
                self.user_consents.push((user, LastWord::default()));
                self.user_consents.len() - 1
            }
        };
        self.user_consents[index].1.set(stamp, marketing);
        true
    }

    /// Marketing consent of the customer: what was said for it as a whole; where nothing was, whether any of the users who spoke agrees.
    #[must_use]
    pub fn marketing_consent(&self) -> Option<bool> {
        let any_user = self.user_consents.iter().filter_map(|(_, consent)| consent.get().copied()).reduce(|any, one| any | one);
        self.consent.get().copied().or(any_user)
    }

    /// The day from which on the consent of every user who spoke is known.
    #[must_use]
    pub fn consents_known_from(&self) -> Day {
        self.consents_overflow_until
    }

    /// The largest share of a quota in force: of one of which something was said in the 60 days before the latest word on any.
    #[must_use]
    pub fn quota_utilisation(&self) -> Option<f64> {
        let latest = self.quotas.iter().filter_map(|quota| quota.level.time()).max()?;
        let in_force = |quota: &&Quota| quota.level.time().is_some_and(|told| latest.since_ms(told) <= QUOTA_DAYS * DAY_MS);
        self.quotas.iter().filter(in_force).filter_map(Quota::share).reduce(f64::max)
    }

    /// Users who refused marketing for themselves.
    #[must_use]
    pub fn users_withdrawn(&self) -> usize {
        self.user_consents.iter().filter(|(_, consent)| consent.get() == Some(&false)).count()
    }

    /// When the latest incident ended, if none is open.
    #[must_use]
    pub fn incident_end(&self) -> Option<Time> {
        if self.incidents.iter().any(Incident::is_open) {
            return None;
        }
        self.incidents.iter().filter_map(Entry::ended_at).max()
    }
}

impl Packed for Note {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.put_text(&self.name);
        writer.put_word(&self.resolved, |writer, resolved| writer.bytes.push(u8::from(*resolved)));
        writer.put_word(&self.kind, |writer, kind| writer.bytes.push(*kind as u8));
        writer.put_optional_time(self.recorded_at);
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        const KINDS: [NoteKind; 4] = [NoteKind::FeatureRequest, NoteKind::Observation, NoteKind::Risk, NoteKind::Praise];
        Some(Self {
            name: reader.take_name()?,
            resolved: reader.take_word(PackedReader::take_bool)?,
            kind: reader.take_word(|reader| reader.take_one_of(&KINDS))?,
            recorded_at: reader.take_optional_time()?,
        })
    }
}

impl Packed for Incident {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.put_text(&self.name);
        writer.put_word(&self.resolved, |writer, resolved| writer.bytes.push(u8::from(*resolved)));
        writer.bytes.push(u8::from(self.serious));
        writer.put_optional_time(self.started_at);
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        Some(Self {
            name: reader.take_name()?,
            resolved: reader.take_word(PackedReader::take_bool)?,
            serious: reader.take_bool()?,
            started_at: reader.take_optional_time()?,
        })
    }
}

impl Packed for Quota {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.put_text(&self.name);
        writer.put_word(&self.level, |writer, (used, limit)| {
            writer.put_float(*used);
            writer.put_float(*limit);
        });
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        let level = |reader: &mut PackedReader<'_>| Some((reader.take_float()?, reader.take_float()?));
        Some(Self { name: reader.take_name()?, level: reader.take_word(level)? })
    }
}

impl Packed for Relation {
    fn pack(&self, writer: &mut PackedWriter) {
        self.contacts.pack(writer);
        writer.put_word(&self.consent, |writer, consent| writer.bytes.push(u8::from(*consent)));
        writer.put_count(self.user_consents.len(), self.consents_overflow_until);
        for (user, consent) in &self.user_consents {
            writer.bytes.extend_from_slice(&user.0.to_le_bytes());
            writer.put_word(consent, |writer, consent| writer.bytes.push(u8::from(*consent)));
        }
        writer.put_optional_time(self.touched_at);
        self.notes.pack(writer);
        self.incidents.pack(writer);
        self.incidents_started.pack(writer);
        self.quotas.pack(writer);
        self.goals.pack(writer);
        writer.put_optional_time(self.lead_at);
        writer.put_optional_time(self.campaign_at);
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        let consent = |reader: &mut PackedReader<'_>| {
            let user = UserToken(u64::from_le_bytes(reader.take_array()?));
            Some((user, reader.take_word(PackedReader::take_bool)?))
        };
        let contacts = Packed::unpack(reader)?;
        let customer_consent = reader.take_word(PackedReader::take_bool)?;
        let (count, consents_overflow_until) = reader.take_count()?;
        Some(Self {
            contacts,
            consent: customer_consent,
            user_consents: reader.take_things(count, consent)?,
            consents_overflow_until,
            touched_at: reader.take_optional_time()?,
            notes: Packed::unpack(reader)?,
            incidents: Packed::unpack(reader)?,
            incidents_started: Packed::unpack(reader)?,
            quotas: Packed::unpack(reader)?,
            goals: Packed::unpack(reader)?,
            lead_at: reader.take_optional_time()?,
            campaign_at: reader.take_optional_time()?,
        })
    }
}
