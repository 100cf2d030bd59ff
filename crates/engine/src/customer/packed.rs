//! A compact byte form for small counters inside a customer's state: variable-length integers, with runs of zeros folded.

use serde::de::{Error, Visitor};

/// Writes integers as little-endian base-128.
#[derive(Default)]
pub(crate) struct PackedWriter(pub Vec<u8>);

impl PackedWriter {
    pub fn put(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    pub fn put_signed(&mut self, value: i64) {
        self.put(((value << 1) ^ (value >> 63)) as u64);
    }

    /// Writes a series: every zero is followed by how many more zeros come, and trailing zeros are left out.
    pub fn put_series(&mut self, values: impl DoubleEndedIterator<Item = u64> + ExactSizeIterator + Clone) {
        let kept = values.len() - values.clone().rev().take_while(|value| *value == 0).count();
        self.put(kept as u64);
        let mut zeros = 0_u64;
        for value in values.take(kept) {
            if value == 0 {
                zeros += 1;
                continue;
            }
            if zeros > 0 {
                self.put(0);
                self.put(zeros - 1);
                zeros = 0;
            }
            self.put(value);
        }
    }
}

/// Reads what [`PackedWriter`] wrote; `None` where the bytes end or make no sense.
pub(crate) struct PackedReader<'a>(pub &'a [u8]);

impl PackedReader<'_> {
    pub fn take(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
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

    pub fn take_series(&mut self, mut store: impl FnMut(usize, u64) -> Option<()>) -> Option<()> {
        let kept = usize::try_from(self.take()?).ok()?;
        let mut index = 0;
        while index < kept {
            match self.take()? {
                0 => index += usize::try_from(self.take()?).ok()?.checked_add(1)?,
                value => {
                    store(index, value)?;
                    index += 1;
                }
            }
        }
        Some(())
    }
}

/// Deserialises a byte string that `read` takes apart; what it leaves over is an error.
pub(crate) fn unpack<'de, D, T>(deserializer: D, read: fn(&mut PackedReader<'_>) -> Option<T>) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
{
    struct Bytes<T>(fn(&mut PackedReader<'_>) -> Option<T>);
    impl<T> Visitor<'_> for Bytes<T> {
        type Value = T;

        fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("packed bytes")
        }

        fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<T, E> {
            let mut reader = PackedReader(bytes);
            (self.0)(&mut reader).filter(|_| reader.0.is_empty()).ok_or_else(|| E::custom("malformed packed bytes"))
        }
    }
    deserializer.deserialize_bytes(Bytes(read))
}
