//! Signs of leaving: the cancellation page, reasons, and notice.

use super::last_word::LastWord;
use super::packed::{Packed, PackedReader, PackedWriter};
use crate::event::CancellationStep;
use crate::time::{Day, MINUTE_MS, Time};

/// Views further apart than this are different sessions.
pub const SESSION_GAP_MS: i64 = 30 * MINUTE_MS;
/// Views of the cancellation page remembered per customer. Those in the middle of a session go first, then the oldest.
pub const MAX_VIEWS: usize = 32;
/// Days of the longest window of sessions.
pub(crate) const SESSIONS_WINDOW_DAYS: i32 = 28;
/// A reason counts for so many days.
const REASON_WINDOW_DAYS: i32 = 28;

/// What a customer did towards leaving.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Leaving {
    /// Views, oldest first.
    views: Vec<Time>,
    /// The day of the latest view that gave way, if sessions lacked it then; the first of all days for none.
    forgotten: Day,
    /// The latest reason given.
    pub reason_at: Option<Time>,
    /// Requested or withdrawn, whichever came last.
    pub notice: LastWord<CancellationStep>,
    /// The latest request.
    pub requested_at: Option<Time>,
    /// The latest acknowledgement, which says nothing about whether the notice still stands.
    pub acknowledged_at: Option<Time>,
}

impl Leaving {
    /// Remembers a view of the cancellation page. Returns false when one had to give way that sessions are told by.
    pub fn view(&mut self, time: Time, today: Day) -> bool {
        let place = self.views.partition_point(|known| *known < time);
        self.views.insert(place, time);
        if self.views.len() <= MAX_VIEWS {
            return true;
        }
        // Without a view between two others of its session, these are still of one.
        let is_within = |index: &usize| self.views[index + 1].since_ms(self.views[index - 1]) <= SESSION_GAP_MS;
        if let Some(index) = (1..self.views.len() - 1).find(is_within) {
            self.views.remove(index);
            return true;
        }
        let gone = self.views.remove(0).day();
        // The day before the window: the view may have begun a session that goes on within it.
        let is_needed = gone.0 >= today.0 - SESSIONS_WINDOW_DAYS;
        if is_needed {
            self.forgotten = self.forgotten.max(gone);
        }
        !is_needed
    }

    /// The day from which on the sessions of so many days are known.
    #[must_use]
    pub fn sessions_known_from(&self, days: i32) -> Day {
        if self.forgotten == Day(0) { Day(0) } else { Day(self.forgotten.0.saturating_add(days + 1)) }
    }

    /// The latest view.
    #[must_use]
    pub fn last_view(&self) -> Option<Time> {
        self.views.last().copied()
    }

    /// Sessions that began on the last `days` days.
    #[must_use]
    pub fn sessions(&self, today: Day, days: i32) -> usize {
        let begins = |index: usize| index == 0 || self.views[index].since_ms(self.views[index - 1]) > SESSION_GAP_MS;
        (0..self.views.len()).filter(|index| begins(*index) && self.views[*index].day().0 > today.0 - days).count()
    }

    /// Whether a reason was given lately.
    #[must_use]
    pub fn has_reason(&self, today: Day) -> bool {
        self.reason_at.is_some_and(|time| time.day().0 > today.0 - REASON_WINDOW_DAYS)
    }

    /// Whether a notice stands that nobody has acknowledged.
    #[must_use]
    pub fn is_unanswered(&self) -> bool {
        self.notice.get() == Some(&CancellationStep::Requested) && self.acknowledged_at < self.requested_at
    }

    /// The time of a notice that stands, unless a subscription was started after it.
    #[must_use]
    pub fn notice_at(&self, last_start: Option<Time>) -> Option<Time> {
        let stands = self.notice.get() == Some(&CancellationStep::Requested);
        self.requested_at.filter(|time| stands && last_start.is_none_or(|start| start <= *time))
    }
}

impl Packed for Leaving {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.put_count(self.views.len(), self.forgotten);
        self.views.iter().for_each(|view| writer.put_time(*view));
        writer.put_optional_time(self.reason_at);
        writer.put_word(&self.notice, |writer, step| writer.bytes.push(*step as u8));
        writer.put_optional_time(self.requested_at);
        writer.put_optional_time(self.acknowledged_at);
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        const STEPS: [CancellationStep; 5] = [
            CancellationStep::Viewed,
            CancellationStep::Reasoned,
            CancellationStep::Requested,
            CancellationStep::Acknowledged,
            CancellationStep::Withdrawn,
        ];
        let (count, forgotten) = reader.take_count()?;
        Some(Self {
            views: reader.take_things(count, PackedReader::take_time)?,
            forgotten,
            reason_at: reader.take_optional_time()?,
            notice: reader.take_word(|reader| reader.take_one_of(&STEPS))?,
            requested_at: reader.take_optional_time()?,
            acknowledged_at: reader.take_optional_time()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: Day = Day(20_000);

    /// Minutes after the beginning of a day so many days ago.
    fn at(days: i32, minutes: i64) -> Time {
        Day(TODAY.0 - days).start().plus_ms(minutes * MINUTE_MS)
    }

    #[test]
    fn a_long_session_does_not_cost_the_one_before() {
        let mut leaving = Leaving::default();
        assert!(leaving.view(at(3, 0), TODAY));
        // Every minute, told backwards: none of them may take the place of a view that a session begins with.
        assert!((0..100).rev().all(|view| leaving.view(at(1, view), TODAY)));
        assert_eq!((leaving.views.len(), leaving.sessions(TODAY, 7)), (MAX_VIEWS, 2));
        assert_eq!((leaving.last_view(), leaving.sessions_known_from(7)), (Some(at(1, 99)), Day(0)));
    }

    #[test]
    fn sessions_are_unknown_while_one_is_missing() {
        let mut leaving = Leaving::default();
        assert!((0..32).all(|session| leaving.view(at(10, 40 * session), TODAY)));
        assert!(!leaving.view(at(2, 0), TODAY));
        // The seven days know it, the 28 do not.
        assert!(leaving.sessions_known_from(7) <= TODAY);
        assert_eq!(leaving.sessions_known_from(28), Day(TODAY.0 - 10 + 29));
    }
}
