//! The compact byte form of a customer's state, and the bytes of what several of its parts hold.

pub(crate) use super::packed_reader::PackedReader;
pub(crate) use super::packed_writer::PackedWriter;

/// Something with a compact byte form.
pub(crate) trait Packed: Sized {
    /// Appends it.
    fn pack(&self, writer: &mut PackedWriter);

    /// Reads it back; `None` where the bytes end or make no sense.
    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self>;
}

/// How an instant is told: the two low bits of its first number.
pub(super) mod time_form {
    /// No instant near the base: the number above says which.
    pub const FAR: u64 = 0;
    /// Milliseconds from the base.
    pub const MILLISECONDS: u64 = 1;
    /// Seconds from the base.
    pub const SECONDS: u64 = 2;
    /// Days from the base.
    pub const DAYS: u64 = 3;
    /// Above [`FAR`]: the end of time, its beginning, or eight bytes that follow.
    pub const NEVER: u64 = 0;
    pub const MIN: u64 = 1 << 2;
    pub const RAW: u64 = 2 << 2;
}

/// How many stamps back one is looked for.
pub(super) const NEAR_STAMPS: usize = 16;

/// Lengths under this fit a half byte beside another; longer ones follow.
pub(super) const SHORT: usize = 15;

/// Negative and positive numbers in turn, so that small ones either way are short.
pub(super) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// The number that [`zigzag`] was given.
pub(super) fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}
