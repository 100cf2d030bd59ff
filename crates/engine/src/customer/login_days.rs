//! Days with a login over the last 256 days, and the percentile of the gaps between them.

use serde::{Deserialize, Serialize};

use crate::time::Day;

/// How many days back logins are remembered as yes or no.
pub const LOGIN_DAYS: u32 = 256;

/// Fewest gaps for a percentile to mean anything (rule 2 of the catalogue).
pub const MIN_GAPS: u32 = 20;

/// One bit a day; bit 0 of word 0 is the newest day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginDays {
    newest: Day,
    bits: [u64; 4],
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
        changed
    }

    /// Number of gaps between neighbouring login days.
    #[must_use]
    pub fn gaps(&self) -> u32 {
        self.bits.iter().map(|word| word.count_ones()).sum::<u32>().saturating_sub(1)
    }

    /// 90th percentile of the gaps in days, by nearest rank; `None` under [`MIN_GAPS`] gaps.
    #[must_use]
    pub fn gap_p90_days(&self) -> Option<u32> {
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
