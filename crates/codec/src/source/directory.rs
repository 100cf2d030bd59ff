//! Whose user a user is: told by a file, and learned from account events. It knows users by their tokens alone.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bellwether_engine::event::{Body, Event, UserStep, UserToken};

/// Users that a directory knows at most when nothing else is said; a million take about 100 MB.
pub const DEFAULT_MAX_USERS: usize = 1_000_000;

/// The customer of each user. Shared by all sources of an ingest, on all threads.
///
/// What it learns stays in memory: whoever starts an ingest anew tells it first what the account events of the journal say, and then what others
/// add to them.
#[derive(Debug)]
pub struct CustomerDirectory {
    customers: RwLock<HashMap<UserToken, Box<str>>>,
    max_users: usize,
    learns: bool,
    learned: AtomicU64,
    refused: AtomicU64,
    found: AtomicU64,
    unknown: AtomicU64,
}

/// What a directory has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DirectoryCounts {
    /// Users known.
    pub users: u64,
    /// Customers learned from account events, changes included.
    pub learned: u64,
    /// Users that were not learned because the directory was full.
    pub refused: u64,
    /// Look-ups that found a customer.
    pub found: u64,
    /// Look-ups that did not.
    pub unknown: u64,
}

impl CustomerDirectory {
    /// An empty one, for so many users at most. With `learns`, account events tell it whose users there are.
    #[must_use]
    pub fn new(max_users: usize, learns: bool) -> Self {
        let [learned, refused, found, unknown] = [const { AtomicU64::new(0) }; 4];
        Self { customers: RwLock::default(), max_users, learns, learned, refused, found, unknown }
    }

    /// The customer of a user.
    pub fn customer_of(&self, user: UserToken) -> Option<String> {
        let customer = self.read().get(&user).map(|customer| customer.to_string());
        let counter = if customer.is_some() { &self.found } else { &self.unknown };
        counter.fetch_add(1, Ordering::Relaxed);
        customer
    }

    /// Writes down whose user an event tells: an invitation or an activation names both. The last event has the last word.
    pub fn learn_from(&self, event: &Event<'_>) {
        let Body::User { step: UserStep::Invited | UserStep::Activated, user, .. } = event.body else { return };
        if !self.learns || self.read().get(&user).is_some_and(|known| **known == *event.customer) {
            return;
        }
        let counter = if self.insert(user, &event.customer) { &self.learned } else { &self.refused };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Writes down whose user one is; false if it is a new one and the directory is full.
    pub fn insert(&self, user: UserToken, customer: &str) -> bool {
        let mut customers = self.write();
        let is_full = customers.len() >= self.max_users;
        match customers.entry(user) {
            Entry::Vacant(_) if is_full => return false,
            Entry::Vacant(vacant) => drop(vacant.insert(customer.into())),
            Entry::Occupied(mut known) => drop(known.insert(customer.into())),
        }
        true
    }

    /// Whether account events tell it whose users there are.
    #[must_use]
    pub fn learns(&self) -> bool {
        self.learns
    }

    /// The most users that it takes.
    #[must_use]
    pub fn max_users(&self) -> usize {
        self.max_users
    }

    /// What it has done so far.
    #[must_use]
    pub fn counts(&self) -> DirectoryCounts {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        DirectoryCounts {
            users: self.read().len() as u64,
            learned: of(&self.learned),
            refused: of(&self.refused),
            found: of(&self.found),
            unknown: of(&self.unknown),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<UserToken, Box<str>>> {
        self.customers.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<UserToken, Box<str>>> {
        self.customers.write().unwrap_or_else(PoisonError::into_inner)
    }
}
