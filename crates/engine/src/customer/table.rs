//! Bounded tables of things with a life (tickets, invoices, subscriptions, ...), by name.

use super::packed::{Packed, PackedReader, PackedWriter};
use crate::time::{DAY_MS, Day, Time};

/// How long the end of a thing is remembered, in days.
pub const REMEMBER_ENDED_DAYS: i64 = 30;

/// How long features of a table stay absent after it was too full to take a new thing, in days.
const OVERFLOW_DAYS: i32 = 90;

/// A thing that a table holds.
pub trait Entry {
    /// Its id within the customer.
    fn name(&self) -> &str;
    /// When its life ended, if it has.
    fn ended_at(&self) -> Option<Time>;
}

/// Things in the order in which they were first heard of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table<T> {
    items: Vec<T>,
    overflow_until: Day,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { items: Vec::new(), overflow_until: Day(0) }
    }
}

impl<T: Entry> Table<T> {
    /// The thing of that name, made by `create` when it is new; `None` when the table holds `limit` things that still live.
    pub fn entry(&mut self, name: &str, limit: usize, now: Time, create: impl FnOnce() -> T) -> Option<&mut T> {
        let index = match self.items.iter().position(|item| item.name() == name) {
            Some(index) => index,
            None => {
                if self.items.len() >= limit {
                    self.forget_ended(now);
                }
                if self.items.len() >= limit {
                    self.overflow_until = overflow_until(now.day());
                    return None;
                }
                super::make_room(&mut self.items);
                self.items.push(create());
                self.items.len() - 1
            }
        };
        self.items.get_mut(index)
    }

    /// Drops things that ended more than 30 days ago.
    pub fn forget_ended(&mut self, now: Time) {
        self.items.retain(|item| !is_forgettable(item, now));
    }

    /// Things that ended more than 30 days ago: they make room for new ones.
    pub fn forgettable(&self, now: Time) -> impl Iterator<Item = &T> {
        self.items.iter().filter(move |item| is_forgettable(*item, now))
    }

    /// The day from which on every thing is in the table, so that counts over it are right.
    #[must_use]
    pub fn known_from(&self) -> Day {
        self.overflow_until
    }

    /// All things.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.items.iter()
    }

    /// All things, to change.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, T> {
        self.items.iter_mut()
    }

    /// Whether nothing was ever put in, or all is forgotten.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The thing of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&T> {
        self.items.iter().find(|item| item.name() == name)
    }
}

/// Until when something is missing in a collection that was too full today.
pub(super) fn overflow_until(today: Day) -> Day {
    Day(today.0.saturating_add(OVERFLOW_DAYS))
}

fn is_forgettable(item: &impl Entry, now: Time) -> bool {
    item.ended_at().is_some_and(|end| now.since_ms(end) > REMEMBER_ENDED_DAYS * DAY_MS)
}

impl<T: Packed> Packed for Table<T> {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.put_day(self.overflow_until);
        writer.put_list(&self.items);
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        let overflow_until = reader.take_day()?;
        Some(Self { items: reader.take_list(T::unpack)?, overflow_until })
    }
}
