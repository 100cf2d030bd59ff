//! The users seen at a customer, and how many of them are active.

use std::cell::Cell;

use super::block_counts::{BlockCounts, block};
use super::packed::{Packed, PackedReader, PackedWriter};
use super::user::{LONGEST_WINDOW_DAYS, Marked, User, WINDOW_DAYS};
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

/// The counts of a day, kept until a user changes: several rules ask for them at each evaluation. No part of the state.
#[derive(Clone, Debug, Default)]
struct CountsCache(Cell<Option<(Day, ActiveCounts)>>);

impl CountsCache {
    /// A user whose latest active day was `before` (or who is new) is active on `day`: counts of that very day are moved, others dropped.
    fn became_active(&self, day: Day, before: Option<Day>) {
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
struct TopCache(Cell<Option<(i32, u64)>>);

impl TopCache {
    /// The total of a user has grown.
    fn grew(&self, counts: BlockCounts) {
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
struct KnownShare {
    is_half: bool,
    is_settled: bool,
}

impl PartialEq for KnownShare {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for KnownShare {}

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

    /// Forgets a removed user, unless it was active later than the removal.
    pub fn remove(&mut self, token: UserToken, day: Day) {
        self.users.retain(|user| user.token != token || user.newest > day);
        self.counts.0.set(None);
        self.top.0.set(None);
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

    /// How many users were active in each window that ends with `today`.
    #[must_use]
    pub fn counts(&self, today: Day) -> ActiveCounts {
        if let Some((day, counts)) = self.counts.0.get()
            && day == today
        {
            return counts;
        }
        let mut counts = ActiveCounts::default();
        for user in &self.users {
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

    /// How many users are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.users.len()
    }

    /// Whether no user is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// Whether that user is known.
    #[must_use]
    pub fn contains(&self, token: UserToken) -> bool {
        self.users.binary_search_by_key(&token, |user| user.token).is_ok()
    }

    /// The first day after `today` on which a user is not active within 30 days any more.
    #[must_use]
    pub fn next_inactive(&self, today: Day) -> Option<Day> {
        let ends = self.users.iter().map(|user| Day(user.newest.0.saturating_add(30)));
        ends.filter(|end| *end > today).min()
    }

    /// Known users without activity for `days` days up to `today`.
    pub fn dormant(&self, today: Day, days: i32) -> impl Iterator<Item = &User> {
        self.users.iter().filter(move |user| user.newest.0 <= today.0 - days)
    }

    /// Share of the identified activity made by the most active user, in the current and the previous block.
    #[must_use]
    pub fn top_share(&self, today: Day) -> Option<f64> {
        let block = block(today);
        let total = self.identified.total_at(block);
        let top = match self.top.0.get() {
            Some((known, top)) if known == block => top,
            _ => self.users.iter().map(|user| user.counts.total_at(block)).max()?,
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

impl Packed for Users {
    fn pack(&self, writer: &mut PackedWriter) {
        // Mostly, all activity is identified or none is.
        let identified = [BlockCounts::default(), self.all].iter().position(|usual| *usual == self.identified);
        writer.bytes.push(identified.map_or(2, |usual| usual as u8));
        for counts in [Some(self.all), Some(self.identified).filter(|_| identified.is_none())].into_iter().flatten() {
            writer.put_near(counts.block, block(writer.base()));
            counts.pack(writer);
        }
        writer.put_day(self.overflow_until);
        writer.put_list(&self.users);
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        let counts = |reader: &mut PackedReader<'_>| {
            let block = reader.take_near(block(reader.base()))?;
            BlockCounts::unpack(reader, block)
        };
        let (usual, all) = (reader.take_byte()?, counts(reader)?);
        let identified = match usual {
            0 => BlockCounts::default(),
            1 => all,
            _ => counts(reader)?,
        };
        let overflow_until = reader.take_day()?;
        Some(Self { identified, all, overflow_until, users: reader.take_list(User::unpack)?, ..Self::default() })
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
