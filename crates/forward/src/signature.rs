//! Standard Webhooks (<https://www.standardwebhooks.com>): keys, and the signature of a message.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// What keys begin with, as the specification writes them.
const PREFIX: &str = "whsec_";

/// The fewest and the most bytes of a key, as the specification wants it.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// Keys at most: the present one and the one before.
const MAX_KEYS: usize = 2;

/// One or two keys. A message is signed with each, so that a receiver may change from one to the other in its own time.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKeys(Vec<Vec<u8>>);

/// A text that is no key. What it is stays untold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is not Base64.
    #[error("a signing key is `whsec_` and then Base64")]
    NotBase64,
    /// It is too short or too long.
    #[error("a signing key has 24 to 64 bytes, and this one has {0}")]
    Length(usize),
    /// None, or too many.
    #[error("there are {0} keys, where one or two are meant")]
    Count(usize),
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} signing keys", self.0.len())
    }
}

impl FromStr for SigningKeys {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let keys = text.split_whitespace().map(|word| {
            let key = STANDARD.decode(word.strip_prefix(PREFIX).unwrap_or(word)).map_err(|_| KeyError::NotBase64)?;
            if KEY_BYTES.contains(&key.len()) { Ok(key) } else { Err(KeyError::Length(key.len())) }
        });
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        if (1..=MAX_KEYS).contains(&keys.len()) { Ok(Self(keys)) } else { Err(KeyError::Count(keys.len())) }
    }
}

impl SigningKeys {
    /// The value of the header `webhook-signature`: for each key `v1,` and the Base64 of HMAC-SHA256 of `id.timestamp.body`.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp_seconds: i64, body: &[u8]) -> String {
        let signatures = self.0.iter().map(|key| {
            let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
            mac.update(format!("{id}.{timestamp_seconds}.").as_bytes());
            mac.update(body);
            format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
        });
        signatures.collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's own libraries.
    #[test]
    fn a_signature_is_that_of_the_specification() {
        let keys: SigningKeys = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse().unwrap();
        let signature = keys.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn two_keys_sign_twice_and_bad_ones_are_refused_without_being_told() {
        let one = format!("whsec_{}", STANDARD.encode([7; 24]));
        let keys: SigningKeys = format!("{one} {}", STANDARD.encode([8; 64])).parse().unwrap();
        assert_eq!(keys.sign("a", 1, b"").split(' ').count(), 2);
        assert_eq!("whsec_!".parse::<SigningKeys>(), Err(KeyError::NotBase64));
        assert_eq!(STANDARD.encode([7; 23]).parse::<SigningKeys>(), Err(KeyError::Length(23)));
        assert_eq!("".parse::<SigningKeys>(), Err(KeyError::Count(0)));
        assert_eq!(format!("{keys:?}"), "2 signing keys");
    }
}
