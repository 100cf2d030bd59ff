//! Days with a login over the last 256 days, and the percentile of the gaps between them.

use super::packed::{Packed, PackedReader, PackedWriter};
use crate::time::Day;

/// How many days back logins are remembered as yes or no.
pub const LOGIN_DAYS: u32 = 256;

/// Fewest gaps for a percentile to mean anything (rule 2 of the catalogue).
pub const MIN_GAPS: u32 = 20;

/// One bit a day; bit 0 of word 0 is the newest day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoginDays {
    newest: Day,
    bits: [u64; 4],
    /// The percentile, kept because every login asks for it.
    p90_days: Option<u32>,
}

impl LoginDays {
    /// Marks a day. Returns whether that changed anything.
    pub fn mark(&mut self, day: Day) -> bool {
        if day > self.newest {
            self.shift(day.0.saturating_sub(self.newest.0) as u32);
            self.newest = day;
        }
        let age = self.newest.0.saturating_sub(day.0) as u32;
        if age >= LOGIN_DAYS {
            return false;
        }
        let word = &mut self.bits[(age / 64) as usize];
        let bit = 1_u64 << (age % 64);
        let changed = *word & bit == 0;
        *word |= bit;
        if changed {
            self.p90_days = self.compute_p90_days();
        }
        changed
    }

    /// Number of gaps between neighbouring login days.
    #[must_use]
    pub fn gaps(&self) -> u32 {
        self.bits.iter().map(|word| word.count_ones()).sum::<u32>().saturating_sub(1)
    }

    /// 90th percentile of the gaps in days, by nearest rank; `None` under 20 gaps.
    #[must_use]
    pub fn gap_p90_days(&self) -> Option<u32> {
        self.p90_days
    }

    fn compute_p90_days(&self) -> Option<u32> {
        let total = self.gaps();
        if total < MIN_GAPS {
            return None;
        }
        let mut gap_counts = [0_u16; LOGIN_DAYS as usize];
        let mut previous = None;
        for (word_index, word) in self.bits.iter().enumerate() {
            let mut rest = *word;
            while rest != 0 {
                let age = word_index as u32 * 64 + rest.trailing_zeros();
                if let Some(previous) = previous {
                    gap_counts[(age - previous) as usize] += 1;
                }
                previous = Some(age);
                rest &= rest - 1;
            }
        }
        let rank = (total * 9).div_ceil(10);
        let mut seen = 0;
        gap_counts.iter().zip(0..).find_map(|(count, gap)| {
            seen += u32::from(*count);
            (seen >= rank).then_some(gap)
        })
    }

    fn shift(&mut self, days: u32) {
        if days >= LOGIN_DAYS {
            self.bits = [0; 4];
            return;
        }
        let (words, bits) = ((days / 64) as usize, days % 64);
        for index in (0..4).rev() {
            let low = if index >= words { self.bits[index - words] } else { 0 };
            let carry = if bits > 0 && index > words { self.bits[index - words - 1] >> (64 - bits) } else { 0 };
            self.bits[index] = (low << bits) | carry;
        }
    }
}

impl Packed for LoginDays {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.put_signed(i64::from(self.newest.0));
        let kept = 4 - self.bits.iter().rev().take_while(|word| **word == 0).count();
        writer.put(kept as u64);
        self.bits[..kept].iter().for_each(|word| writer.bytes.extend_from_slice(&word.to_le_bytes()));
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        let mut days = Self { newest: Day(reader.take_i32()?), ..Self::default() };
        let kept = usize::try_from(reader.take()?).ok()?;
        for word in days.bits.get_mut(..kept)? {
            *word = u64::from_le_bytes(reader.take_array()?);
        }
        days.p90_days = days.compute_p90_days();
        Some(days)
    }
}
