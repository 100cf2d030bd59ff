//! Counters by UTC day (or by week) over a fixed number of slots ending at the newest one.

use super::packed::{Packed, PackedReader, PackedWriter};

/// Counts in `N` consecutive slots; the slot is a day number or a week number. Counters saturate at `u32::MAX`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts<const N: usize> {
    newest: i32,
    /// `counts[0]` is the newest slot, `counts[i]` the one `i` slots earlier.
    counts: [u32; N],
}

impl<const N: usize> Default for Counts<N> {
    fn default() -> Self {
        Self { newest: 0, counts: [0; N] }
    }
}

impl<const N: usize> Counts<N> {
    /// Adds to a slot. Returns the slot's count before, or `None` when the slot has left the retained window.
    pub fn add(&mut self, slot: i32, amount: u32) -> Option<u32> {
        let ahead = i64::from(slot) - i64::from(self.newest);
        if ahead > 0 {
            let shift = usize::try_from(ahead).unwrap_or(N).min(N);
            self.counts.copy_within(..N - shift, shift);
            self.counts[..shift].fill(0);
            self.newest = slot;
        }
        let index = usize::try_from(i64::from(self.newest) - i64::from(slot)).unwrap_or(usize::MAX);
        let count = self.counts.get_mut(index)?;
        let before = *count;
        *count = before.saturating_add(amount);
        Some(before)
    }

    /// The newest slot.
    pub(super) fn newest(&self) -> i32 {
        self.newest
    }

    /// The slots from `skip` before `current` back, `length` of them, clipped to what is retained. Newest first.
    pub(super) fn window(&self, current: i32, skip: usize, length: usize) -> &[u32] {
        let behind = i64::from(current) - i64::from(self.newest);
        let first = skip as i64 - behind;
        let start = first.clamp(0, N as i64) as usize;
        let end = (first + length as i64).clamp(0, N as i64) as usize;
        &self.counts[start..end]
    }

    /// Sum over `length` slots ending `skip` slots before `current`.
    #[must_use]
    pub fn sum(&self, current: i32, skip: usize, length: usize) -> u64 {
        self.window(current, skip, length).iter().map(|count| u64::from(*count)).sum()
    }

    /// Bit `i` is set where the slot `i` before `current` counts anything; for the last 64 slots.
    #[must_use]
    pub fn active_bits(&self, current: i32) -> u64 {
        let bits = self.counts.iter().take(64).rev().fold(0_u64, |bits, count| bits << 1 | u64::from(*count > 0));
        match i64::from(current) - i64::from(self.newest) {
            behind @ 0..64 => bits << behind,
            ahead @ -63..0 => bits >> -ahead,
            _ => 0,
        }
    }

    /// The count of one slot.
    #[must_use]
    pub fn at(&self, slot: i32) -> u32 {
        self.window(slot, 0, 1).first().copied().unwrap_or(0)
    }
}

impl<const N: usize> Counts<N> {
    /// Packs it, its newest slot told from one that is `near`.
    pub(super) fn pack_near(&self, writer: &mut PackedWriter, near: i32) {
        writer.put_near(self.newest, near);
        writer.put_series(&self.counts);
    }

    /// Reads back what [`Self::pack_near`] wrote.
    pub(super) fn unpack_near(reader: &mut PackedReader<'_>, near: i32) -> Option<Self> {
        let newest = reader.take_near(near)?;
        let mut counts = [0; N];
        reader.take_series(&mut counts)?;
        Some(Self { newest, counts })
    }
}

/// Counts by day.
impl<const N: usize> Packed for Counts<N> {
    fn pack(&self, writer: &mut PackedWriter) {
        self.pack_near(writer, writer.base().0);
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        Self::unpack_near(reader, reader.base().0)
    }
}
