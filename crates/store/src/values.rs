//! The values whose format the store decides: partition header, timer, format version.

use crate::position::Position;

/// Version of everything the store decides about its bytes; a database with another one is not opened.
pub const FORMAT_VERSION: u32 = 1;

/// What a partition knows about itself: how far it was applied, and what the caller keeps beside that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionHeader {
    /// How far the partition was applied.
    pub position: Position,
    /// Opaque to the store.
    pub body: Vec<u8>,
}

/// Why stored bytes cannot be what they should be; whoever read them adds path and key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) &'static str);

/// Header value: position (32 bytes), then the body.
pub(crate) fn encode_header(position: Position, body: &[u8]) -> Vec<u8> {
    [&position.to_bytes(), body].concat()
}

/// Position of a header value.
pub(crate) fn header_position(value: &[u8]) -> Result<Position, Malformed> {
    split_header(value).map(|(position, _)| position)
}

/// Position and body of a header value.
pub(crate) fn decode_header(value: &[u8]) -> Result<PartitionHeader, Malformed> {
    let (position, body) = split_header(value)?;
    Ok(PartitionHeader { position, body: body.to_vec() })
}

/// Timer value: due time in milliseconds, in bytes that sort like the numbers.
pub(crate) fn encode_timer(due: i64) -> [u8; 8] {
    ordered(due)
}

/// Due time of a timer value.
pub(crate) fn decode_timer(value: &[u8]) -> Result<i64, Malformed> {
    array(value, "a timer has 8 bytes").map(from_ordered)
}

/// Format version value: u32, big endian.
pub(crate) fn encode_format_version(version: u32) -> [u8; 4] {
    version.to_be_bytes()
}

/// Format version of its value.
pub(crate) fn decode_format_version(value: &[u8]) -> Result<u32, Malformed> {
    array(value, "a format version has 4 bytes").map(u32::from_be_bytes)
}

/// Bytes that sort like the signed numbers: big endian with the sign bit flipped.
pub(crate) fn ordered(number: i64) -> [u8; 8] {
    (number ^ i64::MIN).to_be_bytes()
}

/// The number of its ordered bytes.
pub(crate) fn from_ordered(bytes: [u8; 8]) -> i64 {
    i64::from_be_bytes(bytes) ^ i64::MIN
}

/// The bytes as an array, or the reason why not.
pub(crate) fn array<const LENGTH: usize>(bytes: &[u8], otherwise: &'static str) -> Result<[u8; LENGTH], Malformed> {
    bytes.try_into().map_err(|_| Malformed(otherwise))
}

fn split_header(value: &[u8]) -> Result<(Position, &[u8]), Malformed> {
    let (position, body) = value.split_first_chunk().ok_or(Malformed("a header has at least 32 bytes"))?;
    Ok((Position::from_bytes(*position), body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ordered_bytes_sort_like_numbers(left in any::<i64>(), right in any::<i64>()) {
            prop_assert_eq!(ordered(left).cmp(&ordered(right)), left.cmp(&right));
            prop_assert_eq!(decode_timer(&encode_timer(left)), Ok(left));
        }

        #[test]
        fn any_bytes_decode_to_a_value_or_an_error(value in proptest::collection::vec(any::<u8>(), 0..48)) {
            prop_assert_eq!(decode_header(&value).is_ok(), value.len() >= 32);
            prop_assert_eq!(decode_timer(&value).is_ok(), value.len() == 8);
            prop_assert_eq!(decode_format_version(&value).is_ok(), value.len() == 4);
        }
    }

    #[test]
    fn a_header_keeps_its_body() {
        let position = Position { offset: 1, review_due: -2, customer: 3 };
        let header = decode_header(&encode_header(position, b"body"));
        assert_eq!(header, Ok(PartitionHeader { position, body: b"body".to_vec() }));
    }
}
