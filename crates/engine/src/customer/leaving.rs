//! Signs of leaving: the cancellation page, reasons, and notice.

use super::packed::{Packed, PackedReader, PackedWriter};
use crate::time::{Day, MINUTE_MS, Time};

/// Views further apart than this are different sessions.
pub const SESSION_GAP_MS: i64 = 30 * MINUTE_MS;
/// Views of the cancellation page remembered per customer. Those in the middle of a session go first, then the oldest.
pub const MAX_VIEWS: usize = 32;
/// Days of the longest window of sessions.
pub(crate) const SESSIONS_WINDOW_DAYS: i32 = 28;
/// Requests remembered of one notice. The first says since when it stands, the latest whether it was answered: those in between go first.
pub const MAX_REQUESTS: usize = 8;
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
    /// Requests since the latest withdrawal, oldest first: one who gives notice may say so again.
    requests: Vec<Time>,
    /// The latest withdrawal.
    withdrawn_at: Option<Time>,
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

    /// Remembers a request. Returns false when one had to give way.
    pub fn request(&mut self, time: Time) -> bool {
        if self.withdrawn_at >= Some(time) || self.requests.contains(&time) {
            return true;
        }
        let place = self.requests.partition_point(|known| *known < time);
        self.requests.insert(place, time);
        let is_full = self.requests.len() > MAX_REQUESTS;
        if is_full {
            self.requests.remove(MAX_REQUESTS - 1);
        }
        !is_full
    }

    /// Takes back what was requested until then.
    pub fn withdraw(&mut self, time: Time) {
        self.withdrawn_at = self.withdrawn_at.max(Some(time));
        self.requests.retain(|request| *request > time);
    }

    /// Since when a notice stands: its first request after the latest start of a subscription.
    #[must_use]
    pub fn notice_at(&self, last_start: Option<Time>) -> Option<Time> {
        self.first_request(last_start.unwrap_or(Time::MIN))
    }

    /// Since when a notice waits for an acknowledgement.
    #[must_use]
    pub fn unanswered_since(&self, last_start: Option<Time>) -> Option<Time> {
        let notice = self.notice_at(last_start)?;
        self.acknowledged_at.map_or(Some(notice), |answer| self.first_request(notice.max(answer.plus_ms(1))))
    }

    fn first_request(&self, from: Time) -> Option<Time> {
        self.requests.iter().copied().find(|request| *request >= from)
    }
}

impl Packed for Leaving {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.put_count(self.views.len(), self.forgotten);
        self.views.iter().for_each(|view| writer.put_time(*view));
        writer.put_optional_time(self.reason_at);
        writer.put(self.requests.len() as u64);
        self.requests.iter().for_each(|request| writer.put_time(*request));
        writer.put_optional_time(self.withdrawn_at);
        writer.put_optional_time(self.acknowledged_at);
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        let (count, forgotten) = reader.take_count()?;
        Some(Self {
            views: reader.take_things(count, PackedReader::take_time)?,
            forgotten,
            reason_at: reader.take_optional_time()?,
            requests: reader.take_list(PackedReader::take_time)?,
            withdrawn_at: reader.take_optional_time()?,
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

    #[test]
    fn a_notice_stands_since_its_first_request_whatever_comes_first() {
        let (first, withdrawn, second, again) = (at(9, 0), at(7, 0), at(5, 0), at(2, 0));
        let mut orders = Vec::new();
        for place in 0..4 {
            let mut leaving = Leaving::default();
            for (index, time) in [again, first, second].into_iter().enumerate() {
                if index == place {
                    leaving.withdraw(withdrawn);
                }
                assert!(leaving.request(time));
            }
            if place == 3 {
                leaving.withdraw(withdrawn);
            }
            assert_eq!((leaving.notice_at(None), leaving.notice_at(Some(at(3, 0)))), (Some(second), Some(again)));
            assert_eq!(leaving.notice_at(Some(at(1, 0))), None, "a subscription was started after it");
            orders.push(leaving);
        }
        assert!(orders.iter().all(|leaving| *leaving == orders[0]));
    }

    #[test]
    fn a_request_after_the_answer_waits_for_another() {
        let mut leaving = Leaving::default();
        assert!(leaving.request(at(9, 0)));
        assert_eq!(leaving.unanswered_since(None), Some(at(9, 0)));
        leaving.acknowledged_at = Some(at(8, 0));
        assert_eq!(leaving.unanswered_since(None), None);
        assert!(leaving.request(at(7, 0)));
        assert_eq!((leaving.unanswered_since(None), leaving.notice_at(None)), (Some(at(7, 0)), Some(at(9, 0))));
    }

    #[test]
    fn of_many_requests_the_first_and_the_latest_are_kept() {
        let mut leaving = Leaving::default();
        assert!((0..8).all(|day| leaving.request(at(20 - day, 0))));
        assert!(!leaving.request(at(1, 0)));
        leaving.acknowledged_at = Some(at(2, 0));
        assert_eq!((leaving.requests.len(), leaving.notice_at(None)), (MAX_REQUESTS, Some(at(20, 0))));
        assert_eq!(leaving.unanswered_since(None), Some(at(1, 0)));
    }
}
