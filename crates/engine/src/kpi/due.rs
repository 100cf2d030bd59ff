//! Terms that are due for renewal, by the month of their due date: what was due, and how much of it was renewed.
//!
//! A term is what a start or a renewal begins; it is due when that event says that the paid period ends. It is renewed if the next term of its
//! subscription is a renewal, however early or late that came. A state knows its current term alone: that one is contributed, and leaves what
//! it came to in the sums when another begins. A late event tells of a term that is over already, so that the order of arrival does not matter.

use super::month::Month;
use crate::customer::{Billing, Stamp, Subscription};
use crate::event::SubscriptionStep;
use crate::event_type::EventType;
use crate::time::Time;

/// A term that is longer is never due: a period of a hundred years is a mistake, and would take a sum of its own.
pub const MAX_TERM_MONTHS: i32 = 120;

/// A term that is over: the month in which it was due, and whether it was renewed.
pub type ClosedTerm = (Month, bool);

impl Subscription {
    /// Notes the term that an event begins, before the registers take it. Returns the term that is over by it, if it was due.
    pub(crate) fn note_term(&mut self, stamp: Stamp, step: SubscriptionStep, trial: Option<bool>, end: Option<Time>) -> Option<ClosedTerm> {
        if !matches!(step, SubscriptionStep::Started | SubscriptionStep::Renewed) {
            return None;
        }
        let due = end.filter(|end| trial != Some(true) && is_due(stamp.time, *end));
        let month = |due: Time| Month::of(due.day());
        match self.term_start.entry().map(|(current, ())| *current) {
            Some(current) if current == stamp => None,
            Some(current) if current > stamp => due.map(|due| (month(due), current.rank() == EventType::SubscriptionRenewed as u8)),
            _ => {
                let over = std::mem::replace(&mut self.term_due, due);
                over.map(|due| (month(due), step == SubscriptionStep::Renewed))
            }
        }
    }
}

fn is_due(began: Time, end: Time) -> bool {
    let (began, end) = (Month::of(began.day()), Month::of(end.day()));
    end >= began.back(MAX_TERM_MONTHS) && end.back(MAX_TERM_MONTHS) <= began
}

/// The months in which the current terms of a customer are due.
pub(super) fn due_months(billing: &Billing) -> Vec<Month> {
    billing.subscriptions.iter().filter_map(|subscription| subscription.term_due).map(|due| Month::of(due.day())).collect()
}
