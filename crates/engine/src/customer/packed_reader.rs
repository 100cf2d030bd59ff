//! Reading the compact form back; every method is `None` where the bytes end or make no sense.

use super::last_word::{LastWord, Stamp};
use super::packed::{NEAR_TIMES, Packed, SHORT, USUAL_STAMPS, USUAL_TEXT_BYTES, time_form, unzigzag};
use crate::event::UserToken;
use crate::time::{DAY_MS, Day, SECOND_MS, Time};

/// Bytes being read.
pub(crate) struct PackedReader<'a> {
    pub bytes: &'a [u8],
    base: Day,
    /// The text taken last.
    previous: Vec<u8>,
    stamps: Vec<Stamp>,
    /// Instants that took more than a byte or two.
    times: Vec<Time>,
}

impl<'a> PackedReader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        let (previous, stamps) = (Vec::with_capacity(USUAL_TEXT_BYTES), Vec::with_capacity(USUAL_STAMPS));
        Self { bytes, base: Day(0), previous, stamps, times: Vec::with_capacity(USUAL_STAMPS) }
    }

    pub fn take(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.take_byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    pub fn take_signed(&mut self) -> Option<i64> {
        self.take().map(unzigzag)
    }

    pub fn take_u16(&mut self) -> Option<u16> {
        u16::try_from(self.take()?).ok()
    }

    pub fn take_u32(&mut self) -> Option<u32> {
        u32::try_from(self.take()?).ok()
    }

    pub fn take_i32(&mut self) -> Option<i32> {
        i32::try_from(self.take_signed()?).ok()
    }

    pub fn take_byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(byte)
    }

    /// A byte that numbers one of these.
    pub fn take_one_of<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        all.get(usize::from(self.take_byte()?)).copied()
    }

    pub fn take_bool(&mut self) -> Option<bool> {
        self.take_one_of(&[false, true])
    }

    pub fn take_flags<const N: usize>(&mut self) -> Option<[bool; N]> {
        let bits = self.take_byte()?;
        Some(std::array::from_fn(|index| bits >> index & 1 != 0))
    }

    /// A part that most customers do not have.
    pub fn take_part<T: Packed>(&mut self, is_there: bool) -> Option<Option<Box<T>>> {
        if is_there { T::unpack(self).map(|part| Some(Box::new(part))) } else { Some(None) }
    }

    pub fn take_array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.bytes.split_first_chunk::<N>()?;
        self.bytes = rest;
        Some(*array)
    }

    pub fn take_slice(&mut self, length: usize) -> Option<&'a [u8]> {
        let (slice, rest) = self.bytes.split_at_checked(length)?;
        self.bytes = rest;
        Some(slice)
    }

    pub fn take_base(&mut self) -> Option<Day> {
        self.base = Day(self.take_i32()?);
        Some(self.base)
    }

    pub fn base(&self) -> Day {
        self.base
    }

    pub fn take_day(&mut self) -> Option<Day> {
        self.take_near(self.base.0).map(Day)
    }

    pub fn take_near(&mut self, near: i32) -> Option<i32> {
        let Some(distance) = self.take()?.checked_sub(1) else { return Some(0) };
        i32::try_from(i64::from(near).checked_sub(unzigzag(distance))?).ok()
    }

    pub fn take_time(&mut self) -> Option<Time> {
        let number = self.take()?;
        let unit_ms = match number & 3 {
            time_form::MILLISECONDS => 1,
            time_form::SECONDS => SECOND_MS,
            time_form::DAYS => DAY_MS,
            _ => return self.take_far_time(number),
        };
        let from_base = unzigzag(number >> 2).checked_mul(unit_ms)?;
        let time = self.base.start().0.checked_add(from_base).map(Time)?;
        if unit_ms != DAY_MS {
            self.times.push(time);
        }
        Some(time)
    }

    fn take_far_time(&mut self, number: u64) -> Option<Time> {
        match number {
            time_form::NEVER => Some(Time::NEVER),
            time_form::MIN => Some(Time::MIN),
            time_form::RAW => {
                let time = Time(i64::from_le_bytes(self.take_array()?));
                self.times.push(time);
                Some(time)
            }
            _ => {
                let back = usize::try_from((number - time_form::AGAIN) >> 2).ok().filter(|back| *back < NEAR_TIMES)?;
                self.times.iter().rev().nth(back).copied()
            }
        }
    }

    pub fn take_optional_time(&mut self) -> Option<Option<Time>> {
        self.take_time().map(|time| Some(time).filter(|time| *time != Time::NEVER))
    }

    pub fn take_text(&mut self) -> Option<&str> {
        let lengths = self.take_byte()?;
        let shared = self.take_length(lengths >> 4)?;
        let rest = self.take_length(lengths & 15)?;
        let rest = self.take_slice(rest)?;
        self.previous.get(..shared)?;
        self.previous.truncate(shared);
        self.previous.extend_from_slice(rest);
        std::str::from_utf8(&self.previous).ok()
    }

    fn take_length(&mut self, short: u8) -> Option<usize> {
        let short = usize::from(short);
        if short < SHORT { Some(short) } else { usize::try_from(self.take()?).ok()?.checked_add(SHORT) }
    }

    pub fn take_name(&mut self) -> Option<Box<str>> {
        self.take_text().map(Box::from)
    }

    pub fn take_float(&mut self) -> Option<f64> {
        self.take_array().map(f64::from_le_bytes)
    }

    pub fn take_user(&mut self) -> Option<Option<UserToken>> {
        if self.take_bool()? { self.take_array().map(|token| Some(UserToken(u64::from_le_bytes(token)))) } else { Some(None) }
    }

    pub fn take_series(&mut self, values: &mut [u32]) -> Option<()> {
        let kept = usize::try_from(self.take()?).ok()?;
        if kept == 0 {
            return Some(());
        }
        let width = u32::from(self.take_byte()?);
        if width > 32 {
            return None;
        }
        let values = values.get_mut(..kept)?;
        let mut bytes = self.take_slice((kept * width as usize).div_ceil(8))?.iter();
        let (mut word, mut filled) = (0_u64, 0);
        for value in values {
            while filled < width {
                word |= u64::from(*bytes.next()?) << filled;
                filled += 8;
            }
            *value = (word & ((1_u64 << width) - 1)) as u32;
            word >>= width;
            filled -= width;
        }
        Some(())
    }

    pub fn take_word<T>(&mut self, take_value: impl FnOnce(&mut Self) -> Option<T>) -> Option<LastWord<T>> {
        let stamp = match self.take_byte()? {
            0 => return Some(LastWord::default()),
            1 => {
                let stamp = Stamp { time: self.take_time()?, tie: u32::from_le_bytes(self.take_array()?) };
                self.stamps.push(stamp);
                stamp
            }
            back => *self.stamps.iter().rev().nth(usize::from(back - 2))?,
        };
        Some(LastWord::from_entry(stamp, take_value(self)?))
    }

    /// A number of things, each read by `take_one`.
    pub fn take_list<T>(&mut self, take_one: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.take()?;
        self.take_things(count, take_one)
    }

    /// How many things, and the day up to which some are missing.
    pub fn take_count(&mut self) -> Option<(u64, Day)> {
        let count = self.take()?;
        let missing_until = if count & 1 != 0 { self.take_day()? } else { Day(0) };
        Some((count >> 1, missing_until))
    }

    /// So many things, each read by `take_one`.
    pub fn take_things<T>(&mut self, count: u64, mut take_one: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        // A thing takes a byte or more: a damaged count reserves no more memory than there are bytes.
        let mut things = Vec::with_capacity(usize::try_from(count).ok()?.min(self.bytes.len()));
        for _ in 0..count {
            things.push(take_one(self)?);
        }
        Some(things)
    }
}
