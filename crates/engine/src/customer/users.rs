//! The users seen at a customer, and how many of them are active.

use std::cell::Cell;

use super::block_counts::{BlockCounts, block};
use super::packed::{Packed, PackedReader, PackedWriter};
use super::removed::{Removal, Removed};
use super::user::{LONGEST_WINDOW_DAYS, Marked, User, WINDOW_DAYS};
use super::user_caches::{CountsCache, KnownShare, TopCache};
use crate::event::UserToken;
use crate::time::Day;

/// Users remembered per customer; beyond it user features are absent until the untracked activity has left their windows.
pub const MAX_USERS: usize = 128;

/// A user without activity for so long makes room for a new one when the table is full.
const FORGET_AFTER_DAYS: i32 = 180;

/// All users of a customer, sorted by token, and the share of activity that carried one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Users {
    users: Vec<User>,
    identified: BlockCounts,
    all: BlockCounts,
    /// Until this day some activity of untracked users is inside a window.
    overflow_until: Day,
    /// Users that were removed lately, and when: such a user is hidden unless it was active on a later day.
    removed: Removed,
    counts: CountsCache,
    top: TopCache,
    known: KnownShare,
}

/// How many users were active in each window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ActiveCounts {
    /// In the last 28 days.
    pub last_28d: u32,
    /// In the 28 days before.
    pub previous_28d: u32,
    /// In the last 30 days.
    pub last_30d: u32,
    /// Known, and not active in the last 30 days.
    pub dormant_30d: u32,
}

/// What an activity changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserChange {
    /// Only counters of activity.
    Counted,
    /// A user became active on a new day, and as many users as before are active in each window.
    NewDay,
    /// A user became active on a new day, and how many users are active may have changed.
    NewCounts,
    /// The table was full and the user is not tracked.
    Full,
}

impl Users {
    /// Counts an activity, of a user if one was named, as of `today`.
    pub fn record(&mut self, user: Option<UserToken>, day: Day, today: Day) -> UserChange {
        let block = block(day);
        self.all.add(block);
        if user.is_some() {
            self.identified.add(block);
        }
        let is_half = self.is_half_identified();
        self.known.is_settled &= is_half == self.known.is_half;
        self.known.is_half = is_half;
        let Some(token) = user else { return UserChange::Counted };
        if !self.removed.is_empty() {
            self.forget_removed(today);
            (self.known.is_settled, self.top.0, self.counts.0) = (false, Cell::new(None), Cell::new(None));
        }
        let place = self.place_of(token);
        match self.users.get(place) {
            Some(user) if user.token == token => self.mark(place, day, today),
            _ => self.insert(place, token, day),
        }
    }

    /// Where a user stands, or would stand. Tokens are hashes and so spread evenly: the place is near where their values say, and looking there
    /// meets one or two cache lines, which halving meets at every step.
    fn place_of(&self, token: UserToken) -> usize {
        let count = self.users.len();
        let mut place = ((u128::from(token.0) * count as u128) >> 64) as usize;
        while self.users.get(place).is_some_and(|user| user.token < token) {
            place += 1;
        }
        while place > 0 && self.users.get(place - 1).is_some_and(|user| user.token >= token) {
            place -= 1;
        }
        place
    }

    /// A known user is active.
    fn mark(&mut self, index: usize, day: Day, today: Day) -> UserChange {
        let user = &mut self.users[index];
        let before = user.newest;
        let marked = user.mark(day);
        self.top.grew(user.counts);
        match marked {
            Marked::Counted if self.known.is_settled || day == before => return UserChange::Counted,
            // A late one may have been on a new day: then it tells that the identified share turned.
            Marked::Counted => {}
            // Most users of a day were active in the days before it: no window gains or loses one of those.
            Marked::Later if self.known.is_settled && day == today && day.0 - before.0 < WINDOW_DAYS => return UserChange::NewDay,
            Marked::Later => self.counts.became_active(day, Some(before)),
            Marked::Earlier => self.counts.0.set(None),
        }
        self.known.is_settled = true;
        UserChange::NewCounts
    }

    /// Hides a removed user, unless it is active later than on that day.
    pub fn remove(&mut self, token: UserToken, day: Day, today: Day) {
        self.counts.0.set(None);
        self.top.0.set(None);
        self.forget_removed(today);
        if let Some(removal) = self.removed.note(token, day) {
            self.forget(removal);
        }
    }

    /// Forgets the removals of long ago, and the users that stay hidden by them.
    fn forget_removed(&mut self, today: Day) {
        while let Some(removal) = self.removed.take_old(today) {
            self.forget(removal);
        }
    }

    fn forget(&mut self, (token, day): Removal) {
        self.users.retain(|user| user.token != token || user.newest > day);
    }

    fn visible(&self) -> impl Iterator<Item = &User> {
        self.users.iter().filter(|user| !self.removed.hides(user))
    }

    /// The latest day on which a user was active, unless it is removed or unknown.
    #[must_use]
    pub fn latest_day(&self, token: UserToken) -> Option<Day> {
        self.get(token).filter(|user| !self.removed.hides(user)).map(|user| user.newest)
    }

    /// A user, removed or not.
    pub(super) fn get(&self, token: UserToken) -> Option<&User> {
        self.users.get(self.place_of(token)).filter(|user| user.token == token)
    }

    /// At least half of the activity carries a user.
    fn is_half_identified(&self) -> bool {
        let all = self.all.total_at(self.all.block);
        all > 0 && 2 * self.identified.total_at(self.all.block) >= all
    }

    /// Share of activity with a user; `None` without activity.
    #[must_use]
    pub fn identified_share(&self) -> Option<f64> {
        let all = self.all.total_at(self.all.block);
        (all > 0).then(|| self.identified.total_at(self.all.block) as f64 / all as f64)
    }

    /// Whether user features may be computed at this day: at least half the activity is identified and all users are tracked.
    #[must_use]
    pub fn is_known(&self, today: Day) -> bool {
        self.is_half_identified() && today > self.overflow_until
    }

    /// The day from which on every active user is in the table.
    #[must_use]
    pub fn known_from(&self) -> Day {
        if self.overflow_until == Day(0) { Day(0) } else { self.overflow_until.next() }
    }

    /// How many users were active in each window that ends with `today`.
    #[must_use]
    pub fn counts(&self, today: Day) -> ActiveCounts {
        if let Some((day, counts)) = self.counts.0.get()
            && day == today
        {
            return counts;
        }
        let mut counts = ActiveCounts::default();
        for user in self.visible() {
            let age = today.0 - user.newest.0;
            counts.last_28d += u32::from(age < 28);
            counts.last_30d += u32::from(age < 30);
            counts.dormant_30d += u32::from(age >= 30);
            counts.previous_28d += u32::from(user.is_in_previous_window(today));
        }
        self.counts.0.set(Some((today, counts)));
        counts
    }

    /// Identified activity in the current and the previous block.
    #[must_use]
    pub fn identified_events(&self, today: Day) -> u64 {
        self.identified.total_at(block(today))
    }

    /// How many users the table holds.
    pub(super) fn tracked(&self) -> usize {
        self.users.len()
    }

    /// How many users are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.visible().count()
    }

    /// Whether no user is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.visible().next().is_none()
    }

    /// Whether that user is known.
    #[must_use]
    pub fn contains(&self, token: UserToken) -> bool {
        self.latest_day(token).is_some()
    }

    /// The first day after `today` on which a user is not active within 30 days any more.
    #[must_use]
    pub fn next_inactive(&self, today: Day) -> Option<Day> {
        let ends = self.visible().map(|user| Day(user.newest.0.saturating_add(30)));
        ends.filter(|end| *end > today).min()
    }

    /// Known users without activity for `days` days up to `today`.
    pub fn dormant(&self, today: Day, days: i32) -> impl Iterator<Item = &User> {
        self.visible().filter(move |user| user.newest.0 <= today.0 - days)
    }

    /// Share of the identified activity made by the most active user, in the current and the previous block.
    #[must_use]
    pub fn top_share(&self, today: Day) -> Option<f64> {
        let block = block(today);
        let total = self.identified.total_at(block);
        let top = match self.top.0.get() {
            Some((known, top)) if known == block => top,
            _ => self.visible().map(|user| user.counts.total_at(block)).max()?,
        };
        self.top.0.set(Some((block, top)));
        (total > 0).then(|| top as f64 / total as f64)
    }

    /// A user is active who is not in the table, but would be at `place`.
    fn insert(&mut self, mut place: usize, token: UserToken, day: Day) -> UserChange {
        self.known.is_settled = true;
        if self.users.len() >= MAX_USERS {
            self.counts.0.set(None);
            self.top.0.set(None);
            self.users.retain(|user| user.newest.0 > day.0 - FORGET_AFTER_DAYS);
            place = self.users.partition_point(|user| user.token < token);
        } else {
            self.counts.became_active(day, None);
        }
        if self.users.len() >= MAX_USERS {
            self.overflow_until = self.overflow_until.max(Day(day.0.saturating_add(LONGEST_WINDOW_DAYS)));
            return UserChange::Full;
        }
        let user = User::new(token, day);
        self.top.grew(user.counts);
        super::make_room(&mut self.users);
        self.users.insert(place, user);
        UserChange::NewCounts
    }
}

/// Set in the first byte where users were removed lately.
const REMOVED: u8 = 4;

impl Packed for Users {
    fn pack(&self, writer: &mut PackedWriter) {
        // Mostly, all activity is identified or none is.
        let identified = [BlockCounts::default(), self.all].iter().position(|usual| *usual == self.identified);
        let removed = if self.removed.is_empty() { 0 } else { REMOVED };
        writer.bytes.push(identified.map_or(2, |usual| usual as u8) | removed);
        for counts in [Some(self.all), Some(self.identified).filter(|_| identified.is_none())].into_iter().flatten() {
            writer.put_near(counts.block, block(writer.base()));
            counts.pack(writer);
        }
        writer.put_day(self.overflow_until);
        writer.put_list(&self.users);
        if removed != 0 {
            self.removed.pack(writer);
        }
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        let counts = |reader: &mut PackedReader<'_>| {
            let block = reader.take_near(block(reader.base()))?;
            BlockCounts::unpack(reader, block)
        };
        let (first, all) = (reader.take_byte()?, counts(reader)?);
        let identified = match first & !REMOVED {
            0 => BlockCounts::default(),
            1 => all,
            _ => counts(reader)?,
        };
        let overflow_until = reader.take_day()?;
        let users = reader.take_list(User::unpack)?;
        let removed = if first & REMOVED == 0 { Removed::default() } else { Removed::unpack(reader)? };
        Some(Self { identified, all, overflow_until, users, removed, ..Self::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What features see, counted afresh.
    fn seen(users: &Users, today: Day) -> (bool, ActiveCounts) {
        users.counts.0.set(None);
        (users.is_known(today), users.counts(today))
    }

    #[test]
    fn counts_kept_over_changes_are_those_of_a_fresh_count_and_changes_are_told() {
        let mut users = Users::default();
        let mut random = 12_345_u64;
        let (mut untold, mut turned) = (Vec::new(), 0);
        for step in 0..8_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let today = Day(19_000 + step / 20);
            if step % 20 == 0 {
                untold = vec![seen(&users, today)];
            }
            // Mostly today, sometimes late; few and many users in turn; in some weeks most without a user.
            let day = Day(today.0 - if random >> 60 == 0 { (random >> 50) as i32 % 40 } else { 0 });
            let token = UserToken((random >> 33) % (5 + step as u64 / 60));
            let user = Some(token).filter(|_| step / 700 % 2 == 0 || random >> 62 == 0);
            let change = users.record(user, day, today);
            let kept = users.counts(today);
            let fresh = seen(&users, today);
            assert_eq!(kept, fresh.1, "step {step}");
            untold.push(fresh);
            match change {
                UserChange::Counted => {}
                UserChange::NewDay => assert!(untold.iter().all(|one| *one == fresh), "step {step}"),
                UserChange::NewCounts | UserChange::Full => {
                    turned += usize::from(untold.iter().any(|one| one.0 != fresh.0));
                    untold = vec![fresh];
                }
            }
        }
        assert!(turned > 0, "the identified share never crossed one half");
    }
}
