//! Days with a login over the last 256 days, and the percentile of the gaps between them.

use super::packed::{Packed, PackedReader, PackedWriter};
use crate::time::Day;

/// How many days back logins are remembered as yes or no.
pub const LOGIN_DAYS: u32 = 256;

/// Bytes that hold a bit for each.
const MAX_BYTES: usize = LOGIN_DAYS as usize / 8;

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

    /// Lengths of the runs of days with a login and of days without, from the newest day back to the last one with a login.
    fn runs(&self) -> Vec<u32> {
        let (mut runs, mut age, mut logged_in) = (Vec::new(), 0, true);
        while age < LOGIN_DAYS {
            let length = self.run(age, logged_in);
            if !logged_in && age + length == LOGIN_DAYS {
                break;
            }
            runs.push(length);
            (age, logged_in) = (age + length, !logged_in);
        }
        runs
    }

    /// How many days from one on are all with a login, or all without.
    fn run(&self, first: u32, logged_in: bool) -> u32 {
        let mut age = first;
        while age < LOGIN_DAYS {
            let word = self.bits[(age / 64) as usize];
            let other = (if logged_in { !word } else { word }) >> (age % 64);
            if other != 0 {
                return age + other.trailing_zeros() - first;
            }
            age = (age / 64 + 1) * 64;
        }
        LOGIN_DAYS - first
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

/// The bytes that hold a bit; or where days come in few runs, as of a customer with many users, the lengths of those, yes and no in turn.
impl Packed for LoginDays {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.put_day(self.newest);
        let bytes: Vec<u8> = self.bits.iter().flat_map(|word| word.to_le_bytes()).collect();
        let kept = bytes.len() - bytes.iter().rev().take_while(|byte| **byte == 0).count();
        let runs = self.runs();
        if runs.len() < kept {
            writer.put((MAX_BYTES + runs.len()) as u64);
            runs.iter().for_each(|run| writer.put(u64::from(*run)));
        } else {
            writer.put(kept as u64);
            writer.bytes.extend_from_slice(&bytes[..kept]);
        }
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        let mut days = Self { newest: reader.take_day()?, ..Self::default() };
        let kept = usize::try_from(reader.take()?).ok()?;
        if let Some(runs) = kept.checked_sub(MAX_BYTES).filter(|runs| *runs > 0) {
            let mut age = 0;
            for run in 0..runs {
                let end = age + reader.take_u32().filter(|length| *length <= LOGIN_DAYS - age)?;
                if run % 2 == 0 {
                    (age..end).for_each(|age| days.bits[(age / 64) as usize] |= 1 << (age % 64));
                }
                age = end;
            }
        } else {
            let mut bytes = [0; MAX_BYTES];
            bytes[..kept].copy_from_slice(reader.take_slice(kept)?);
            let words = days.bits.iter_mut().zip(bytes.as_chunks::<8>().0);
            words.for_each(|(word, bytes)| *word = u64::from_le_bytes(*bytes));
        }
        days.p90_days = days.compute_p90_days();
        Some(days)
    }
}
