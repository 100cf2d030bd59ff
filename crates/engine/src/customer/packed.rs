//! The compact byte form of the hot part of a customer's state: varying-length integers, bit-packed series, stamps told once.

use super::last_word::{LastWord, Stamp};
use crate::time::Time;

/// Something with a compact byte form.
pub(crate) trait Packed: Sized {
    /// Appends it.
    fn pack(&self, writer: &mut PackedWriter);

    /// Reads it back; `None` where the bytes end or make no sense.
    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self>;
}

/// Bytes in the making.
#[derive(Default)]
pub(crate) struct PackedWriter {
    pub bytes: Vec<u8>,
    stamps: Vec<Stamp>,
}

impl PackedWriter {
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
        self.put(((value << 1) ^ (value >> 63)) as u64);
    }

    /// An instant; those on a whole second are shorter, and the two ends of time are one byte.
    pub fn put_time(&mut self, time: Time) {
        match time {
            Time::NEVER => self.put(0),
            Time::MIN => self.put(1),
            Time(milliseconds) if milliseconds % 1_000 == 0 => {
                self.put(2);
                self.put_signed(milliseconds / 1_000);
            }
            Time(milliseconds) => {
                self.put(3);
                self.put_signed(milliseconds);
            }
        }
    }

    /// An instant that may be missing.
    pub fn put_optional_time(&mut self, time: Option<Time>) {
        self.put_time(time.unwrap_or(Time::NEVER));
    }

    /// Text with its length.
    pub fn put_text(&mut self, text: &str) {
        self.put(text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
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
            while filled >= 8 {
                self.bytes.push(word as u8);
                word >>= 8;
                filled -= 8;
            }
        }
        if filled > 0 {
            self.bytes.push(word as u8);
        }
    }

    /// A stamp; one that was put before is one byte.
    pub fn put_stamp(&mut self, stamp: Stamp) {
        match self.stamps.iter().position(|known| *known == stamp) {
            Some(index) => self.put(index as u64 + 1),
            None => {
                self.put(0);
                self.put_time(stamp.time);
                self.bytes.extend_from_slice(&stamp.tie.to_le_bytes());
                self.stamps.push(stamp);
            }
        }
    }

    /// A register, its value written by `put_value`.
    pub fn put_word<T: Clone>(&mut self, word: &LastWord<T>, put_value: impl FnOnce(&mut Self, &T)) {
        match word.entry() {
            None => self.bytes.push(0),
            Some((stamp, value)) => {
                self.bytes.push(1);
                self.put_stamp(*stamp);
                put_value(self, value);
            }
        }
    }
}

/// Bytes being read.
pub(crate) struct PackedReader<'a> {
    pub bytes: &'a [u8],
    stamps: Vec<Stamp>,
}

impl<'a> PackedReader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, stamps: Vec::new() }
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
        let value = self.take()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
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

    pub fn take_array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.bytes.split_first_chunk::<N>()?;
        self.bytes = rest;
        Some(*array)
    }

    pub fn take_time(&mut self) -> Option<Time> {
        match self.take()? {
            0 => Some(Time::NEVER),
            1 => Some(Time::MIN),
            2 => Some(Time(self.take_signed()?.checked_mul(1_000)?)),
            3 => self.take_signed().map(Time),
            _ => None,
        }
    }

    pub fn take_optional_time(&mut self) -> Option<Option<Time>> {
        self.take_time().map(|time| Some(time).filter(|time| *time != Time::NEVER))
    }

    pub fn take_text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.take()?).ok()?;
        let (text, rest) = self.bytes.split_at_checked(length)?;
        self.bytes = rest;
        std::str::from_utf8(text).ok()
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
        let (mut word, mut filled) = (0_u64, 0);
        for value in values.get_mut(..kept)? {
            while filled < width {
                word |= u64::from(self.take_byte()?) << filled;
                filled += 8;
            }
            *value = (word & ((1_u64 << width) - 1)) as u32;
            word >>= width;
            filled -= width;
        }
        Some(())
    }

    pub fn take_stamp(&mut self) -> Option<Stamp> {
        match self.take()? {
            0 => {
                let stamp = Stamp { time: self.take_time()?, tie: u32::from_le_bytes(self.take_array()?) };
                self.stamps.push(stamp);
                Some(stamp)
            }
            index => self.stamps.get(usize::try_from(index - 1).ok()?).copied(),
        }
    }

    pub fn take_word<T>(&mut self, take_value: impl FnOnce(&mut Self) -> Option<T>) -> Option<LastWord<T>> {
        Some(match self.take_byte()? {
            0 => LastWord::default(),
            1 => LastWord::from_entry(self.take_stamp()?, take_value(self)?),
            _ => return None,
        })
    }

    /// A number of things, each read by `take_one`.
    pub fn take_list<T>(&mut self, mut take_one: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.take()?;
        (0..count).map(|_| take_one(self)).collect()
    }
}
