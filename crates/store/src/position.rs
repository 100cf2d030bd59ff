//! The position of a partition: how far its journal and the reviews between two records were applied.

use std::fmt;

use crate::values::{from_ordered, ordered};

/// How far a partition was applied; ordered by offset, then review due, then customer.
///
/// The store compares positions and otherwise takes them as they come; the absent header counts as the default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Offset in the journal partition.
    pub offset: u64,
    /// Due time of the review, in milliseconds since the epoch.
    pub review_due: i64,
    /// Customer of the review.
    pub customer: u128,
}

impl Position {
    /// Length of an encoded position.
    pub const ENCODED_BYTES: usize = 32;

    /// The position in a fixed encoding whose bytes sort like the positions.
    pub fn to_bytes(self) -> [u8; Self::ENCODED_BYTES] {
        let mut bytes = [0; Self::ENCODED_BYTES];
        bytes[..8].copy_from_slice(&self.offset.to_be_bytes());
        bytes[8..16].copy_from_slice(&ordered(self.review_due));
        bytes[16..].copy_from_slice(&self.customer.to_be_bytes());
        bytes
    }

    /// The position of its encoding; every 32 bytes are one.
    pub fn from_bytes(bytes: [u8; Self::ENCODED_BYTES]) -> Self {
        let eight_from = |start: usize| std::array::from_fn(|index| bytes[start + index]);
        let last_sixteen = std::array::from_fn(|index| bytes[16 + index]);
        Self {
            offset: u64::from_be_bytes(eight_from(0)),
            review_due: from_ordered(eight_from(8)),
            customer: u128::from_be_bytes(last_sixteen),
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "(offset {}, review due {}, customer {:032x})", self.offset, self.review_due, self.customer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn position() -> impl Strategy<Value = Position> {
        // Few offsets and due times, so that the later parts decide as often as the first.
        let due = prop_oneof![Just(0), Just(i64::MIN), Just(i64::MAX), any::<i64>()];
        (0_u64..3, due, any::<u128>()).prop_map(|(offset, review_due, customer)| Position { offset, review_due, customer })
    }

    proptest! {
        #[test]
        fn bytes_sort_like_positions(left in position(), right in position()) {
            prop_assert_eq!(left.to_bytes().cmp(&right.to_bytes()), left.cmp(&right));
            prop_assert_eq!(Position::from_bytes(left.to_bytes()), left);
        }
    }

    #[test]
    fn a_position_reads_well() {
        let position = Position { offset: 7, review_due: -1, customer: 0xab };
        assert_eq!(position.to_string(), format!("(offset 7, review due -1, customer {}ab)", "0".repeat(30)));
    }
}
