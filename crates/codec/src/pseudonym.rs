//! Pseudonyms of user ids: a keyed hash, so that the journal holds tokens instead of names and addresses.

use std::{array, fmt};

use bellwether_engine::erasure::ErasureKey;
use bellwether_engine::event::UserToken;
use siphasher::sip::SipHasher24;

/// Length of a token's text, `u-` and 16 hexadecimal digits.
pub const TOKEN_BYTES: usize = 18;

/// Turns user ids into tokens: SipHash-2-4 under a secret 128-bit key. Without the key a token cannot be tested against a list of known ids.
#[derive(Clone, Copy)]
pub struct Pseudonymiser {
    hasher: SipHasher24,
}

/// What is wrong with a pseudonym key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Too short or too long.
    #[error("a pseudonym key has 32 hexadecimal digits (128 bits), this one has {found} characters")]
    Length {
        /// Characters found.
        found: usize,
    },
    /// Something else than a hexadecimal digit. The character itself is not told: keys are secret.
    #[error("a pseudonym key has 32 hexadecimal digits (128 bits), the character at position {position} is none")]
    Digit {
        /// Position of the first wrong character, from 1.
        position: usize,
    },
}

impl Pseudonymiser {
    /// The key in use when none is configured: the bytes of `bellwether-user.`. It is public, so it keeps ids out of sight but not out of
    /// reach of somebody with a list of candidates: configure a secret key wherever that matters.
    pub const DEFAULT_KEY: [u8; 16] = *b"bellwether-user.";

    /// Hashes under this key.
    #[must_use]
    pub fn new(key: [u8; 16]) -> Self {
        Self { hasher: SipHasher24::new_with_key(&key) }
    }

    /// Hashes under a key given as 32 hexadecimal digits; white space around it is ignored, so a key file may end with a newline.
    ///
    /// # Errors
    /// When the text is not 32 hexadecimal digits.
    pub fn from_hex(text: &str) -> Result<Self, KeyError> {
        let digits = text.trim();
        if let Some(index) = digits.chars().position(|digit| !digit.is_ascii_hexdigit()) {
            return Err(KeyError::Digit { position: index + 1 });
        }
        if digits.len() != 32 {
            return Err(KeyError::Length { found: digits.len() });
        }
        let key = u128::from_str_radix(digits, 16).map_err(|_| KeyError::Length { found: digits.len() })?;
        Ok(Self::new(key.to_be_bytes()))
    }

    /// The token of a user id.
    #[must_use]
    pub fn token(&self, user: &str) -> UserToken {
        UserToken(self.hasher.hash(user.as_bytes()))
    }

    /// The key under which ids of erased customers are remembered. It is made from the pseudonym key, so there is one secret to keep.
    #[must_use]
    pub fn erasure_key(&self) -> ErasureKey {
        let [high, low] = [b"erasure high".as_slice(), b"erasure low"].map(|text| self.hasher.hash(text).to_be_bytes());
        let mut key = [0; 16];
        key[..8].copy_from_slice(&high);
        key[8..].copy_from_slice(&low);
        ErasureKey(key)
    }

    /// Tells keys apart without giving them away: journals record it, and a journal written under another key is noticed.
    #[must_use]
    pub fn key_id(&self) -> u64 {
        self.hasher.hash(b"bellwether pseudonym key id")
    }
}

impl Default for Pseudonymiser {
    fn default() -> Self {
        Self::new(Self::DEFAULT_KEY)
    }
}

impl fmt::Debug for Pseudonymiser {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Pseudonymiser").finish_non_exhaustive()
    }
}

/// The text of a token, such as `u-0123456789abcdef`.
#[must_use]
pub fn token_text(token: UserToken) -> String {
    String::from_utf8_lossy(&token_bytes(token)).into_owned()
}

/// The text of a token as ASCII bytes.
#[must_use]
pub fn token_bytes(token: UserToken) -> [u8; TOKEN_BYTES] {
    let mut bytes = *b"u-0000000000000000";
    for (index, digit) in bytes[2..].iter_mut().enumerate() {
        *digit = b"0123456789abcdef"[(token.0 >> (60 - 4 * index)) as usize & 15];
    }
    bytes
}

/// More than any digit, with a bit that no digit has.
const NO_DIGIT: u8 = 16;

/// The token of that text; `None` unless it is `u-` and 16 lower-case hexadecimal digits.
#[must_use]
pub fn parse_token(text: &str) -> Option<UserToken> {
    let digits = text.strip_prefix("u-")?;
    let digits: [u8; 16] = digits.as_bytes().try_into().ok()?;
    // All digits at once: tables and journals have a token in most of their events.
    let values = digits.map(|digit| match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => NO_DIGIT,
    });
    let is_hexadecimal = values.iter().fold(0, |all, value| all | value) < NO_DIGIT;
    let bytes = array::from_fn(|index| values[2 * index] << 4 | values[2 * index + 1]);
    is_hexadecimal.then_some(UserToken(u64::from_be_bytes(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_siphash_2_4_of_the_id() {
        // The first vectors of the authors' reference implementation: key 00..0f, input empty and 00.
        let pseudonymiser = Pseudonymiser::from_hex("000102030405060708090a0b0c0d0e0f").unwrap();
        assert_eq!(pseudonymiser.token(""), UserToken(0x726f_db47_dd0e_0e31));
        assert_eq!(pseudonymiser.token("\0"), UserToken(0x74f8_39c5_93dc_67fd));
    }

    #[test]
    fn the_default_key_never_changes() {
        assert_eq!(token_text(Pseudonymiser::default().token("u7")), "u-325096f9a81aab86");
    }

    #[test]
    fn keys_differ_and_say_so() {
        let other = Pseudonymiser::new([7; 16]);
        assert_ne!(other.token("u7"), Pseudonymiser::default().token("u7"));
        assert_ne!(other.key_id(), Pseudonymiser::default().key_id());
    }

    #[test]
    fn a_key_is_32_hexadecimal_digits() {
        let key = "000102030405060708090A0b0c0d0e0f";
        assert_eq!(Pseudonymiser::from_hex(&format!(" {key}\n")).unwrap().token(""), UserToken(0x726f_db47_dd0e_0e31));
        assert_eq!(Pseudonymiser::from_hex(&key[1..]).unwrap_err(), KeyError::Length { found: 31 });
        assert_eq!(Pseudonymiser::from_hex("").unwrap_err(), KeyError::Length { found: 0 });
        let error = Pseudonymiser::from_hex("00010203040506070809 a0b0c0d0e0f").unwrap_err();
        assert_eq!(error.to_string(), "a pseudonym key has 32 hexadecimal digits (128 bits), the character at position 21 is none");
    }

    #[test]
    fn the_key_is_not_printed() {
        assert_eq!(format!("{:?}", Pseudonymiser::default()), "Pseudonymiser { .. }");
    }

    #[test]
    fn token_text_round_trips_and_is_strict() {
        for token in [UserToken(0), UserToken(0x0123_4567_89ab_cdef), UserToken(u64::MAX)] {
            assert_eq!(parse_token(&token_text(token)), Some(token));
        }
        for wrong in
            ["", "u-", "u7", "u-0123456789ABCDEF", "u-0123456789abcde", "u-0123456789abcdef0", "u-+123456789abcdef", "x-0123456789abcdef"]
        {
            assert_eq!(parse_token(wrong), None, "{wrong}");
        }
    }
}
