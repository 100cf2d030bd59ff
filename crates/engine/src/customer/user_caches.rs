//! What is kept of the counts over users so that it is not counted at each evaluation. No part of the state.

use std::cell::Cell;

use super::block_counts::BlockCounts;
use super::users::ActiveCounts;
use crate::time::Day;

/// The counts of a day, kept until a user changes: several rules ask for them at each evaluation. No part of the state.
#[derive(Clone, Debug, Default)]
pub(super) struct CountsCache(pub Cell<Option<(Day, ActiveCounts)>>);

impl CountsCache {
    /// A user whose latest active day was `before` (or who is new) is active on `day`: counts of that very day are moved, others dropped.
    pub fn became_active(&self, day: Day, before: Option<Day>) {
        let Some((_, mut counts)) = self.0.get().filter(|(today, _)| *today == day) else {
            self.0.set(None);
            return;
        };
        let age = before.map_or(i32::MAX, |before| day.0 - before.0);
        counts.last_28d += u32::from(age >= 28);
        counts.last_30d += u32::from(age >= 30);
        counts.dormant_30d -= u32::from(before.is_some() && age >= 30);
        self.0.set(Some((day, counts)));
    }
}

impl PartialEq for CountsCache {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for CountsCache {}

/// The largest total of a user at a block, kept until a user goes: a rule asks for it whenever a user is active on a new day. No part of
/// the state.
#[derive(Clone, Debug, Default)]
pub(super) struct TopCache(pub Cell<Option<(i32, u64)>>);

impl TopCache {
    /// The total of a user has grown.
    pub fn grew(&self, counts: BlockCounts) {
        if let Some((block, top)) = self.0.get() {
            self.0.set(Some((block, top.max(counts.total_at(block)))));
        }
    }
}

impl PartialEq for TopCache {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for TopCache {}

/// Whether half of the activity is identified, and whether that turned since counts were last told to change. No part of the state:
/// a customer that was loaded is taken for turned, which tells a change too many and never one too few.
#[derive(Clone, Debug, Default)]
pub(super) struct KnownShare {
    pub is_half: bool,
    pub is_settled: bool,
}

impl PartialEq for KnownShare {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for KnownShare {}
