//! Writing the compact form: varying-length integers, instants near a base, texts that begin like the one before, stamps told once.

use super::last_word::{LastWord, Stamp};
use super::packed::{NEAR_STAMPS, NEAR_TIMES, Packed, SHORT, USUAL_BYTES, USUAL_STAMPS, USUAL_TEXT_BYTES, time_form, zigzag};
use crate::event::UserToken;
use crate::time::{DAY_MS, Day, SECOND_MS, Time};

/// Bytes in the making.
pub(crate) struct PackedWriter {
    pub bytes: Vec<u8>,
    base: Day,
    /// The text put last.
    previous: Vec<u8>,
    stamps: Vec<Stamp>,
    /// Instants that took more than a byte or two.
    times: Vec<Time>,
}

impl PackedWriter {
    pub fn new() -> Self {
        let (bytes, previous) = (Vec::with_capacity(USUAL_BYTES), Vec::with_capacity(USUAL_TEXT_BYTES));
        Self { bytes, base: Day(0), previous, stamps: Vec::with_capacity(USUAL_STAMPS), times: Vec::with_capacity(USUAL_STAMPS) }
    }

    /// Begins anew, with the memory that is there.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.base = Day(0);
        self.previous.clear();
        self.stamps.clear();
        self.times.clear();
    }

    /// An integer, little-endian in base 128.
    pub fn put(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    /// An integer of any sign; small ones either way are short.
    pub fn put_signed(&mut self, value: i64) {
        self.put(zigzag(value));
    }

    /// Up to eight flags.
    pub fn put_flags<const N: usize>(&mut self, flags: [bool; N]) {
        self.bytes.push(flags.iter().rev().fold(0, |bits, flag| bits << 1 | u8::from(*flag)));
    }

    /// The day that instants and days are told from: most are a few days or weeks away from it.
    pub fn put_base(&mut self, base: Day) {
        self.put_signed(i64::from(base.0));
        self.base = base;
    }

    /// The day that days are told from.
    pub fn base(&self) -> Day {
        self.base
    }

    /// A day; the first of all, which stands for none, is one byte.
    pub fn put_day(&mut self, day: Day) {
        self.put_near(day.0, self.base.0);
    }

    /// A number that is near another one, or zero.
    pub fn put_near(&mut self, value: i32, near: i32) {
        self.put(if value == 0 { 0 } else { zigzag(i64::from(near) - i64::from(value)) + 1 });
    }

    /// An instant; the rounder, the shorter, and the two ends of time are one byte. So is one that was told shortly before: an event often sets
    /// several.
    pub fn put_time(&mut self, time: Time) {
        let from_base = time.0.checked_sub(self.base.start().0).filter(|distance| distance.abs() < 1 << 60);
        match (time, from_base) {
            (Time::NEVER, _) => self.put(time_form::FAR | time_form::NEVER),
            (Time::MIN, _) => self.put(time_form::FAR | time_form::MIN),
            (_, Some(ms)) if ms % DAY_MS == 0 => self.put(zigzag(ms / DAY_MS) << 2 | time_form::DAYS),
            (_, from_base) => self.put_precise_time(time, from_base),
        }
    }

    fn put_precise_time(&mut self, time: Time, from_base: Option<i64>) {
        if let Some(back) = self.times.iter().rev().take(NEAR_TIMES).position(|known| *known == time) {
            return self.put(time_form::FAR | (time_form::AGAIN + ((back as u64) << 2)));
        }
        self.times.push(time);
        match from_base {
            Some(ms) if ms % SECOND_MS == 0 => self.put(zigzag(ms / SECOND_MS) << 2 | time_form::SECONDS),
            Some(ms) => self.put(zigzag(ms) << 2 | time_form::MILLISECONDS),
            None => {
                self.put(time_form::FAR | time_form::RAW);
                self.bytes.extend_from_slice(&time.0.to_le_bytes());
            }
        }
    }

    /// An instant that may be missing.
    pub fn put_optional_time(&mut self, time: Option<Time>) {
        self.put_time(time.unwrap_or(Time::NEVER));
    }

    /// Text, without the beginning that it shares with the text before: ids and names of one producer often begin alike.
    pub fn put_text(&mut self, text: &str) {
        let text = text.as_bytes();
        let shared = self.previous.iter().zip(text).take_while(|(before, now)| before == now).count();
        let rest = &text[shared..];
        self.bytes.push((shared.min(SHORT) << 4 | rest.len().min(SHORT)) as u8);
        for length in [shared, rest.len()].into_iter().filter(|length| *length >= SHORT) {
            self.put((length - SHORT) as u64);
        }
        self.bytes.extend_from_slice(rest);
        self.previous.truncate(shared);
        self.previous.extend_from_slice(rest);
    }

    /// A floating-point number, exactly.
    pub fn put_float(&mut self, value: f64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// A user that may be missing.
    pub fn put_user(&mut self, user: Option<UserToken>) {
        self.bytes.push(u8::from(user.is_some()));
        if let Some(user) = user {
            self.bytes.extend_from_slice(&user.0.to_le_bytes());
        }
    }

    /// A series of counts: trailing zeros are left out, the rest takes as many bits each as the largest needs.
    pub fn put_series(&mut self, values: &[u32]) {
        let kept = values.len() - values.iter().rev().take_while(|value| **value == 0).count();
        let width = values.iter().map(|value| 32 - value.leading_zeros()).max().unwrap_or(0);
        self.put(kept as u64);
        if kept == 0 {
            return;
        }
        self.bytes.push(width as u8);
        let (mut word, mut filled) = (0_u64, 0);
        for value in &values[..kept] {
            word |= u64::from(*value) << filled;
            filled += width;
            if filled >= 32 {
                self.bytes.extend_from_slice(&(word as u32).to_le_bytes());
                word >>= 32;
                filled -= 32;
            }
        }
        self.bytes.extend_from_slice(&word.to_le_bytes()[..filled.div_ceil(8) as usize]);
    }

    /// A register, its value written by `put_value`. One number says that it is empty, or how far back its stamp was put: one event often
    /// sets several registers.
    pub fn put_word<T: Clone>(&mut self, word: &LastWord<T>, put_value: impl FnOnce(&mut Self, &T)) {
        let Some((stamp, value)) = word.entry() else {
            self.bytes.push(0);
            return;
        };
        let back = self.stamps.iter().rev().take(NEAR_STAMPS).position(|known| known == stamp);
        self.bytes.push(back.map_or(1, |back| back as u8 + 2));
        if back.is_none() {
            self.put_time(stamp.time);
            self.bytes.extend_from_slice(&stamp.tie.to_le_bytes());
            self.stamps.push(*stamp);
        }
        put_value(self, value);
    }

    /// A number of things, up to 63 in one byte, and the day up to which some of them are missing; the first of all, which costs nothing, for none.
    pub fn put_count(&mut self, count: usize, missing_until: Day) {
        let is_missing = missing_until != Day(0);
        self.put((count as u64) << 1 | u64::from(is_missing));
        if is_missing {
            self.put_day(missing_until);
        }
    }

    /// A number of things.
    pub fn put_list<T: Packed>(&mut self, things: &[T]) {
        self.put(things.len() as u64);
        things.iter().for_each(|thing| thing.pack(self));
    }
}
