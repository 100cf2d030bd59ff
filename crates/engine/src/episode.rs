//! Episodes: what a customer's state remembers of each rule that has something going on.

use crate::customer::{LastWord, Packed, PackedReader, PackedWriter};
use crate::rule::Severity;
use crate::time::Time;

/// Objects that one rule may have episodes about, per customer.
pub const MAX_OBJECTS_PER_RULE: usize = 8;

/// Where an episode stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The condition holds, but not long enough yet.
    Pending,
    /// It would be open, but a suppression holds it back.
    Held,
    /// Raised, and not over.
    Open,
    /// Over.
    Closed,
}

/// What a person made of an open episode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Somebody is at it.
    Acknowledged,
    /// Nobody wants to hear of it, unless it gets worse.
    Dismissed,
    /// The same until this instant.
    Snoozed(Time),
}

impl Mark {
    /// Its name in records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Mark::Acknowledged => "acknowledged",
            Mark::Dismissed => "dismissed",
            Mark::Snoozed(_) => "snoozed",
        }
    }
}

/// One (rule, object) of a customer.
#[derive(Clone, Debug, PartialEq)]
pub struct Episode {
    /// `Rule::hash`.
    pub rule: u32,
    /// The thing within the customer, or empty.
    pub object: Box<str>,
    /// Where it stands.
    pub phase: Phase,
    /// Since when it stands there.
    pub since: Time,
    /// When it was last raised.
    pub raised_at: Time,
    /// How often it was raised.
    pub number: u32,
    /// Transitions told since it was raised.
    pub ordinal: u16,
    /// `Severity` as its number.
    severity: u8,
    /// Whether it counts as an at-risk episode.
    pub is_at_risk: bool,
    /// After the end: whether the condition has been false since, so that a new one may begin.
    pub armed: bool,
    /// While open: since when the end condition holds; never, when it does not. While pending or held back: when the one before ended; never,
    /// when there was none.
    pub clearing_since: Time,
    /// Whether it was held out when it was raised.
    pub held_out: bool,
    /// Whether its outcome is known.
    pub is_judged: bool,
    /// What a person made of it, while it is open.
    pub mark: LastWord<Mark>,
    /// MRR when it was raised, where the outcome depends on that; otherwise zero.
    pub mrr_minor: i64,
}

impl Episode {
    /// A pending episode that was never raised.
    #[must_use]
    pub fn pending(rule: u32, object: &str, is_at_risk: bool, now: Time) -> Self {
        Self {
            rule,
            object: object.into(),
            phase: Phase::Pending,
            since: now,
            raised_at: now,
            number: 0,
            ordinal: 0,
            severity: 0,
            is_at_risk,
            armed: true,
            clearing_since: Time::NEVER,
            held_out: false,
            is_judged: false,
            mark: LastWord::default(),
            mrr_minor: 0,
        }
    }

    /// Its severity.
    #[must_use]
    pub fn severity(&self) -> Severity {
        Severity::ALL[usize::from(self.severity).min(2)]
    }

    /// Whether it is one of the open ones that make a customer at risk.
    #[must_use]
    pub fn is_open_at_risk(&self) -> bool {
        self.phase == Phase::Open && self.is_at_risk
    }

    /// Begins as a new one.
    pub fn open(&mut self, now: Time) {
        self.ordinal = self.next_ordinal(now);
        self.enter(Phase::Open, now);
        self.raised_at = now;
        self.number = self.number.saturating_add(1);
        (self.armed, self.held_out, self.is_judged, self.mrr_minor) = (false, false, false, 0);
        self.mark = LastWord::default();
    }

    /// Sets its severity.
    pub fn set_severity(&mut self, severity: Severity) {
        self.severity = severity as u8;
    }

    /// The ordinal of what is told first of an episode that is raised now. It counts on where something was told with this instant before, so
    /// that no two transitions have one id.
    #[must_use]
    pub fn next_ordinal(&self, now: Time) -> u16 {
        let told = if self.raised_at == now { self.ordinal } else { 0 };
        let was_held = self.phase == Phase::Held && self.since == now;
        told.saturating_add(u16::from(was_held))
    }

    /// The condition holds, perhaps again.
    pub fn begin(&mut self, now: Time) {
        let ended_at = if self.phase == Phase::Closed { self.since } else { Time::NEVER };
        self.enter(Phase::Pending, now);
        self.clearing_since = ended_at;
    }

    /// Something holds it back.
    pub fn hold_back(&mut self, now: Time) {
        let ended_at = self.clearing_since;
        self.enter(Phase::Held, now);
        self.clearing_since = ended_at;
    }

    /// What began has come to nothing: it stands where the one before ended, so that no cooldown starts anew. `None` when there is nothing to
    /// remember.
    #[must_use]
    pub fn fall_back(mut self, now: Time) -> Option<Self> {
        let next = self.next_ordinal(now);
        if next > 0 {
            (self.raised_at, self.ordinal) = (now, next);
        }
        let ended_at = if self.number > 0 { self.clearing_since } else { Time::MIN };
        self.enter(Phase::Closed, ended_at);
        self.armed = true;
        (self.number > 0 || next > 0).then_some(self)
    }

    /// Moves it to a phase.
    pub fn enter(&mut self, phase: Phase, now: Time) {
        self.phase = phase;
        self.since = now;
        self.clearing_since = Time::NEVER;
    }
}

/// The at-risk flag: how many at-risk episodes are open, and when the last one ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AtRisk {
    open: u16,
    ended_at: Option<Time>,
}

impl AtRisk {
    /// An at-risk episode was raised.
    pub fn raised(&mut self) {
        self.open = self.open.saturating_add(1);
    }

    /// An at-risk episode ended.
    pub fn ended(&mut self, now: Time) {
        self.open = self.open.saturating_sub(1);
        self.ended_at = Some(now);
    }

    /// An at-risk episode expired: that says nothing good of the customer.
    pub fn expired(&mut self) {
        self.open = self.open.saturating_sub(1);
        self.ended_at = None;
    }

    /// How many are open.
    #[must_use]
    pub fn open(&self) -> u16 {
        self.open
    }

    /// When the last one ended, if none is open.
    #[must_use]
    pub fn ended_at(&self) -> Option<Time> {
        self.ended_at.filter(|_| self.open == 0)
    }
}

impl Packed for Episode {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.bytes.extend_from_slice(&self.rule.to_le_bytes());
        let (has_object, is_since_raised) = (!self.object.is_empty(), self.since == self.raised_at);
        let flags = [self.is_at_risk, self.armed, has_object, is_since_raised];
        let flags = flags.iter().rev().fold(0, |bits, flag| bits << 1 | u8::from(*flag));
        writer.bytes.push(self.phase as u8 | self.severity << 2 | flags << 4);
        if has_object {
            writer.put_text(&self.object);
        }
        writer.put_time(self.since);
        if !is_since_raised {
            writer.put_time(self.raised_at);
        }
        let (has_mark, has_mrr) = (self.mark.get().is_some(), self.mrr_minor != 0);
        let is_special = self.held_out || self.is_judged || has_mark || has_mrr;
        writer.put(u64::from(self.number) << 1 | u64::from(is_special));
        writer.put(u64::from(self.ordinal));
        writer.put_time(self.clearing_since);
        if is_special {
            writer.put_flags([self.held_out, self.is_judged, has_mark, has_mrr]);
        }
        if has_mark {
            writer.put_word(&self.mark, |writer, mark| writer.put_time(mark_time(*mark)));
        }
        if has_mrr {
            writer.put_signed(self.mrr_minor);
        }
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        let rule = u32::from_le_bytes(reader.take_array()?);
        let flags = reader.take_byte()?;
        let phase = [Phase::Pending, Phase::Held, Phase::Open, Phase::Closed][usize::from(flags & 3)];
        let object = if flags & 1 << 6 != 0 { reader.take_name()? } else { Box::default() };
        let since = reader.take_time()?;
        let raised_at = if flags & 1 << 7 != 0 { since } else { reader.take_time()? };
        let number = reader.take()?;
        let (ordinal, clearing_since) = (reader.take_u16()?, reader.take_time()?);
        let [held_out, is_judged, has_mark, has_mrr] = if number & 1 != 0 { reader.take_flags()? } else { [false; 4] };
        Some(Self {
            rule,
            phase,
            severity: flags >> 2 & 3,
            is_at_risk: flags & 1 << 4 != 0,
            armed: flags & 1 << 5 != 0,
            object,
            since,
            raised_at,
            number: u32::try_from(number >> 1).ok()?,
            ordinal,
            clearing_since,
            held_out,
            is_judged,
            mark: if has_mark { reader.take_word(|reader| reader.take_time().map(mark_at))? } else { LastWord::default() },
            mrr_minor: if has_mrr { reader.take_signed()? } else { 0 },
        })
    }
}

/// A mark as an instant: the two ends of time stand for those without one, and are one byte.
fn mark_time(mark: Mark) -> Time {
    match mark {
        Mark::Acknowledged => Time::MIN,
        Mark::Dismissed => Time::NEVER,
        Mark::Snoozed(until) => until,
    }
}

fn mark_at(time: Time) -> Mark {
    match time {
        Time::MIN => Mark::Acknowledged,
        Time::NEVER => Mark::Dismissed,
        until => Mark::Snoozed(until),
    }
}

impl Packed for AtRisk {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.put(u64::from(self.open));
        writer.put_optional_time(self.ended_at);
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        Some(Self { open: reader.take_u16()?, ended_at: reader.take_optional_time()? })
    }
}
