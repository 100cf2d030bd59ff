//! What a customer's state remembers to judge signals by: ended episodes without an outcome, churn, and what the week's owner was told.

use super::packed::{Packed, PackedReader, PackedWriter};
use crate::time::Time;

/// Ended episodes that wait for their outcome, per customer; of further ones the outcome is never known, which is counted.
pub const MAX_PENDING_OUTCOMES: usize = 24;

/// An episode that ended before its outcome was known.
#[derive(Clone, Debug, PartialEq)]
pub struct PendingOutcome {
    /// `Rule::hash`.
    pub rule: u32,
    /// The thing within the customer, or empty.
    pub object: Box<str>,
    /// When it was raised.
    pub raised_at: Time,
    /// When it ended.
    pub ended_at: Time,
    /// Its number among those of its rule and object.
    pub number: u32,
    /// Transitions told so far.
    pub ordinal: u16,
    /// `Severity` as its number.
    pub severity: u8,
    /// Whether it was held out.
    pub held_out: bool,
    /// MRR when it was raised, where the outcome depends on that.
    pub mrr_minor: i64,
}

/// What outcomes depend on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcomes {
    /// Ended episodes, in the order of their ends.
    pub pending: Vec<PendingOutcome>,
    /// The churn that was counted last and still stands.
    pub churned_at: Option<Time>,
    /// When the customer last followed a campaign to its end, or spoke for us.
    pub advocated_at: Option<Time>,
    /// The week in which the owner was last told of a raised signal, and of how many; only where a cap is set.
    pub told: (i32, u32),
}

impl Packed for PendingOutcome {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.bytes.extend_from_slice(&self.rule.to_le_bytes());
        writer.put_flags([self.held_out, !self.object.is_empty(), self.mrr_minor != 0, self.severity & 1 != 0, self.severity & 2 != 0]);
        if !self.object.is_empty() {
            writer.put_text(&self.object);
        }
        writer.put_time(self.raised_at);
        writer.put_time(self.ended_at);
        writer.put(u64::from(self.number));
        writer.put(u64::from(self.ordinal));
        if self.mrr_minor != 0 {
            writer.put_signed(self.mrr_minor);
        }
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        let rule = u32::from_le_bytes(reader.take_array()?);
        let [held_out, has_object, has_mrr, severity_low, severity_high] = reader.take_flags()?;
        Some(Self {
            rule,
            object: if has_object { reader.take_name()? } else { Box::default() },
            raised_at: reader.take_time()?,
            ended_at: reader.take_time()?,
            number: reader.take_u32()?,
            ordinal: reader.take_u16()?,
            severity: u8::from(severity_low) | u8::from(severity_high) << 1,
            held_out,
            mrr_minor: if has_mrr { reader.take_signed()? } else { 0 },
        })
    }
}

impl Packed for Outcomes {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.put_list(&self.pending);
        writer.put_optional_time(self.churned_at);
        writer.put_optional_time(self.advocated_at);
        writer.put_signed(i64::from(self.told.0));
        writer.put(u64::from(self.told.1));
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        Some(Self {
            pending: reader.take_list(PendingOutcome::unpack)?,
            churned_at: reader.take_optional_time()?,
            advocated_at: reader.take_optional_time()?,
            told: (reader.take_i32()?, reader.take_u32()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customer::MAX_KEPT_NAME_BYTES;
    use crate::time::DAY_MS;

    #[test]
    fn the_fullest_part_reads_back_and_leaves_room_for_the_others() {
        let pending = |number: usize| PendingOutcome {
            rule: number as u32 * 77_777_777,
            object: format!("{number:->width$}", width = MAX_KEPT_NAME_BYTES).chars().rev().collect::<String>().into(),
            raised_at: Time(1_700_000_000_123 + number as i64 * DAY_MS),
            ended_at: Time(1_700_100_000_321 + number as i64 * DAY_MS),
            number: u32::MAX,
            ordinal: u16::MAX,
            severity: 2,
            held_out: number.is_multiple_of(2),
            mrr_minor: 1 << 40,
        };
        let some = Some(Time(1_700_000_000_456));
        let outcomes = Outcomes {
            pending: (0..MAX_PENDING_OUTCOMES).map(pending).collect(),
            churned_at: some,
            advocated_at: some,
            told: (2_829, u32::MAX),
        };
        let mut writer = PackedWriter::new();
        outcomes.pack(&mut writer);
        assert!(writer.bytes.len() < 4_096, "{} bytes", writer.bytes.len());
        let mut reader = PackedReader::new(&writer.bytes);
        assert_eq!(Outcomes::unpack(&mut reader), Some(outcomes));
        assert!(reader.bytes.is_empty());
    }
}
