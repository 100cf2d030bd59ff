//! The users seen at a customer, with a bit for each of their last 64 active days.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::packed::{PackedReader, PackedWriter, unpack};
use crate::event::UserToken;
use crate::time::Day;

/// Users remembered per customer; beyond it user features are absent until the untracked activity has left their windows.
pub const MAX_USERS: usize = 128;

/// A user without activity for so long makes room for a new one when the table is full.
const FORGET_AFTER_DAYS: i32 = 180;

/// The longest window of a user feature.
const LONGEST_WINDOW_DAYS: i32 = 56;

/// Days in a block of the share counters.
const BLOCK_DAYS: i32 = 28;

/// One user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The pseudonym.
    pub token: UserToken,
    /// The latest active day.
    pub newest: Day,
    /// Bit `i`: active `i` days before `newest`.
    days: u64,
    counts: BlockCounts,
}

/// Events in the 28-day block of the newest event and in the block before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct BlockCounts {
    block: i32,
    current: u32,
    previous: u32,
}

impl BlockCounts {
    fn add(&mut self, day: Day) {
        let block = day.0.div_euclid(BLOCK_DAYS);
        match block - self.block {
            1.. => {
                self.previous = if block == self.block + 1 { self.current } else { 0 };
                (self.block, self.current) = (block, 1);
            }
            0 => self.current = self.current.saturating_add(1),
            -1 => self.previous = self.previous.saturating_add(1),
            _ => {}
        }
    }

    fn total_at(&self, block: i32) -> u64 {
        match block - self.block {
            0 => u64::from(self.current) + u64::from(self.previous),
            1 => u64::from(self.current),
            _ => 0,
        }
    }
}

/// All users of a customer, sorted by token, and the share of activity that carried one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Users {
    users: Vec<User>,
    identified: BlockCounts,
    all: BlockCounts,
    /// Until this day some activity of untracked users is inside a window.
    overflow_until: Day,
}

/// What an activity changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserChange {
    /// Only counters of activity.
    Counted,
    /// A user became active on a new day.
    NewDay,
    /// The table was full and the user is not tracked.
    Full,
}

impl Users {
    /// Counts an activity, of a user if one was named.
    pub fn record(&mut self, user: Option<UserToken>, day: Day) -> UserChange {
        self.all.add(day);
        let Some(token) = user else { return UserChange::Counted };
        self.identified.add(day);
        match self.users.binary_search_by_key(&token, |user| user.token) {
            Ok(index) => self.users[index].mark(day),
            Err(_) => self.insert(token, day),
        }
    }

    /// Forgets a removed user, unless it was active later than the removal.
    pub fn remove(&mut self, token: UserToken, day: Day) {
        self.users.retain(|user| user.token != token || user.newest > day);
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
        self.identified_share().is_some_and(|share| share >= 0.5) && today > self.overflow_until
    }

    /// Users with activity on `length` days ending `skip` days before `today`.
    #[must_use]
    pub fn active(&self, today: Day, skip: i32, length: i32) -> usize {
        let last = today.0 - skip;
        self.users.iter().filter(|user| user.active_between(last - length + 1, last)).count()
    }

    /// Known users without activity for `days` days up to `today`.
    pub fn dormant(&self, today: Day, days: i32) -> impl Iterator<Item = &User> {
        self.users.iter().filter(move |user| user.newest.0 <= today.0 - days)
    }

    /// Share of the identified activity made by the most active user, in the current and the previous block.
    #[must_use]
    pub fn top_share(&self, today: Day) -> Option<f64> {
        let block = today.0.div_euclid(BLOCK_DAYS);
        let total = self.identified.total_at(block);
        let top = self.users.iter().map(|user| user.counts.total_at(block)).max()?;
        (total > 0).then(|| top as f64 / total as f64)
    }

    fn insert(&mut self, token: UserToken, day: Day) -> UserChange {
        if self.users.len() >= MAX_USERS {
            self.users.retain(|user| user.newest.0 > day.0 - FORGET_AFTER_DAYS);
        }
        if self.users.len() >= MAX_USERS {
            self.overflow_until = self.overflow_until.max(Day(day.0.saturating_add(LONGEST_WINDOW_DAYS)));
            return UserChange::Full;
        }
        let mut counts = BlockCounts::default();
        counts.add(day);
        let place = self.users.partition_point(|user| user.token < token);
        self.users.insert(place, User { token, newest: day, days: 1, counts });
        UserChange::NewDay
    }
}

impl User {
    fn mark(&mut self, day: Day) -> UserChange {
        self.counts.add(day);
        let ahead = day.0 - self.newest.0;
        if ahead > 0 {
            self.days = if ahead < 64 { self.days << ahead } else { 0 } | 1;
            self.newest = day;
            return UserChange::NewDay;
        }
        let bit = if ahead > -64 { 1_u64 << -ahead } else { 0 };
        let known = self.days & bit == bit;
        self.days |= bit;
        if known { UserChange::Counted } else { UserChange::NewDay }
    }

    fn active_between(&self, first: i32, last: i32) -> bool {
        let nearest = (self.newest.0 - last).max(0);
        let farthest = self.newest.0 - first;
        if farthest < nearest || nearest >= 64 {
            return false;
        }
        let length = farthest - nearest + 1;
        let mask = if length >= 64 { u64::MAX } else { (1 << length) - 1 };
        self.days >> nearest & mask != 0
    }
}

impl Serialize for Users {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut writer = PackedWriter::default();
        let counts = |writer: &mut PackedWriter, counts: &BlockCounts, near: i32| {
            writer.put_signed(i64::from(near) - i64::from(counts.block));
            writer.put(u64::from(counts.current));
            writer.put(u64::from(counts.previous));
        };
        counts(&mut writer, &self.identified, 0);
        counts(&mut writer, &self.all, 0);
        writer.put_signed(i64::from(self.overflow_until.0));
        writer.put(self.users.len() as u64);
        let mut near = 0;
        for user in &self.users {
            writer.0.extend_from_slice(&user.token.0.to_le_bytes());
            writer.put_signed(i64::from(user.newest.0 - near));
            near = user.newest.0;
            writer.put(user.days);
            counts(&mut writer, &user.counts, user.newest.0.div_euclid(BLOCK_DAYS));
        }
        serializer.serialize_bytes(&writer.0)
    }
}

impl<'de> Deserialize<'de> for Users {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        fn counts(reader: &mut PackedReader<'_>, near: i32) -> Option<BlockCounts> {
            let block = i32::try_from(i64::from(near) - reader.take_signed()?).ok()?;
            Some(BlockCounts { block, current: u32::try_from(reader.take()?).ok()?, previous: u32::try_from(reader.take()?).ok()? })
        }
        fn read(reader: &mut PackedReader<'_>) -> Option<Users> {
            let mut users = Users { identified: counts(reader, 0)?, all: counts(reader, 0)?, ..Users::default() };
            users.overflow_until = Day(i32::try_from(reader.take_signed()?).ok()?);
            let mut near = 0_i32;
            for _ in 0..reader.take()? {
                let (token, rest) = reader.0.split_first_chunk::<8>()?;
                reader.0 = rest;
                near = near.checked_add(i32::try_from(reader.take_signed()?).ok()?)?;
                let days = reader.take()?;
                let counts = counts(reader, near.div_euclid(BLOCK_DAYS))?;
                users.users.push(User { token: UserToken(u64::from_le_bytes(*token)), newest: Day(near), days, counts });
            }
            Some(users)
        }
        unpack(deserializer, read)
    }
}
